"""Field sets of typed values: the fields that an applied value declares, and a value without the fields of a set.

As structured-merge-diff (v6) computes them for apply. Inputs are never changed.
"""

from __future__ import annotations

from typing import overload

from planner.field_path import Element, ListItemPathElement
from planner.values import JsonMap, JsonObject, JsonValue
from providers.kubernetes.ssa.field_set import EMPTY, FieldSet
from providers.kubernetes.ssa.merge_types import MergeType
from providers.kubernetes.ssa.typed_values import (
    list_item_element,
    list_or_empty,
    map_list_or_scalar_form,
    map_or_empty,
)


def declared_field_set(kind: MergeType, value: JsonValue) -> FieldSet:
    """The fields that an applied value declares: every leaf, list item, free map key and empty map."""
    form = map_list_or_scalar_form(kind, value)
    members: set[Element] = set()
    children: dict[Element, FieldSet] = {}
    if form == "map":
        for key, item in map_or_empty(value).items():
            below = kind.child(key)
            if below is None:
                continue
            itself, inner = _fields_below(below, item)
            if inner:
                children[key] = inner
            if itself or item is None or item == {} or key not in kind.names:
                members.add(key)
    else:
        _list_fields(kind, list_or_empty(value), members, children)
    return FieldSet(members, children)


def _fields_below(kind: MergeType, value: JsonValue) -> tuple[bool, FieldSet]:
    """Whether the value is a leaf, and the fields below it if not."""
    form = map_list_or_scalar_form(kind, value)
    if form == "scalar" or (form == "map" and kind.atomic) or (form == "list" and kind.list_kind == "atomic"):
        return True, EMPTY
    return False, declared_field_set(kind, value)


def _list_fields(
    kind: MergeType, items: list[JsonValue], members: set[Element], children: dict[Element, FieldSet]
) -> None:
    elements = [list_item_element(kind, item) for item in items]
    below = kind.items()
    for element, item in zip(elements, items, strict=True):
        members.add(element)
        if elements.count(element) == 1:
            inner = _fields_below(below, item)[1]
            if inner:
                children[element] = inner


@overload
def remove_fields(kind: MergeType, value: JsonObject, taken: FieldSet) -> JsonObject: ...
@overload
def remove_fields(kind: MergeType, value: JsonValue, taken: FieldSet) -> JsonValue: ...
def remove_fields(kind: MergeType, value: JsonValue, taken: FieldSet) -> JsonValue:
    """`value` without the fields of `taken`. Containers that lose everything become null, as the server makes them;
    atomic ones go whole when anything inside them is taken."""
    form = map_list_or_scalar_form(kind, value)
    if form == "map" and isinstance(value, dict):
        return _remove_keys(kind, value, taken)
    if form == "list" and isinstance(value, list):
        return _remove_items(kind, value, taken)
    return value if form == "scalar" else None


def _remove_keys(kind: MergeType, value: JsonMap, taken: FieldSet) -> JsonValue:
    if kind.atomic:
        return None
    out: JsonMap = {}
    for key, item in value.items():
        if key in taken.members:
            continue
        inner = taken.children.get(key)
        below = kind.child(key) if inner else None
        out[key] = remove_fields(below, item, inner) if inner and below is not None else item
    return out or None


def _remove_items(kind: MergeType, value: list[JsonValue], taken: FieldSet) -> JsonValue:
    if kind.list_kind == "atomic":
        return None
    out: list[JsonValue] = []
    for item in value:
        element = list_item_element(kind, item)
        if element not in taken.members:
            inner = taken.children.get(element)
            out.append(remove_fields(kind.items(), item, inner) if inner else item)
    return out or None


def with_parent_fields(kind: MergeType | None, fields: FieldSet) -> FieldSet:
    """`fields` and every declared field above one of them: what removal works on."""
    members = set(fields.members)
    children: dict[Element, FieldSet] = {}
    for element, child in fields.children.items():
        below: MergeType | None = None
        if kind is not None and isinstance(element, str) and kind.is_map:
            below = kind.child(element)
            if element in kind.names:
                members.add(element)
        elif kind is not None and isinstance(element, ListItemPathElement) and kind.list_kind:
            below = kind.items()
        children[element] = with_parent_fields(below, child)
    return FieldSet(members, children)
