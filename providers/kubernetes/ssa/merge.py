"""What the API server stores when somebody writes an object: `apply` and `update`. Pure; talks to no server.

Follows the field managers of apimachinery 1.36 step by step: typed merge, conflicts by value, pruning of what we do not
declare any more, other owners, entry times. What a local merge cannot know is said in `ApplyOutcome.unsure`.
"""

from __future__ import annotations

from dataclasses import replace

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.field_path import Element, FieldPath
from planner.values import JsonObject
from providers.kubernetes.ssa.admission_additions import admission_uncertainties
from providers.kubernetes.ssa.canonical_document import comparable_document
from providers.kubernetes.ssa.field_set import EMPTY, FieldSet
from providers.kubernetes.ssa.managed_fields import (
    APPLY,
    UPDATE,
    ManagedFieldsEntry,
    ManagedFieldsEntryId,
    Managers,
    cap_update_managers,
    managed_fields_entry_id,
    read_managers,
    strip_untracked_fields,
)
from providers.kubernetes.ssa.merge_types import MergeType, MergeTypeTable
from providers.kubernetes.ssa.stored_document import (
    KindWithMergeType,
    decode_document_as_server,
    merged_document_as_stored,
    stored_document,
    without_managed_fields,
)
from providers.kubernetes.ssa.stored_nulls import without_dropped_nulls
from providers.kubernetes.ssa.typed_comparison import FieldDifferences, compare_typed_values
from providers.kubernetes.ssa.typed_field_sets import declared_field_set, remove_fields, with_parent_fields
from providers.kubernetes.ssa.typed_merge import merge_typed_values
from providers.kubernetes.ssa.typed_values import ABSENT, equal_json
from providers.kubernetes.ssa.validate_object import object_validation_errors

__all__ = ["ApplyOutcome", "MergeConflict", "comparable_document", "merge_plain_update", "merge_server_side_apply"]

_STATUS = FieldSet.of([("status",)])
_CURRENT = ManagedFieldsEntryId("current-operation", "")  # the writer of an update until its entry is settled


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """One field that another manager owns with another value. `operation` is Apply or Update; `time` may be empty."""

    path: FieldPath
    manager: str
    operation: str = "Update"
    time: str = ""
    subresource: str = ""
    api_version: str = ""


@dataclass(frozen=True, slots=True)
class ApplyOutcome:
    """The outcome of an apply. `object` is what the server would store (without what only it can know); with
    `conflicts` nothing would be stored and `object` is what `force` would give. `unsure` are reasons why the local
    answer may differ from the server's."""

    object: JsonObject
    conflicts: tuple[MergeConflict, ...] = ()
    unsure: tuple[str, ...] = ()


def merge_server_side_apply(
    live: JsonObject | None,
    desired: JsonObject,
    *,
    manager: str,
    types: MergeTypeTable,
    force: bool = False,
    now: str,
) -> ApplyOutcome:
    """Server-side apply of `desired` by `manager` onto `live` (None: create). `now` is RFC 3339 UTC, seconds.

    A write that changes nothing gives an object equal to `live`, times included. Nulls in `desired` that the server
    would drop count as not there. Raises planner.errors.PermanentError where the server would refuse to build a typed
    object (unknown field, wrong type, duplicate key).
    """
    kind = KindWithMergeType.of(desired, types)
    wanted = without_dropped_nulls(kind.type, desired)
    _refuse(desired, types)
    base = kind.empty() if live is None else live
    managers = read_managers(base)
    unsure = _versions(kind, managers)
    if live is not None and not managers:
        managers = _before_first_apply(kind, live, now)
    identity = managed_fields_entry_id(manager, APPLY, kind.api_version)
    last = managers.get(identity)
    conflicts, merged = _applied(kind, base, wanted, managers, identity)
    changed = not equal_json(merged, base)
    strip_untracked_fields(managers, identity)
    if changed and identity in managers:
        managers[identity] = replace(managers[identity], time=now)
    elif last is not None and identity in managers:
        managers[identity] = replace(managers[identity], time=last.time)
    stored = merged_document_as_stored(kind, live, merged, managers)
    unsure += admission_uncertainties(live, stored)
    return ApplyOutcome(stored, () if force else conflicts, unsure)


def _refuse(wanted: JsonObject, types: MergeTypeTable) -> None:
    wrong = [(path, message) for path, message in object_validation_errors(wanted, types, only_shape=True)]
    if wrong:
        raise PermanentError(f"failed to create typed patch object: {wrong[0][1]}", remedy="correct the manifest")


def _versions(kind: KindWithMergeType, managers: Managers) -> tuple[str, ...]:
    """Entries of other API versions: only conversions by version alone can be followed locally."""
    known = kind.table.versions(kind.api_version, kind.kind)
    others = sorted({entry.api_version for entry in managers.values()} - known)
    return tuple(f"fields are managed at {version} as well: only the server can convert them" for version in others)


def _before_first_apply(kind: KindWithMergeType, live: JsonObject, now: str) -> Managers:
    """Everything of an object that nobody manages belongs to one Update manager before the first apply."""
    managers: Managers = {}
    _settle_update(kind, kind.empty(), live, managers, "before-first-apply", "", now)
    return managers


