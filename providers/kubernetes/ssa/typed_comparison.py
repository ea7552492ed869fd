"""Two typed values compared: the fields that a write removes, modifies and adds, as structured-merge-diff (v6) says."""

from __future__ import annotations

from planner.dataclass import dataclass
from planner.field_path import Element
from planner.values import JsonMap, JsonValue
from providers.kubernetes.ssa.field_set import FieldSet
from providers.kubernetes.ssa.merge_types import MergeType
from providers.kubernetes.ssa.typed_values import (
    ABSENT,
    equal_json,
    list_item_element,
    list_or_empty,
    map_list_or_scalar_form,
    map_or_empty,
)


@dataclass(slots=True)
class FieldDifferences:
    """What differs between two values. Containers that appear or disappear count as paths too."""

    removed: FieldSet
    modified: FieldSet
    added: FieldSet


class _Walk:
    """Collects the paths of one comparison."""

    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.removed: list[tuple[Element, ...]] = []
        self.modified: list[tuple[Element, ...]] = []
        self.added: list[tuple[Element, ...]] = []


def compare_typed_values(kind: MergeType, left: JsonValue, right: JsonValue) -> FieldDifferences:
    """What a write that turns `left` into `right` removes, modifies and adds."""
    walk = _Walk()
    _compare(walk, kind, (), left, right)
    return FieldDifferences(FieldSet.of(walk.removed), FieldSet.of(walk.modified), FieldSet.of(walk.added))


def _compare(walk: _Walk, kind: MergeType, path: tuple[Element, ...], left: JsonValue, right: JsonValue) -> None:
    if left is right:
        return
    if (
        left is not ABSENT
        and right is not ABSENT
        and map_list_or_scalar_form(kind, left) != map_list_or_scalar_form(kind, right)
        and left is not None
    ):
        _compare_as(map_list_or_scalar_form(kind, left), walk, kind, path, left, right)
        _compare_as(map_list_or_scalar_form(kind, right), walk, kind, path, left, right)
        return
    _compare_as(map_list_or_scalar_form(kind, left if right is ABSENT else right), walk, kind, path, left, right)


def _compare_as(
    form: str, walk: _Walk, kind: MergeType, path: tuple[Element, ...], left: JsonValue, right: JsonValue
) -> None:
    if form == "map" and not kind.atomic and (map_or_empty(left) or map_or_empty(right)):
        _compare_maps(walk, kind, path, map_or_empty(left), map_or_empty(right))
    elif form == "list" and kind.list_kind != "atomic" and (list_or_empty(left) or list_or_empty(right)):
        _compare_lists(walk, kind, path, list_or_empty(left), list_or_empty(right))
    elif left is not ABSENT and right is not ABSENT:
        if not equal_json(left, right):
            walk.modified.append(path)
        return
    if left is ABSENT:
        walk.added.append(path)
    elif right is ABSENT:
        walk.removed.append(path)


def _compare_maps(walk: _Walk, kind: MergeType, path: tuple[Element, ...], left: JsonMap, right: JsonMap) -> None:
    for key in left.keys() | right.keys():
        below = kind.child(key)
        if below is not None:
            _compare(walk, below, (*path, key), left.get(key, ABSENT), right.get(key, ABSENT))


def _compare_lists(
    walk: _Walk, kind: MergeType, path: tuple[Element, ...], left: list[JsonValue], right: list[JsonValue]
) -> None:
    mine: dict[Element, list[JsonValue]] = {}
    theirs: dict[Element, list[JsonValue]] = {}
    for item in left:
        mine.setdefault(list_item_element(kind, item), []).append(item)
    for item in right:
        theirs.setdefault(list_item_element(kind, item), []).append(item)
    below = kind.items()
    for element in mine.keys() | theirs.keys():
        one, other = mine.get(element, []), theirs.get(element, [])
        here = (*path, element)
        if len(one) <= 1 and len(other) <= 1:
            _compare(walk, below, here, one[0] if one else ABSENT, other[0] if other else ABSENT)
        elif len(one) >= 2 and len(other) >= 2:
            if not equal_json(one, other):
                walk.modified.append(here)
        elif len(one) >= 2:
            if other:
                _compare(walk, below, here, ABSENT, other[0])
            walk.removed.append(here)
        else:
            if one:
                _compare(walk, below, here, one[0], ABSENT)
            walk.added.append(here)
