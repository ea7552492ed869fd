"""Moves ownership of fields to hwplan before an apply, so that this apply can also remove them. Pure.

Server-side apply removes a field only when its applier owned it and nobody else does. What `kubectl apply` (client
side) or a named tool owns, and what nobody owns (defaults of an earlier configuration), would stay for ever. After
client-go's util/csaupgrade: entries and single fields become part of our Apply entry in one JSON patch of managedFields
that carries the resourceVersion read, so that a race ends in a conflict; no value changes by it.
"""

from __future__ import annotations

from collections.abc import Iterable

from planner.dataclass import dataclass
from planner.field_path import FieldPath
from planner.plan import Change
from planner.values import JsonObject
from providers.cluster_interface import FIELD_MANAGER
from providers.kubernetes.ssa.field_set import FieldSet
from providers.kubernetes.ssa.ownership import STATUS

CLIENT_SIDE = frozenset({"kubectl-client-side-apply", "before-first-apply"})


@dataclass(frozen=True, slots=True)
class FieldOwnershipMoves:
    """What becomes ours before an apply.

    `client_side`: the entries of kubectl's client-side apply; `managers`: all entries of these field managers;
    `fields`: these paths and what others own below them, whether anybody owns them or not.
    """

    client_side: bool = False
    managers: frozenset[str] = frozenset()
    fields: tuple[FieldPath, ...] = ()

    def __bool__(self) -> bool:
        return self.client_side or bool(self.managers) or bool(self.fields)

    @classmethod
    def of(cls, change: Change) -> FieldOwnershipMoves:
        """The moves of a planned change."""
        return cls(change.migrate, frozenset(change.take_over), change.claims)


def has_client_side_apply_fields(live: JsonObject) -> bool:
    """Whether kubectl's client-side apply owns fields of the object."""
    return any(_is_client_side(entry) for entry in _entries(live))


def named_managers_owning_fields(live: JsonObject, names: Iterable[str]) -> tuple[str, ...]:
    """Which of the named field managers own fields of the object, sorted; ours left out; status does not count."""
    here = {
        str(entry.get("manager"))
        for entry in _entries(live)
        if entry.get("subresource") != STATUS and not _is_ours(entry)
    }
    return tuple(sorted(here.intersection(names)))


def object_with_migrated_ownership(live: JsonObject, moves: FieldOwnershipMoves) -> JsonObject:
    """The object as the patch will leave it: the moved fields in our Apply entry, nothing else changed."""
    entries = _entries(live)
    ours = next((entry for entry in entries if _is_ours(entry)), None)
    moved = [entry for entry in entries if entry is not ours and _moves_whole(entry, moves)]
    if not moved and not moves.fields:
        return live
    claimed = FieldSet.of(moves.fields)
    fields = claimed
    for entry in (*moved, *([ours] if ours else [])):
        fields |= FieldSet.parse(entry.get("fieldsV1") or {})
    rest = [entry for entry in entries if entry is not ours and entry not in moved]
    left: list[JsonObject] = []
    for entry in rest:
        owned = FieldSet.parse(entry.get("fieldsV1") or {})
        if not moves.fields or entry.get("subresource") == STATUS:
            left.append(entry)
        elif retained := owned.without(claimed):
            fields |= owned - retained
            left.append(entry if retained == owned else {**entry, "fieldsV1": retained.serialise()})
        else:
            fields |= owned
    merged: JsonObject = {**_base(live, ours, moved), "operation": "Apply", "fieldsV1": fields.serialise()}
    return {**live, "metadata": {**live["metadata"], "managedFields": [merged, *left]}}


def _base(live: JsonObject, ours: JsonObject | None, moved: list[JsonObject]) -> JsonObject:
    """What the entry says besides its fields: ours, else that of the latest entry that becomes ours."""
    if ours:
        return ours
    if not moved:
        return {"manager": FIELD_MANAGER, "apiVersion": live["apiVersion"], "fieldsType": "FieldsV1"}
    latest = max(moved, key=lambda entry: str(entry.get("time") or ""))
    plain = {key: value for key, value in latest.items() if key != "subresource"}
    return {**plain, "manager": FIELD_MANAGER}


def ownership_migration_patch(live: JsonObject, moves: FieldOwnershipMoves) -> tuple[JsonObject, ...]:
    """The JSON patch on managedFields that makes `live` into `object_with_migrated_ownership(live, moves)`; empty when
    there is nothing to move."""
    after = object_with_migrated_ownership(live, moves)
    if after is live or after["metadata"]["managedFields"] == _entries(live):
        return ()
    return (
        {"op": "replace", "path": "/metadata/managedFields", "value": after["metadata"]["managedFields"]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    )


def _entries(live: JsonObject) -> list[JsonObject]:
    entries: list[JsonObject] = live["metadata"].get("managedFields") or []
    return entries


def _moves_whole(entry: JsonObject, moves: FieldOwnershipMoves) -> bool:
    if entry.get("subresource") == STATUS:
        return False
    return (moves.client_side and _is_client_side(entry)) or entry.get("manager") in moves.managers


def _is_client_side(entry: JsonObject) -> bool:
    plain = entry.get("operation") == "Update" and not entry.get("subresource")
    return plain and entry.get("manager") in CLIENT_SIDE


def _is_ours(entry: JsonObject) -> bool:
    return entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource")
