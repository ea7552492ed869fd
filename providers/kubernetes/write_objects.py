"""Makes the effect of one change: reads, checks that the object still is the one that the plan saw, writes, compares.

Every write carries the uid and resourceVersion of the moment, so that nothing can slip in between check and write. A
change that an earlier, killed run already made is recognised by reading, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable

from planner.address import group_of_api_version
from planner.dataclass import dataclass
from planner.document_editing import value_at
from planner.errors import PermanentError, PreconditionError, TemporaryError
from planner.field_path import parse_path, path_covers, render_path
from planner.plan import Action, Change
from planner.ports import Fingerprinter, Written
from planner.resource import APPLIED, PROTECT, SET_LABEL
from planner.values import JsonObject, SecretValue, outputs_in_document
from providers.cluster_interface import FIELD_MANAGER, Cluster
from providers.kubernetes.applied_digest_annotation import complete_pending_applied_digest
from providers.kubernetes.errors import ApplyConflict, FieldConflict, ResourceVersionConflict
from providers.kubernetes.field_ownership_migration import FieldOwnershipMoves, ownership_migration_patch
from providers.kubernetes.object_location import ObjectLocation, is_crd, locate_object, served_kind
from providers.kubernetes.object_outputs import object_outputs
from providers.kubernetes.preview.field_takeover import taken_fields
from providers.kubernetes.preview.predict_apply import (
    CREATE_ONLY,
    digest_of_declared_fields,
    secret_stand_ins_for_cluster,
)
from providers.kubernetes.read_observations import digest_of_sealed_content, is_applied_by_our_manager
from providers.kubernetes.readiness import is_ready_when_written
from providers.kubernetes.secret_values_as_fingerprints import (
    document_with_secret_fingerprints,
    is_secret,
    reveal_secrets_in_document,
    seal_live_document,
    with_secret_stand_ins,
)
from providers.kubernetes.ssa.ownership import STATUS, apply_changes_nothing

TRIES = 5  # a controller that writes status all the time moves the version between read and write
_GONE_TRIES = 120
_GONE_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What writing needs. `look_up` gives secret values by reference, `sleep` lets time pass (seconds)."""

    cluster: Cluster
    fingerprinter: Fingerprinter
    default_namespace: str
    look_up: Callable[[str], SecretValue]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class ChangeWithReadObject:
    """One change and the object that it is about, as read last: sealed, and raw only for values that must be
    retained."""

    context: WriteContext
    change: Change
    location: ObjectLocation
    desired: JsonObject
    live: JsonObject | None
    raw: JsonObject | None

    def reread(self) -> ChangeWithReadObject:
        """The same work on the object as it is now."""
        raw = self.context.cluster.get(*self.location)
        live = None if raw is None else seal_live_document(raw, self.context.fingerprinter)
        return ChangeWithReadObject(self.context, self.change, self.location, self.desired, live, raw)


def apply_change(context: WriteContext, change: Change) -> Written:
    """Carry out one planned change of an object: create, update, replace, adopt (see planner.ports.Provider.apply).
    `context.look_up` reads the vault of this call."""
    assert change.desired is not None
    if outputs_in_document(change.desired):
        raise PermanentError("it uses an output that is not known", where=str(change.address), remedy="plan again")
    kind = context.cluster.kind(change.api_version, change.address.kind)
    if kind is None:
        context.cluster.forget()
        kind = context.cluster.kind(change.api_version, change.address.kind)
    if kind is None:
        raise TemporaryError("the cluster does not serve this kind (yet)", where=str(change.address))
    location = locate_object(kind, change.address, context.default_namespace)
    work = ChangeWithReadObject(context, change, location, complete_pending_applied_digest(change.desired), None, None)
    for attempt in range(TRIES):
        blind = attempt == 0 and change.precondition.absent  # create-only: no need to look first
        try:
            return _create(work) if blind else _attempt(work.reread())
        except ResourceVersionConflict:
            continue  # only its version moved, or the next look will say what else
        except ApplyConflict:
            if not blind:
                raise  # else something stands there: the next round looks at it
    raise TemporaryError("it changes faster than it can be written", where=str(change.address))


