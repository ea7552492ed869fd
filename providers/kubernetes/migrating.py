"""Moves what `kubectl apply` (client side) owns to hwplan, so that a later apply can also remove fields. Pure.

After client-go's util/csaupgrade: the Update entries of kubectl become part of our Apply entry in one JSON patch that
carries the resourceVersion read, so that a race ends in a conflict.
"""

from __future__ import annotations

from planner.values import JsonObject
from providers.kubernetes.cluster import FIELD_MANAGER
from providers.kubernetes.ssa.fieldset import EMPTY, FieldSet

CLIENT_SIDE = frozenset({"kubectl-client-side-apply", "before-first-apply"})


def is_client_side(live: JsonObject) -> bool:
    """Whether kubectl's client-side apply owns fields of the object."""
    return any(_is_client_side(entry) for entry in _entries(live))


def migrated(live: JsonObject) -> JsonObject:
    """The object as the patch will leave it: kubectl's fields in our Apply entry, nothing else changed."""
    entries = _entries(live)
    moved = [entry for entry in entries if _is_client_side(entry)]
    if not moved:
        return live
    ours = next((entry for entry in entries if _is_ours(entry)), None)
    latest: JsonObject = max(moved, key=lambda entry: str(entry.get("time") or ""))
    base: JsonObject = ours or {**latest, "manager": FIELD_MANAGER}
    fields = EMPTY
    for entry in (*moved, *([ours] if ours else [])):
        fields |= FieldSet.parse(entry.get("fieldsV1") or {})
    merged: JsonObject = {**base, "operation": "Apply", "fieldsV1": fields.serialise()}
    rest = [entry for entry in entries if entry is not ours and not _is_client_side(entry)]
    return {**live, "metadata": {**live["metadata"], "managedFields": [merged, *rest]}}


def patch_of(live: JsonObject) -> tuple[JsonObject, ...]:
    """The JSON patch that makes `live` into `migrated(live)`."""
    return (
        {"op": "replace", "path": "/metadata/managedFields", "value": migrated(live)["metadata"]["managedFields"]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    )


def _entries(live: JsonObject) -> list[JsonObject]:
    entries: list[JsonObject] = live["metadata"].get("managedFields") or []
    return entries


def _is_client_side(entry: JsonObject) -> bool:
    plain = entry.get("operation") == "Update" and not entry.get("subresource")
    return plain and entry.get("manager") in CLIENT_SIDE


def _is_ours(entry: JsonObject) -> bool:
    return entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource")
