"""Who owns which field of a live object. Reads managedFields only; decides no plan.

Whether an apply would do anything at all is decided by unchanged_apply.py, and is given on from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, overload

from planner.dataclass import dataclass
from planner.field_path import Element, FieldPath, ListItemPathElement, SetMemberPathElement
from planner.values import Json, JsonObject, JsonValue
from providers.kubernetes.ssa.field_set import EMPTY, FieldSet, parse_fields_v1_key
from providers.kubernetes.ssa.merge_types import MergeType, MergeTypeTable
from providers.kubernetes.ssa.typed_field_sets import declared_field_set
from providers.kubernetes.ssa.typed_values import list_item_element as item_element
from providers.kubernetes.ssa.unchanged_apply import (
    apply_changes_nothing,
    is_our_apply_entry,
    item_matches_keys,
    item_may_match_keys,
    parse_item_keys,
    tracked_metadata,
)

STATUS: Final = "status"  # the subresource whose writers report what is; those of all others set what is to be
_MISSING: Final[Json] = object()


__all__ = [
    "STATUS",
    "FieldOwner",
    "apply_changes_nothing",
    "declared_fields_taken_by_others",
    "fields_applied_by",
    "fields_owned_by_others",
    "owners_of_field",
    "project_fields",
]


@dataclass(frozen=True, slots=True)
class FieldOwner:
    """One entry of managedFields. `operation` is Apply or Update; `time` is RFC 3339 or ""."""

    manager: str
    operation: str
    time: str = ""
    subresource: str = ""


def _owner(entry: JsonObject) -> FieldOwner:
    return FieldOwner(
        entry.get("manager", ""), entry["operation"], entry.get("time") or "", entry.get("subresource", "")
    )


def _entries(live: JsonObject) -> list[JsonObject]:
    return list((live.get("metadata") or {}).get("managedFields") or ())


def owners_of_field(live: JsonObject, path: FieldPath) -> tuple[FieldOwner, ...]:
    """Every manager that owns this path or an atomic container around it, in managedFields order."""
    return tuple(_owner(entry) for entry in _entries(live) if _owns(entry.get("fieldsV1") or {}, path))


def _owns(node: JsonObject, path: FieldPath) -> bool:
    for position, element in enumerate(path):
        if not node:
            return position > 0
        below = node.get("f:" + element) if isinstance(element, str) else _below(node, element)
        if below is None:
            return False
        node = below
    return not node or "." in node


def _below(node: JsonObject, element: Element) -> JsonObject | None:
    """The node of a list element; an index stands for a keyed item or set member only if it is in the set itself."""
    for key, below in node.items():
        if key != "." and parse_fields_v1_key(key) == element:
            found: JsonObject = below
            return found
    return None


def fields_applied_by(live: JsonObject, manager: str) -> FieldSet:
    """What `manager` owns by Apply (main resource). Empty when it has no entry."""
    for entry in _entries(live):
        if is_our_apply_entry(entry, manager):
            return FieldSet.parse(entry.get("fieldsV1") or {})
    return EMPTY


def fields_owned_by_others(live: JsonObject, manager: str) -> tuple[tuple[FieldPath, JsonValue, FieldOwner], ...]:
    """Leaves that others own and `manager` does not: path, live value, owner. What was written through `status` is left
    out, and so are leaves that are owned but not there; what was written through `scale` is in `spec` like the rest."""
    ours = fields_applied_by(live, manager)
    out: list[tuple[FieldPath, JsonValue, FieldOwner]] = []
    for entry in _entries(live):
        if is_our_apply_entry(entry, manager) or entry.get("subresource") == STATUS:
            continue
        owner = _owner(entry)
        for path in FieldSet.parse(entry.get("fieldsV1") or {}).leaves():
            value = _value_at(live, path)
            if value is not _MISSING and not _covers(ours, path):
                out.append((path, value, owner))
    return tuple(out)


def _covers(fields: FieldSet, path: FieldPath) -> bool:
    """Whether a set holds this path, an atomic container around it, or something below it."""
    for element in path:
        below = fields.children.get(element)
        if below is None:
            return element in fields.members
        fields = below
    return True


def _value_at(document: JsonValue, path: FieldPath) -> JsonValue:
    for element in path:
        document = _step(document, element)
        if document is _MISSING:
            return _MISSING
    return document


def _step(value: JsonValue, element: Element) -> JsonValue:
    match element:
        case str():
            return value.get(element, _MISSING) if isinstance(value, dict) else _MISSING
        case int():
            return value[element] if isinstance(value, list) and element < len(value) else _MISSING
        case ListItemPathElement(keys):
            found = (item for item in value if item_matches_keys(keys, item)) if isinstance(value, list) else iter(())
            return next(found, _MISSING)
        case SetMemberPathElement(wanted):
            return wanted if isinstance(value, list) and wanted in value else _MISSING


def declared_fields_taken_by_others(
    live: JsonObject, desired: JsonObject, manager: str
) -> tuple[tuple[FieldPath, FieldOwner], ...]:
    """Declared leaves that `manager` does not own any more, with the other manager who took each. Fields that nobody
    owns (we never applied them) are none of these."""
    ours: JsonObject = {}
    others: list[tuple[FieldOwner, JsonObject]] = []
    for entry in _entries(live):
        if is_our_apply_entry(entry, manager):
            ours = entry.get("fieldsV1") or {}
        elif entry.get("subresource") != STATUS:
            others.append((_owner(entry), entry.get("fieldsV1") or {}))
    wanted = {key: value for key, value in desired.items() if key not in ("apiVersion", "kind")}
    metadata = wanted.get("metadata") or {}
    wanted["metadata"] = tracked_metadata(metadata)
    return tuple(_lost((), wanted, ours, others))


def _lost(
    path: FieldPath, want: JsonValue, ours: JsonObject | None, others: list[tuple[FieldOwner, JsonObject]]
) -> Iterator[tuple[FieldPath, FieldOwner]]:
    """`ours` is None where we own nothing at this place."""
    if not others:
        return
    leaf = [owner for owner, node in others if not node or set(node) == {"."}]
    below: list[tuple[str, Element, JsonValue]] = []
    if isinstance(want, dict):
        below = [("f:" + key, key, value) for key, value in want.items() if value is not None]
    elif isinstance(want, list):
        below = _keyed(want, [node for _, node in others])
    if leaf and path and (ours is None or not below):
        if ours is None:
            yield path, leaf[0]
        return
    for key, element, value in below:
        inner = [(owner, node[key]) for owner, node in others if key in node]
        mine = ours.get(key) if ours else None
        yield from _lost((*path, element), value, mine, inner)


def _keyed(want: list[JsonValue], nodes: list[JsonObject]) -> list[tuple[str, Element, JsonValue]]:
    """Declared items by the keys under which the other managers know them."""
    out: dict[str, tuple[str, Element, JsonValue]] = {}
    for node in nodes:
        for key in node:
            if key[:2] in ("k:", "v:") and key not in out:
                match = next((item for item in want if item_may_match_keys(parse_item_keys(key), item)), _MISSING)
                element = parse_fields_v1_key(key)
                if match is not _MISSING and element is not None:
                    out[key] = (key, element, match)
    return list(out.values())


def project_fields(document: JsonObject, retained: JsonObject | FieldSet, types: MergeTypeTable) -> JsonObject:
    """The part of `document` at the fields of `retained` (a desired object, or a set of fields). Items of keyed lists
    keep their key fields; a map of which only the map itself is retained is `{}`."""
    kind = types.type_of(str(document["apiVersion"]), str(document["kind"]))
    fields = retained if isinstance(retained, FieldSet) else declared_field_set(kind, retained)
    return _project(kind, document, fields)


@overload
def _project(kind: MergeType | None, value: JsonObject, fields: FieldSet) -> JsonObject: ...
@overload
def _project(kind: MergeType | None, value: JsonValue, fields: FieldSet) -> JsonValue: ...
def _project(kind: MergeType | None, value: JsonValue, fields: FieldSet) -> JsonValue:
    if kind is None:
        return value
    if isinstance(value, dict) and not kind.atomic:
        out = {}
        for key, item in value.items():
            if key in fields.members or key in fields.children:
                out[key] = _project(kind.child(key), item, fields.below(key))
        return out
    if isinstance(value, list) and kind.list_kind not in ("atomic", ""):
        return [item for item in _items(kind, value, fields) if item is not _MISSING]
    return value


def _items(kind: MergeType, value: list[JsonValue], fields: FieldSet) -> Iterator[JsonValue]:
    for item in value:
        element = item_element(kind, item)
        if element in fields.members or element in fields.children:
            retained = _project(kind.items(), item, fields.below(element))
            if isinstance(retained, dict) and isinstance(item, dict):
                retained = {name: item[name] for name in kind.keys if name in item} | retained
            yield retained