def _attempt(work: ChangeWithReadObject) -> Written:
    """One look and, if the world is as planned, one write."""
    change, live = work.change, work.live
    if live is None:
        if change.precondition.absent or change.action is Action.REPLACE:
            return _create(work)
        raise _moved(work, "it was deleted since the plan was made")
    if _is_planned(work):
        return _replace(work) if change.action is Action.REPLACE else _update(work)
    if _is_done(work):
        ready = is_ready_when_written(live)
        return Written(str(live["metadata"]["uid"]), object_outputs(live), already=True, ready=ready)
    if change.action is Action.REPLACE and _is_leaving(work):
        return _replace(work)
    if change.precondition.absent:
        raise _moved(work, "it was created since the plan was made")
    if live["metadata"]["uid"] != change.precondition.uid:
        raise _moved(work, "it was deleted and created anew since the plan was made")
    raise _moved(work, f"it was changed since the plan was made{_last_writer(live)}")


def _is_planned(work: ChangeWithReadObject) -> bool:
    assert work.live is not None
    wanted = work.change.precondition
    if wanted.absent or work.live["metadata"]["uid"] != wanted.uid:
        return False
    return digest_of_sealed_content(work.live, work.context.fingerprinter) == wanted.content


def refuse_unplanned_object(work: ChangeWithReadObject) -> None:
    """Raises PreconditionError when the live object is not as the plan saw it."""
    assert work.live is not None
    if not _is_planned(work):
        raise _moved(work, f"it was changed since the plan was made{_last_writer(work.live)}")


def _is_leaving(work: ChangeWithReadObject) -> bool:
    """Whether the object is the planned one, being deleted by the run that was killed."""
    assert work.live is not None
    metadata = work.live["metadata"]
    return bool(metadata.get("deletionTimestamp")) and metadata["uid"] == work.change.precondition.uid


def _is_done(work: ChangeWithReadObject) -> bool:
    """Whether the object is as the change would leave it, applied by us and on its way nowhere."""
    live, desired = work.live, work.desired
    assert live is not None
    metadata = live["metadata"]
    labels, wanted = metadata.get("labels") or {}, desired["metadata"].get("labels") or {}
    if (
        metadata.get("deletionTimestamp")
        or not is_applied_by_our_manager(live)
        or labels.get(SET_LABEL) != wanted.get(SET_LABEL)
    ):
        return False
    after = with_secret_stand_ins(live)
    if work.change.expects and digest_of_declared_fields(after, desired) == work.change.expects:
        return True
    stamps = [(doc["metadata"].get("annotations") or {}).get(APPLIED) for doc in (live, desired)]
    compare_leaves = is_secret(desired) or stamps[0] is None or stamps[0] != stamps[1]
    return apply_changes_nothing(
        after, with_secret_stand_ins(desired, live), manager=FIELD_MANAGER, compare_leaves=compare_leaves
    )


def _moved(work: ChangeWithReadObject, message: str) -> PreconditionError:
    return PreconditionError(message, where=str(work.change.address), remedy="plan again")


def _last_writer(live: JsonObject) -> str:
    entries = [
        e for e in live["metadata"].get("managedFields") or () if e.get("subresource") != STATUS and e.get("time")
    ]
    last = max(entries, key=lambda e: (str(e["time"]), e.get("manager") != FIELD_MANAGER), default=None)
    return f" (last written by {last.get('manager')}, {last['time']})" if last else ""


# --- the three ways to write ---------------------------------------------------------------------------------------


def _create(work: ChangeWithReadObject) -> Written:
    return _written(work, _send(work, {"resourceVersion": CREATE_ONLY}, force=False))


def _update(work: ChangeWithReadObject) -> Written:
    live, raw = work.live, work.raw
    assert live is not None and raw is not None
    metadata = live["metadata"]
    version = metadata["resourceVersion"]
    if moved := ownership_migration_patch(live, FieldOwnershipMoves.of(work.change)):
        kind, namespace, name = work.location
        answer = work.context.cluster.patch(kind, namespace, name, moved)
        version = answer["metadata"]["resourceVersion"]
    precondition = {"uid": metadata["uid"], "resourceVersion": version}
    if work.change.forced:
        _check_force(work, precondition)
    return _written(work, _send(work, precondition, force=bool(work.change.forced)))


def _replace(work: ChangeWithReadObject) -> Written:
    live = work.live
    assert live is not None
    _refuse_protected(work.change, live)
    metadata = live["metadata"]
    kind, namespace, name = work.location
    if not metadata.get("deletionTimestamp"):
        version = metadata["resourceVersion"]
        work.context.cluster.delete(kind, namespace, name, uid=metadata["uid"], resource_version=version)
    for _ in range(_GONE_TRIES):
        work = work.reread()
        if work.live is None:
            return _create(work)
        if work.live["metadata"]["uid"] != metadata["uid"]:
            return _attempt(work)
        work.context.sleep(_GONE_PAUSE)
    raise TemporaryError("it is not deleted yet", where=str(work.change.address), remedy="look at its finalizers")