def _applied(
    kind: KindWithMergeType, live: JsonObject, wanted: JsonObject, managers: Managers, identity: ManagedFieldsEntryId
) -> tuple[tuple[MergeConflict, ...], JsonObject]:
    """Merge, prune, and take from others what changed. Fills `managers` as a forced apply would."""
    last = managers.get(identity)
    merged = merge_typed_values(kind.type, live, wanted)
    fields = declared_field_set(kind.type, wanted)
    managers[identity] = ManagedFieldsEntry(fields.without(_STATUS) if kind.status else fields, kind.api_version)
    if last is not None and last.fields:
        merged = _prune(kind.type, merged, managers, last.fields)
    difference = _ignoring(kind, compare_typed_values(kind.type, live, merged))
    conflicts = _take(managers, identity, difference)
    return conflicts, merged


def _prune(kind: MergeType, merged: JsonObject, managers: Managers, last: FieldSet) -> JsonObject:
    """Remove what we applied last time and nobody declares or owns now (structured-merge-diff `prune`)."""
    last = with_parent_fields(kind, last)
    pruned = remove_fields(kind, merged, last)
    owned = EMPTY
    for entry in managers.values():
        owned = owned | entry.fields
    whole = with_parent_fields(kind, declared_field_set(kind, merged))
    left = with_parent_fields(kind, declared_field_set(kind, pruned))
    pruned = remove_fields(kind, merged, whole - (left | with_parent_fields(kind, owned)))
    left = with_parent_fields(kind, declared_field_set(kind, pruned))
    return remove_fields(kind, merged, (whole - left) & last)


def _ignoring(kind: KindWithMergeType, difference: FieldDifferences, subresource: str = "") -> FieldDifferences:
    """Fields that this endpoint does not write count for nobody."""
    if not kind.status:
        return difference
    parts = (difference.removed, difference.modified, difference.added)
    if subresource == "status":
        return FieldDifferences(*(_only_status(part) for part in parts))
    return FieldDifferences(*(part.without(_STATUS) for part in parts))


def _only_status(fields: FieldSet) -> FieldSet:
    children: dict[Element, FieldSet] = {}
    if "status" in fields.children:
        children["status"] = fields.children["status"]
    return FieldSet(fields.members & {"status"}, children)


def _take(
    managers: Managers, identity: ManagedFieldsEntryId, difference: FieldDifferences
) -> tuple[MergeConflict, ...]:
    """Take changed and removed fields from every other manager; the changed ones are the conflicts."""
    conflicts: list[MergeConflict] = []
    written = difference.modified | difference.added
    for other, entry in list(managers.items()):
        if other == identity:
            continue
        lost = entry.fields & written
        conflicts += [
            MergeConflict(path, other.manager, other.operation, entry.time, other.subresource, entry.api_version)
            for path in lost
        ]
        managers[other] = replace(entry, fields=entry.fields - lost - difference.removed)
    for other in [other for other, entry in managers.items() if not entry.fields]:
        del managers[other]
    return tuple(sorted(conflicts, key=lambda conflict: (conflict.manager, conflict.operation)))


def merge_plain_update(
    live: JsonObject | None,
    new: JsonObject,
    *,
    manager: str,
    types: MergeTypeTable,
    now: str,
    subresource: str = "",
) -> JsonObject:
    """A plain write (PUT/PATCH/POST) by `manager`: `new` as the server would store it, managedFields included."""
    kind = KindWithMergeType.of(new, types)
    base = kind.empty() if live is None else live
    given = without_managed_fields(new)
    if live is not None:
        retained = {k: live["metadata"][k] for k in _SERVER_KEPT if k in live.get("metadata", {})}
        given = given | {"metadata": {**retained, **given["metadata"]}}
    decoded = decode_document_as_server(kind, given)
    if subresource == "status":
        decoded = {**base, "status": decoded.get("status", ABSENT)}
        decoded = without_managed_fields({k: v for k, v in decoded.items() if v is not ABSENT})
    managers = read_managers(new) or read_managers(base)
    if managers or live is None:
        _settle_update(kind, without_managed_fields(base), decoded, managers, manager, subresource, now)
    return stored_document(kind, live, decoded, managers, keep_status=subresource != "status")


_SERVER_KEPT = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "name",
    "namespace",
)


def _settle_update(
    kind: KindWithMergeType,
    live: JsonObject,
    new: JsonObject,
    managers: Managers,
    manager: str,
    subresource: str,
    now: str,
) -> None:
    """Give what a plain write changed to its manager, and take it from the others."""
    difference = _ignoring(kind, compare_typed_values(kind.type, live, new), subresource)
    _take(managers, _CURRENT, difference)
    taken = difference.modified | difference.added
    managers[_CURRENT] = ManagedFieldsEntry(taken, kind.api_version)
    strip_untracked_fields(managers, _CURRENT)
    current = managers.pop(_CURRENT, None)
    if current is not None and current.fields:
        identity = managed_fields_entry_id(manager, UPDATE, kind.api_version, subresource)
        previous = managers.get(identity)
        fields = current.fields if previous is None else current.fields | previous.fields
        managers[identity] = ManagedFieldsEntry(fields, kind.api_version, now)
    cap_update_managers(managers)
