"""One typed value merged onto another, as structured-merge-diff (v6) merges them.

Owns no manager and no conflict. Inputs are never changed; results may share parts with them.
"""

from __future__ import annotations

from typing import overload

from planner.field_path import Element
from planner.values import JsonMap, JsonObject, JsonValue
from providers.kubernetes.ssa.merge_types import MergeType
from providers.kubernetes.ssa.typed_values import (
    ABSENT,
    list_item_element,
    list_or_empty,
    map_list_or_scalar_form,
    map_or_empty,
)


@overload
def merge_typed_values(kind: MergeType, left: JsonObject, right: JsonObject) -> JsonObject: ...
@overload
def merge_typed_values(kind: MergeType, left: JsonValue, right: JsonValue) -> JsonValue: ...
def merge_typed_values(kind: MergeType, left: JsonValue, right: JsonValue) -> JsonValue:
    """`right` merged onto `left`; where both have a leaf, the right one wins."""
    if right is ABSENT:
        return left
    if left is ABSENT:
        return right
    form = map_list_or_scalar_form(kind, right)
    if form == "map" and not kind.atomic:
        mine, theirs = map_or_empty(left), map_or_empty(right)
        if mine or theirs:
            return _merge_maps(kind, mine, theirs)
    elif form == "list" and kind.list_kind != "atomic":
        items, others = list_or_empty(left), list_or_empty(right)
        if items or others:
            return _merge_lists(kind, items, others)
    return right


def _merge_maps(kind: MergeType, left: JsonMap, right: JsonMap) -> JsonValue:
    out = dict(left)
    for key, value in right.items():
        if key in left:
            below = kind.child(key)
            merged = value if below is None else merge_typed_values(below, left[key], value)
            if merged is ABSENT:
                del out[key]
            else:
                out[key] = merged
        else:
            out[key] = value
    return out or ABSENT


def _index(kind: MergeType, items: list[JsonValue]) -> tuple[list[Element], dict[Element, JsonValue]]:
    """Elements in order, and items by element; of an element that stands there twice, null."""
    elements: list[Element] = []
    found: dict[Element, JsonValue] = {}
    for item in items:
        element = list_item_element(kind, item)
        found[element] = None if element in found else item
        elements.append(element)
    return elements, found


def _merge_lists(kind: MergeType, left: list[JsonValue], right: list[JsonValue]) -> JsonValue:
    """Items of both sides. The right side keeps its order; items of the left alone stay where they stood between the
    shared ones around them."""
    elements, mine = _index(kind, left)
    others, theirs = _index(kind, right)
    items = kind.items()
    shared = [element for element in others if element in mine]
    wanted = 0
    done: set[Element] = set()
    out: list[JsonValue] = []
    i = j = 0
    while i < len(elements) or j < len(others):
        if i < len(elements) and j < len(others):
            element = elements[i]
            if element == others[j]:
                done.add(element)
                out.append(merge_typed_values(items, mine.get(element, ABSENT), theirs[element]))
                i, j, wanted = i + 1, j + 1, wanted + 1
                continue
            if element in theirs and wanted < len(shared) and shared[wanted] != element:
                i += 1
                continue
        if i < len(elements):
            element = elements[i]
            if element not in theirs:
                out.append(left[i])
                i += 1
                continue
            if element in done:
                i += 1
        if j < len(others):
            element = others[j]
            done.add(element)
            out.append(merge_typed_values(items, mine.get(element, ABSENT), theirs[element]))
            j += 1
            if wanted < len(shared) and shared[wanted] == element:
                wanted += 1
    retained = [item for item in out if item is not ABSENT]
    return retained or ABSENT
