"""Fields that an apply takes from other managers: read off the ownership before and after a forced dry run. Pure.

The server calls it a conflict whenever another manager owns a field whose *spelling* differs (`1000m` for the stored
`1`, a struct without its defaults). `same` distinguishes those where what is stored does not change:
nothing is lost then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from planner.document_editing import has_field, value_at
from planner.field_path import FieldPath, render_path
from planner.values import JsonObject
from providers.cluster_interface import FIELD_MANAGER
from providers.kubernetes.ssa.field_set import EMPTY, FieldSet
from providers.kubernetes.ssa.ownership import fields_applied_by
from providers.kubernetes.ssa.typed_values import equal_json


class TakenField(NamedTuple):
    """A field that another manager owns and that the apply would take. `same`: what is stored there stays as it is."""

    path: FieldPath
    manager: str
    time: str
    same: bool = False


def managed_fields_entries_of_others(document: JsonObject) -> list[JsonObject]:
    """The entries of managedFields of other managers than ours."""
    entries: list[JsonObject] = document["metadata"].get("managedFields") or []
    return [e for e in entries if not (e.get("manager") == FIELD_MANAGER and e.get("operation") == "Apply")]


def taken_fields(before: JsonObject, after: JsonObject) -> tuple[TakenField, ...]:
    """Fields that other managers owned before and we own after in their place: what a forced apply took.

    A field that is only removed is no conflict for the server, and is not among them.
    """
    left: dict[tuple[str, ...], FieldSet] = {}
    for entry in managed_fields_entries_of_others(after):
        left[_identity(entry)] = FieldSet.parse(entry.get("fieldsV1") or {})
    ours = fields_applied_by(after, FIELD_MANAGER)
    found: dict[FieldPath, TakenField] = {}
    for entry in managed_fields_entries_of_others(before):
        owned = FieldSet.parse(entry.get("fieldsV1") or {})
        for path in owned - left.get(_identity(entry), EMPTY):
            if path in ours or ours.holds_below(path):
                same = has_same_value(before, after, path, ours)
                found.setdefault(path, TakenField(path, entry.get("manager", ""), entry.get("time") or "", same))
    return _outermost(found.values())


def has_same_value(before: JsonObject, after: JsonObject, path: FieldPath, ours: FieldSet) -> bool:
    """Whether both documents, as stored, have the same value at a path, or both none.

    A map that was declared empty keeps its (no) value too when we, who own `ours`, only put entries into it.
    """
    if path not in ours and not has_field(before, path):
        return True
    if not has_field(before, path):
        return not has_field(after, path)
    return has_field(after, path) and equal_json(value_at(before, path), value_at(after, path))


def _identity(entry: JsonObject) -> tuple[str, ...]:
    operation = entry.get("operation", "")
    version = entry.get("apiVersion", "") if operation == "Update" else ""
    return (entry.get("manager", ""), operation, version, entry.get("subresource", ""))


def _outermost(taken: Iterable[TakenField]) -> tuple[TakenField, ...]:
    ordered = sorted(taken, key=lambda item: (len(item.path), render_path(item.path)))
    retained: list[TakenField] = []
    for item in ordered:
        if not any(item.path[: len(other.path)] == other.path for other in retained):
            retained.append(item)
    return tuple(sorted(retained, key=lambda item: render_path(item.path)))
