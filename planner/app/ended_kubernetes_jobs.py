"""Jobs that their controller deletes when they have ended (ttlSecondsAfterFinished): what the state says of them.

Nothing in the cluster tells that such a Job ran. The state does: it holds the digest of the document that was applied,
and how its change ended. Where the state has no such record, the Job is planned as a new one. Writes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from planner.address import Address
from planner.app.session import Session
from planner.applied_state import AppliedState
from planner.events import NodeResult
from planner.planning import PlanInputs
from planner.ports import Absent, Effect, Preview
from planner.resource import APPLIED
from planner.values import JsonObject
from providers.kubernetes.readiness import deletes_itself

_DELETED = "and was deleted when it had ended (ttlSecondsAfterFinished)"
_WELL = frozenset((str(NodeResult.DONE), str(NodeResult.UNCHANGED)))


def without_ended_jobs(inputs: PlanInputs, snapshot: AppliedState, session: Session) -> PlanInputs:
    """The inputs with nothing to do for each Job that was applied as it is declared now, ended well, and is gone."""
    ended = {address: run for address in inputs.previews if (run := _ended_in(inputs, snapshot, address))}
    well = {address: run for address, run in ended.items() if _ended_well(session, run, address)}
    if not well:
        return inputs
    previews = {**inputs.previews, **{address: Preview(Effect.NONE) for address in well}}
    told = tuple(
        f"{address}: ran in run {run} and deleted itself (ttlSecondsAfterFinished)" for address, run in well.items()
    )
    return replace(inputs, previews=previews, warnings=(*inputs.warnings, *told))


def _ended_in(inputs: PlanInputs, snapshot: AppliedState, address: Address) -> int:
    """The run that applied the very document that is declared; 0 for anything but a Job that is gone."""
    preview, record = inputs.previews[address], snapshot.records.get(address)
    if record is None or preview.effect is not Effect.CREATE or preview.blocked:
        return 0
    document = preview.desired if preview.desired is not None else inputs.resources[address].manifest
    gone = isinstance(inputs.observations.get(address, Absent(address)), Absent)
    return record.run if gone and deletes_itself(document) and _stamp(document) == record.applied else 0


def _stamp(document: JsonObject) -> str:
    return str((document["metadata"].get("annotations") or {}).get(APPLIED, ""))


def _ended_well(session: Session, run: int, address: Address) -> bool:
    return any(node.address == address and node.result in _WELL for node in session.store.nodes(run))
