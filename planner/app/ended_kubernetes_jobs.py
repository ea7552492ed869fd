"""Jobs that their controller deletes when they have ended (ttlSecondsAfterFinished): what the state says of them.

No object in the cluster tells that such a Job ran. The state does: it holds the digest of the applied document, and how
its change ended. Of a run that was killed it holds no end; then the Events of the Job controller tell. Where
nothing does, a new plan makes the Job anew and says so, and a run that is resumed does not. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.address import Address
from planner.app.session import Session
from planner.applied_state import AppliedState
from planner.events import ChangeResult
from planner.plan import Plan
from planner.planning import PlanInputs
from planner.ports import AbsentObject, Preview, PreviewEffect, Readiness, Written
from planner.resource import APPLIED
from planner.rfc3339 import parse_time
from planner.values import JsonObject
from providers.cluster_interface import Cluster
from providers.kubernetes.object_location import locate_object, served_kind
from providers.kubernetes.readiness import job_deletes_itself_when_ended
from providers.kubernetes.self_deleting_jobs import readiness_of_deleted_job_by_events
from state.runs import UnfinishedRun

if TYPE_CHECKING:
    from planner.executor import EarlierChangeResult

_DELETED = "and was deleted when it had ended (ttlSecondsAfterFinished)"
_WELL = frozenset((str(ChangeResult.DONE), str(ChangeResult.UNCHANGED)))


def without_rerun_of_ended_kubernetes_jobs(inputs: PlanInputs, snapshot: AppliedState, session: Session) -> PlanInputs:
    """The plan inputs with nothing to do for each Job that was applied as it is declared now, ended well, and is
    gone."""
    ended = {address: run for address in inputs.previews if (run := _ended_in(inputs, snapshot, address))}
    well = {address: run for address, run in ended.items() if _ended_well(session, run, address)}
    repeated = _repeated_jobs(inputs, well, session)
    if not well:
        return replace(inputs, warnings=(*inputs.warnings, *repeated)) if repeated else inputs
    previews = {**inputs.previews, **{address: Preview(PreviewEffect.NONE) for address in well}}
    told = tuple(
        f"{address}: ran in run {run} and deleted itself (ttlSecondsAfterFinished)" for address, run in well.items()
    )
    return replace(inputs, previews=previews, warnings=(*inputs.warnings, *told, *repeated))


def _repeated_jobs(inputs: PlanInputs, well: Collection[Address], session: Session) -> tuple[str, ...]:
    """A warning for each Job that this plan makes anew although an interrupted run has made it already."""
    found = {
        address: preview.desired
        for address, preview in inputs.previews.items()
        if address not in well
        and preview.effect is PreviewEffect.CREATE
        and job_deletes_itself_when_ended(preview.desired)
    }
    left = session.store.unfinished_run() if found else None
    if left is None:
        return ()
    out = []
    for address, desired in sorted(found.items()):
        assert desired is not None
        ended = _begun_job_end(address, inputs.resources[address].api_version, desired, left, session)
        if ended is not None:
            said = "it ended well and deleted itself" if ended.ok else ended.message
            out.append(
                f"{address}: made by run {left.info.number}, which was interrupted; {said}. This plan makes it anew, "
                "hwplan apply --resume does not"
            )
    return tuple(out)


def find_kubernetes_jobs_gone_since_interrupted_run(
    plan: Plan, left: UnfinishedRun, session: Session
) -> Mapping[Address, EarlierChangeResult]:
    """The Kubernetes Jobs that an interrupted run created and that are gone since, with how each ended. None of them
    runs twice."""
    from planner.executor import EarlierChangeResult  # no plan executes

    out: dict[Address, EarlierChangeResult] = {}
    for change in plan.changes:
        if change.desired is None or not change.precondition.absent:
            continue
        found = _begun_job_end(change.address, change.api_version, change.desired, left, session)
        if found is not None:
            written = Written(left.begun[change.address].uid, already=True, warnings=found.warnings)
            failure = "" if found.ok else _interrupted(left, found)
            out[change.address] = EarlierChangeResult(written, failure, _REMEDY if failure else "")
    return out


_REMEDY = "look at what it has done; a new plan makes it anew: hwplan plan, then apply"


def _interrupted(left: UnfinishedRun, found: Readiness) -> str:
    return f"made by run {left.info.number}, which was interrupted; {found.message}"


def _begun_job_end(
    address: Address, api_version: str, desired: JsonObject, left: UnfinishedRun, session: Session
) -> Readiness | None:
    """How a Job ended that a run had begun; None for anything that is there, or was never made."""
    begun = left.begun.get(address)
    if begun is None or not job_deletes_itself_when_ended(desired):
        return None
    cluster = session.world.cluster
    kind = served_kind(cluster, api_version, address.kind)
    if kind is None:
        return None
    spot = locate_object(kind, address, session.request.namespace)
    if cluster.get(*spot) is not None:
        return None
    since = begun.at if begun.uid else time_by_clock_of_cluster(begun.at, session.world.clock.now(), cluster)
    return readiness_of_deleted_job_by_events(
        cluster, spot.namespace, spot.name, uid=begun.uid, since=since, desired=desired
    )


def time_by_clock_of_cluster(at: str, now: str, cluster: Cluster) -> str:
    """A time of this machine's journal by the clock that writes Events: the two may be hours apart. `now` is the time
    here. Raises ProviderError where the cluster does not tell its time."""
    ours, then = parse_time(now), parse_time(at)
    if ours is None or then is None:
        return at
    return (then + (cluster.server_time() - ours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ended_in(inputs: PlanInputs, snapshot: AppliedState, address: Address) -> int:
    """The run that applied the very document that is declared; 0 for anything but a Job that is gone."""
    preview, record = inputs.previews[address], snapshot.records.get(address)
    if record is None or preview.effect is not PreviewEffect.CREATE or preview.blocked:
        return 0
    document = preview.desired if preview.desired is not None else inputs.resources[address].manifest
    gone = isinstance(inputs.observations.get(address, AbsentObject(address)), AbsentObject)
    return record.run if gone and job_deletes_itself_when_ended(document) and _stamp(document) == record.applied else 0


def _stamp(document: JsonObject) -> str:
    return str((document["metadata"].get("annotations") or {}).get(APPLIED, ""))


def _ended_well(session: Session, run: int, address: Address) -> bool:
    return any(node.address == address and node.result in _WELL for node in session.store.nodes(run))
