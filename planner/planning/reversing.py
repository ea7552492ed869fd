"""Taking back what a run did to one resource: from what it applied and the values before, to a document. Pure.

Knows no state and no cluster: planner.app.undo reads both, and plans the documents as any others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.editing import with_field, without
from planner.path import FieldPath, parse
from planner.plan import FieldOp
from planner.resource import APPLIED, SET_LABEL
from planner.values import Json, JsonObject, Sealed, decode, leaves

_OURS = frozenset({APPLIED, SET_LABEL})  # an adopted object stays ours


@dataclass(frozen=True, slots=True)
class Before:
    """One field as it was before a run, and what the run did to it. Of a secret, `value` is a fingerprint."""

    path: FieldPath
    op: FieldOp
    value: Json
    is_secret: bool = False


def before_of(row: JsonObject) -> Before:
    """Read a pre-image as the state keeps it. Raises ValueError when it is none."""
    secret = bool(row.get("sensitive"))
    return Before(parse(str(row["path"])), FieldOp(row["op"]), decode(row.get("before")), secret)


def reversed_document(applied: JsonObject, before: Sequence[Before]) -> JsonObject | None:
    """What `applied` has to become so that every field is again as it was; None when a value before was a secret.

    Fields that were added go from the back to the front, so that positions in a list stay true; others come back in
    order.
    """
    fields = [one for one in before if not _OURS.intersection(map(str, one.path))]
    if any(_is_lost(one) for one in fields):
        return None
    document = _without_stamp(applied)
    for one in reversed(fields):
        if one.op is FieldOp.ADD:
            document = without(document, one.path)
    for one in fields:
        if one.op in (FieldOp.CHANGE, FieldOp.REMOVE):
            document = with_field(document, one.path, one.value)
    return document


def _is_lost(one: Before) -> bool:
    """Whether the value before was a secret: the state has its fingerprint only."""
    sealed = any(isinstance(leaf, Sealed) for _, leaf in leaves(one.value))
    return one.op in (FieldOp.CHANGE, FieldOp.REMOVE) and (one.is_secret or sealed)


def _without_stamp(document: JsonObject) -> JsonObject:
    return without(document, ("metadata", "annotations", APPLIED))
