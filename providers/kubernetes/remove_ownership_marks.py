"""Gives an object up without touching what it does: our label, our stamp and the fields that we own go, values stay.

As Kubernetes orphans a dependent by taking its ownerReferences off. Afterwards nobody owns the fields, so that another
set, or another tool, takes the object over without a conflict.
"""

from __future__ import annotations

from planner.errors import TemporaryError
from planner.plan import Change
from planner.ports import Written
from planner.resource import APPLIED, SET_LABEL
from planner.values import JsonObject
from providers.cluster_interface import FIELD_MANAGER
from providers.kubernetes.errors import ResourceVersionConflict
from providers.kubernetes.object_location import locate_object, served_kind
from providers.kubernetes.write_objects import TRIES, ChangeWithReadObject, WriteContext, refuse_unplanned_object

_MARKS = (("annotations", APPLIED), ("labels", SET_LABEL))


def remove_ownership_marks(context: WriteContext, change: Change) -> Written:
    """Take our marks off the object. Raises PreconditionError when it is not the one that the plan saw, and
    TemporaryError when it changes all the time. One that is gone, or carries no label of ours, is given up already."""
    uid = change.precondition.uid
    kind = served_kind(context.cluster, change.api_version, change.address.kind)
    if kind is None:
        return Written(uid, already=True)
    location = locate_object(kind, change.address, context.default_namespace)
    for _ in range(TRIES):
        work = ChangeWithReadObject(context, change, location, {}, None, None).reread()
        live = work.live
        if live is None or live["metadata"]["uid"] != uid or SET_LABEL not in (live["metadata"].get("labels") or {}):
            return Written(uid, already=True)
        refuse_unplanned_object(work)
        try:
            context.cluster.patch(*location, ownership_removal_patch(live))
        except ResourceVersionConflict:
            continue
        return Written(uid)
    raise TemporaryError("it changes faster than it can be written", where=str(change.address))


def ownership_removal_patch(live: JsonObject) -> tuple[JsonObject, ...]:
    """The JSON patch that takes our label, our annotations and our ownership of fields off `live`; it fits this uid and
    resourceVersion only."""
    metadata = live["metadata"]
    marks = [(where, name) for where, name in _MARKS if name in (metadata.get(where) or {})]
    return (
        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        *({"op": "remove", "path": f"/metadata/{where}/{name.replace('/', '~1')}"} for where, name in marks),
        {"op": "replace", "path": "/metadata/managedFields", "value": _others(metadata)},
    )


def _others(metadata: JsonObject) -> list[JsonObject]:
    """What others own. A list of one empty entry is how the API has all of it taken away; an empty list is ignored."""
    return [entry for entry in metadata.get("managedFields") or () if not _is_ours(entry)] or [{}]


def _is_ours(entry: JsonObject) -> bool:
    return entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply"
