"""The entries of `metadata.managedFields`: reading them, and writing them back as the server does.

An entry is known by manager, operation, subresource and, for Update only, apiVersion. Owns their order and the bound
of ten Update managers; decides no ownership.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from planner.dataclass import dataclass
from planner.values import JsonObject
from providers.kubernetes.ssa.field_set import FieldSet

APPLY, UPDATE = "Apply", "Update"
MAX_UPDATERS = 10  # apimachinery managedfields.DefaultMaxUpdateManagers
OLD_UPDATERS = "ancient-changes"

STRIPPED = FieldSet.of(
    [("apiVersion",), ("kind",), ("metadata",)]
    + [
        ("metadata", name)
        for name in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
        )
    ]
)


@dataclass(frozen=True, slots=True)
class ManagedFieldsEntryId:
    """The identity of an entry of managedFields: manager, operation, subresource and, for Update, apiVersion."""

    manager: str
    operation: str
    api_version: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class ManagedFieldsEntry:
    """One entry of managedFields: what one manager owns. `time` is RFC 3339 or "" (shared ownership that changed
    nothing has none)."""

    fields: FieldSet
    api_version: str
    time: str = ""


Managers: TypeAlias = dict[ManagedFieldsEntryId, ManagedFieldsEntry]


def managed_fields_entry_id(
    manager: str, operation: str, api_version: str, subresource: str = ""
) -> ManagedFieldsEntryId:
    """The identity of an entry of managedFields with these parts: appliers keep theirs over API versions."""
    return ManagedFieldsEntryId(manager, operation, "" if operation == APPLY else api_version, subresource)


def read_managers(document: JsonObject) -> Managers:
    """The managers of a live object. Raises ValueError when an entry cannot be read."""
    out: Managers = {}
    for entry in document.get("metadata", {}).get("managedFields") or ():
        api_version = entry["apiVersion"]
        identity = managed_fields_entry_id(
            entry.get("manager", ""), entry["operation"], api_version, entry.get("subresource", "")
        )
        out[identity] = ManagedFieldsEntry(
            FieldSet.parse(entry.get("fieldsV1") or {}), api_version, entry.get("time") or ""
        )
    return out


def write_managers(managers: Mapping[ManagedFieldsEntryId, ManagedFieldsEntry]) -> list[JsonObject]:
    """The entries in the server's order: appliers first, then by time, manager, version and subresource."""
    ordered = sorted(
        managers.items(),
        key=lambda pair: (
            pair[0].operation,
            pair[1].time,
            pair[0].manager,
            pair[1].api_version,
            pair[0].subresource,
        ),
    )
    return [_entry(identity, entry) for identity, entry in ordered]


def _entry(identity: ManagedFieldsEntryId, entry: ManagedFieldsEntry) -> JsonObject:
    out: JsonObject = {"manager": identity.manager} if identity.manager else {}
    out |= {"operation": identity.operation, "apiVersion": entry.api_version}
    if entry.time:
        out["time"] = entry.time
    out |= {"fieldsType": "FieldsV1", "fieldsV1": entry.fields.serialise()}
    if identity.subresource:
        out["subresource"] = identity.subresource
    return out


def strip_untracked_fields(managers: Managers, identity: ManagedFieldsEntryId) -> None:
    """Take what is never tracked (names, versions, times of the object) from one manager's entry."""
    entry = managers.get(identity)
    if entry is not None:
        fields = entry.fields - STRIPPED
        if fields:
            managers[identity] = replace(entry, fields=fields)
        else:
            del managers[identity]


def cap_update_managers(managers: Managers) -> None:
    """Fold the oldest Update managers into one until ten are left."""
    updaters = sorted(
        (identity for identity in managers if identity.operation == UPDATE),
        key=lambda identity: (managers[identity].time, identity.manager, identity.api_version, identity.subresource),
    )
    first: dict[str, ManagedFieldsEntryId] = {}
    left = len(updaters)
    for identity in updaters:
        if left <= MAX_UPDATERS:
            return
        entry = managers[identity]
        if entry.api_version not in first:
            first[entry.api_version] = identity
            continue
        bucket = ManagedFieldsEntryId(OLD_UPDATERS, UPDATE, entry.api_version)
        if bucket not in managers:
            managers[bucket] = managers.pop(first[entry.api_version])
        fields = entry.fields | managers[bucket].fields
        if identity != bucket:
            del managers[identity]
        managers[bucket] = ManagedFieldsEntry(fields, entry.api_version, entry.time)
        left -= 1
