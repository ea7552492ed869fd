"""Values walked together with their types: merge, comparison, removal, and the fields that a value has.

The operations of structured-merge-diff (v6) on plain documents. Owns no manager and no conflict. Inputs are never
changed, results may share parts with them. `ABSENT` is "not there", which is not null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, overload

from planner.errors import PermanentError
from planner.field_path import Element, ListItem, SetMemberPathElement
from planner.values import Json, JsonMap, JsonObject, JsonValue
from providers.kubernetes.ssa.fieldset import EMPTY, FieldSet
from providers.kubernetes.ssa.merge_types import MergeType

ABSENT: Final[Any] = object()


def merge_form_of_value(kind: MergeType, value: JsonValue) -> str:
    """How a value is handled: `map`, `list` or `scalar`. Null takes the first form that the type has."""
    if isinstance(value, dict):
        if kind.is_map:
            return "map"
    elif isinstance(value, list):
        if kind.list_kind:
            return "list"
    elif value is not None and value is not ABSENT and kind.scalar:
        return "scalar"
    return "map" if kind.is_map else "scalar" if kind.scalar else "list"


def list_item_element(kind: MergeType, value: Json) -> Element:
    """The path element of an item of a keyed list or set. Raises PermanentError when it has none."""
    if kind.list_kind == "set":
        if value is None or isinstance(value, (dict, list)):
            raise PermanentError("associative list without keys has an element that's a map type")
        return SetMemberPathElement(value)
    if not isinstance(value, dict):
        raise PermanentError("associative list with keys may not have non-map elements")
    keys = []
    for name in kind.keys:
        found = value[name] if name in value else kind.key_defaults.get(name, kind.items().default(name))
        if isinstance(found, (dict, list)):
            raise PermanentError(f"associative list with keys has an element whose key field {name!r} is no scalar")
        if name in value or found is not None:
            keys.append((name, found))
    if not keys:
        raise PermanentError(f"associative list with keys has an element that omits all key fields {list(kind.keys)}")
    return ListItem(tuple(sorted(keys)))


def equal_json(left: JsonValue, right: JsonValue, *, numbers_too: bool = False) -> bool:
    """Equality of JSON values: true is not 1, but 1 is 1.0 (unless `numbers_too`)."""
    if isinstance(left, dict):
        if not isinstance(right, dict) or left.keys() != right.keys():
            return False
        return all(equal_json(value, right[key], numbers_too=numbers_too) for key, value in left.items())
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        return all(equal_json(one, other, numbers_too=numbers_too) for one, other in zip(left, right, strict=True))
    if numbers_too and isinstance(left, float) is not isinstance(right, float):
        return False
    return bool(left == right) and isinstance(left, bool) is isinstance(right, bool)


@overload
def merge_typed(kind: MergeType, left: JsonObject, right: JsonObject) -> JsonObject: ...
@overload
def merge_typed(kind: MergeType, left: JsonValue, right: JsonValue) -> JsonValue: ...
def merge_typed(kind: MergeType, left: JsonValue, right: JsonValue) -> JsonValue:
    """`right` merged onto `left`; where both have a leaf, the right one wins."""
    if right is ABSENT:
        return left
    if left is ABSENT:
        return right
    form = merge_form_of_value(kind, right)
    if form == "map" and not kind.atomic:
        mine, theirs = _mapping(left), _mapping(right)
        if mine or theirs:
            return _merge_maps(kind, mine, theirs)
    elif form == "list" and kind.list_kind != "atomic":
        items, others = _listing(left), _listing(right)
        if items or others:
            return _merge_lists(kind, items, others)
    return right


def _mapping(value: JsonValue) -> JsonMap:
    return value if isinstance(value, dict) else {}


def _listing(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _merge_maps(kind: MergeType, left: JsonMap, right: JsonMap) -> JsonValue:
    out = dict(left)
    for key, value in right.items():
        if key in left:
            below = kind.child(key)
            merged = value if below is None else merge_typed(below, left[key], value)
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
                out.append(merge_typed(items, mine.get(element, ABSENT), theirs[element]))
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
            out.append(merge_typed(items, mine.get(element, ABSENT), theirs[element]))
            j += 1
            if wanted < len(shared) and shared[wanted] == element:
                wanted += 1
    retained = [item for item in out if item is not ABSENT]
    return retained or ABSENT


def declared_field_set(kind: MergeType, value: JsonValue) -> FieldSet:
    """The fields that an applied value declares: every leaf, list item, free map key and empty map."""
    form = merge_form_of_value(kind, value)
    members: set[Element] = set()
    children: dict[Element, FieldSet] = {}
    if form == "map":
        for key, item in _mapping(value).items():
            below = kind.child(key)
            if below is None:
                continue
            itself, inner = _fields_below(below, item)
            if inner:
                children[key] = inner
            if itself or item is None or item == {} or key not in kind.names:
                members.add(key)
    else:
        _list_fields(kind, _listing(value), members, children)
    return FieldSet(members, children)


def _fields_below(kind: MergeType, value: JsonValue) -> tuple[bool, FieldSet]:
    """Whether the value is a leaf, and the fields below it if not."""
    form = merge_form_of_value(kind, value)
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


def compare_typed(kind: MergeType, left: JsonValue, right: JsonValue) -> FieldDifferences:
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
        and merge_form_of_value(kind, left) != merge_form_of_value(kind, right)
        and left is not None
    ):
        _compare_as(merge_form_of_value(kind, left), walk, kind, path, left, right)
        _compare_as(merge_form_of_value(kind, right), walk, kind, path, left, right)
        return
    _compare_as(merge_form_of_value(kind, left if right is ABSENT else right), walk, kind, path, left, right)


def _compare_as(
    form: str, walk: _Walk, kind: MergeType, path: tuple[Element, ...], left: JsonValue, right: JsonValue
) -> None:
    if form == "map" and not kind.atomic and (_mapping(left) or _mapping(right)):
        _compare_maps(walk, kind, path, _mapping(left), _mapping(right))
    elif form == "list" and kind.list_kind != "atomic" and (_listing(left) or _listing(right)):
        _compare_lists(walk, kind, path, _listing(left), _listing(right))
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


@overload
def remove_fields(kind: MergeType, value: JsonObject, taken: FieldSet) -> JsonObject: ...
@overload
def remove_fields(kind: MergeType, value: JsonValue, taken: FieldSet) -> JsonValue: ...
def remove_fields(kind: MergeType, value: JsonValue, taken: FieldSet) -> JsonValue:
    """`value` without the fields of `taken`. Containers that lose everything become null, as the server makes them;
    atomic ones go whole when anything inside them is taken."""
    form = merge_form_of_value(kind, value)
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
        elif kind is not None and isinstance(element, ListItem) and kind.list_kind:
            below = kind.items()
        children[element] = with_parent_fields(below, child)
    return FieldSet(members, children)