def _check_force(work: ChangeWithReadObject, precondition: JsonObject) -> None:
    """Force takes every conflicting field: a dry run on this very version shows whether it takes only planned ones."""
    assert work.live is not None
    body = _with(with_secret_stand_ins(work.desired, work.live), precondition)
    if is_secret(body):
        return  # its values cannot be sent for a look; the content digest has vouched for what lives
    answer = work.context.cluster.apply(
        work.location.kind, secret_stand_ins_for_cluster(work.context.cluster, body), force=True, dry_run=True
    )
    allowed = [parse_path(render_path(path)) for path in work.change.forced]
    taken = taken_fields(work.live, answer)
    beyond = [
        item for item in taken if not any(path_covers(path, item.path) for path in (*allowed, *work.change.forced))
    ]
    if beyond:
        causes = tuple(FieldConflict(render_path(item.path), item.manager, "not in the plan") for item in beyond)
        raise ApplyConflict(causes, where=str(work.change.address))


def _send(work: ChangeWithReadObject, precondition: JsonObject, *, force: bool) -> JsonObject:
    """The write itself; the answer, sealed. The only call that carries secret values."""
    context = work.context
    body = reveal_secrets_in_document(work.desired, work.raw, context.look_up, context.fingerprinter)
    if context.cluster.simulated:
        body = document_with_secret_fingerprints(body, context.fingerprinter)
    answer = context.cluster.apply(work.location.kind, _with(body, precondition), force=force)
    if is_crd(answer):
        context.cluster.forget()
    return seal_live_document(answer, context.fingerprinter)


def _with(body: JsonObject, precondition: JsonObject) -> JsonObject:
    return {**body, "metadata": {**body["metadata"], **precondition}}


def _written(work: ChangeWithReadObject, answer: JsonObject) -> Written:
    """Hold the answer to what the plan predicted. Raises PermanentError naming the fields that differ."""
    expects = work.change.expects
    after = with_secret_stand_ins(answer)
    if expects and digest_of_declared_fields(after, work.desired) != expects:
        names = ", ".join(_differing(work.change, after)) or "fields that the plan predicted otherwise"
        raise PermanentError(f"the server changed {names}", where=str(work.change.address), remedy="plan again")
    warnings = work.context.cluster.drain_warnings(work.change.address.local)
    ready = is_ready_when_written(answer)
    return Written(str(answer["metadata"]["uid"]), object_outputs(answer), warnings=warnings, ready=ready)


def _differing(change: Change, after: JsonObject) -> list[str]:
    """Planned fields that are not as planned. Secrets are left out: their values are not compared here."""
    return sorted(
        render_path(item.path)
        for item in change.fields
        if not item.sensitive and item.after is not None and value_at(after, item.path) != item.after
    )


# --- deleting ------------------------------------------------------------------------------------------------------


def delete_object(context: WriteContext, change: Change) -> Written:
    """Delete the object of one planned change (see planner.ports.Provider.delete)."""
    kind = served_kind(context.cluster, change.api_version, change.address.kind)
    if kind is None:
        return Written(change.precondition.uid, already=True)  # without its kind no object of it can be there
    location = locate_object(kind, change.address, context.default_namespace)
    for _ in range(TRIES):
        work = ChangeWithReadObject(context, change, location, {}, None, None).reread()
        live = work.live
        if live is None or live["metadata"]["uid"] != change.precondition.uid:
            return Written(change.precondition.uid, already=True)
        if live["metadata"].get("deletionTimestamp"):
            return Written(change.precondition.uid, already=True)
        _refuse_protected(change, live)
        refuse_unplanned_object(work)
        version = live["metadata"]["resourceVersion"]
        try:
            context.cluster.delete(*location, uid=change.precondition.uid, resource_version=version)
        except ResourceVersionConflict:
            continue
        if (group_of_api_version(kind.api_version), kind.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
            context.cluster.forget()
        return Written(change.precondition.uid)
    raise TemporaryError("it changes faster than it can be deleted", where=str(change.address))


def _refuse_protected(change: Change, live: JsonObject) -> None:
    if (live["metadata"].get("annotations") or {}).get(PROTECT) == "true":
        remedy = f"remove the annotation {PROTECT} from it first"
        raise PermanentError("it is protected", where=str(change.address), remedy=remedy)
