"""Taking back what a run did to one resource: from what it applied and the values before, to a document. Pure.

Knows no state and no cluster: planner.app.undo_plan reads both, and plans the documents as any others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from planner.dataclass import dataclass
from planner.document_editing import (
    insert_list_item,
    remove_field,
    remove_field_keeping_parent,
    replace_value,
    set_field,
    value_at,
)
from planner.field_path import FieldPath, ListItemPathElement, parse_path, render_path
from planner.plan import FieldOp
from planner.redaction.redactor import MASK
from planner.resource import APPLIED, SET_LABEL
from planner.values import Json, JsonObject, JsonValue, SealedSecret, decode_special_leaves, value_leaves

_OURS = frozenset({APPLIED, SET_LABEL})  # an adopted object stays ours


@dataclass(frozen=True, slots=True)
class FieldPreImage:
    """One field of an object as it was before a run, and what the run did to it. Of a secret, `value` is a
    fingerprint."""

    path: FieldPath
    op: FieldOp
    value: Json
    is_secret: bool = False


def parse_field_pre_image(row: JsonObject) -> FieldPreImage:
    """Make the FieldPreImage of a row of the state. Raises ValueError when the row is none."""
    secret = bool(row.get("sensitive"))
    return FieldPreImage(
        parse_path(str(row["path"])), FieldOp(row["op"]), decode_special_leaves(row.get("before")), secret
    )


def reversed_document(applied: JsonObject, before: Sequence[FieldPreImage]) -> JsonObject | None:
    """Make the document that undoes a run: `applied` with every field as it was before; None when a value before was a
    secret.

    Lists come before what is inside their items, because a position inside a changed item is that of before: items
    that were added go from the back to the front, items that went come back from the front to the back. Only then does
    a path name what it named in the document of before, so a change is judged when its turn has come. The order of a
    list is last: its items are known by what they hold.
    """
    fields = [one for one in before if not _OURS.intersection(map(str, one.path))]
    if any(_is_lost(one) for one in fields):
        return None
    document = _without_stamp(applied)
    orders: list[FieldPreImage] = []
    for one in sorted(fields, key=_turn):
        if _is_order(one, value_at(document, one.path)):
            orders.append(one)
        else:
            document = _taken_back(document, one)
    for one in orders:
        document = _reordered(document, one)
    return _without_empty_notes(document)


_Turn: TypeAlias = tuple[int, int, tuple[int, ...]]


def _turn(one: FieldPreImage) -> _Turn:
    """When a field has its turn: by depth, added items first and the last of them before the others."""
    positions = tuple(element if isinstance(element, int) else 0 for element in one.path)
    if one.op is FieldOp.ADD:
        return len(one.path), 0, tuple(-position for position in positions)
    return len(one.path), 1 if one.op is FieldOp.REMOVE else 2, positions


def _taken_back(document: JsonObject, one: FieldPreImage) -> JsonObject:
    match one.op:
        case FieldOp.ADD:
            return remove_field_keeping_parent(document, one.path)
        case FieldOp.REMOVE:
            return insert_list_item(document, one.path, one.value)
        case FieldOp.CHANGE:
            return set_field(document, one.path, one.value)
    return document


def _is_order(one: FieldPreImage, now: JsonValue) -> bool:
    """Whether a change is one of order alone: of a list that was there and is there, the names of its items as the
    differ gives them (planner.document_diff). An empty list has no order: it is a value."""
    names = one.value
    if one.op is not FieldOp.CHANGE or not isinstance(names, list) or not names:
        return False
    if not isinstance(now, list) or not all(isinstance(item, dict) for item in now):
        return False
    return all(isinstance(name, str) and name.startswith("[") and _item_of(name) is not None for name in names)


def _item_of(name: str) -> FieldPath | None:
    try:
        path = parse_path(f"items{name}")[1:]
    except ValueError:
        return None
    return path if len(path) == 1 and isinstance(path[0], ListItemPathElement) else None


def _reordered(document: JsonObject, one: FieldPreImage) -> JsonObject:
    items = value_at(document, one.path)
    if not isinstance(items, list) or not isinstance(one.value, list):
        return document
    wanted = [path for name in one.value if (path := _item_of(str(name))) is not None]
    first = [item for path in wanted if (item := value_at(items, path)) is not None]
    return replace_value(document, one.path, [*first, *(item for item in items if item not in first)])


def _is_lost(one: FieldPreImage) -> bool:
    """Whether the value before was a secret, or held one: the state has its fingerprint, or a mask."""
    sealed = any(isinstance(leaf, SealedSecret) for _, leaf in value_leaves(one.value))
    masked = MASK in render_path(one.path) or any(
        isinstance(leaf, str) and MASK in leaf for _, leaf in value_leaves(one.value)
    )
    return one.op in (FieldOp.CHANGE, FieldOp.REMOVE) and (one.is_secret or sealed or masked)


def _without_empty_notes(document: JsonObject) -> JsonObject:
    """Labels and annotations are reported one by one: that there were none before is no field of its own."""
    for path in (("metadata", "labels"), ("metadata", "annotations")):
        if value_at(document, path) == {}:
            document = remove_field(document, path)
    return document


def _without_stamp(document: JsonObject) -> JsonObject:
    return remove_field(document, ("metadata", "annotations", APPLIED))
