"""What this machine's memory adds for the reader of a plan: what was applied before and is gone, left, or declared
otherwise. Never part of the plan: it must not change its bytes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from planner.address import Address, is_hwplan_kind
from planner.applied_state import AppliedRecord, AppliedState
from planner.planning import PlanInputs, is_applied_version_outdated
from planner.ports import AbsentObject, Preview, PreviewEffect
from planner.resource import APPLIED
from planner.values import outputs_in_document


def remarks_from_state(
    inputs: PlanInputs, snapshot: AppliedState, declared: Collection[Address] = ()
) -> Mapping[Address, str]:
    """Remarks for the reader of a plan from what the state of this machine remembers. Never part of the plan: it
    must not change its bytes. `declared` are resources that this plan is not about, beside those of `inputs`."""
    records = snapshot.records
    gone = {
        address: f"applied by run {records[address].run}, gone since"
        for address, seen in inputs.observations.items()
        if isinstance(seen, AbsentObject)
        and address in records
        and not _is_declared_otherwise(inputs, records[address])
        and _is_gone(inputs.previews.get(address), records[address])
    }
    left = {
        address: f"applied by run {record.run}, no longer declared; it is left alone"
        for address, record in records.items()
        if is_hwplan_kind(record.api_version) and is_no_longer_declared(inputs, address, record.scope, declared)
    }
    other = {
        address: f"its declaration changed since run {records[address].run}"
        for address in inputs.resources
        if address in records
        and _is_declared_otherwise(inputs, records[address])
        and (isinstance(inputs.observations.get(address), AbsentObject) or not _stays(inputs.previews.get(address)))
    }
    return gone | left | other


def _is_declared_otherwise(inputs: PlanInputs, record: AppliedRecord) -> bool:
    """Whether a resource of another system is declared with other words than those of the run that the record is of:
    what it names now (the tag of an image) is another thing, and the one before is not gone."""
    resource = inputs.resources.get(record.address)
    if resource is None or not is_hwplan_kind(resource.api_version):
        return False
    return bool(resource.manifest["metadata"]["annotations"].get(APPLIED) != record.applied)


def _is_gone(preview: Preview | None, record: AppliedRecord) -> bool:
    """Whether what was applied is what is meant now, and is not there. A value that is still to come may name another
    thing: the ref of a commit that is not made yet."""
    if preview is None:
        return True
    to_come = any(outputs_in_document(one.after) for one in preview.fields)
    return _stays(preview) and not to_come and not is_applied_version_outdated(preview, record)


def _stays(preview: Preview | None) -> bool:
    """Whether what was done to a resource is something that stays, and could be gone: a run ends."""
    return preview is None or preview.effect not in (PreviewEffect.RUN, PreviewEffect.NONE)


def is_no_longer_declared(inputs: PlanInputs, address: Address, scope: str, declared: Collection[Address]) -> bool:
    """Whether a resource of another system belongs to what is planned here, and is not declared any more. Only objects
    of the cluster are pruned: a gate that is taken away would go unnoticed."""
    scopes = inputs.selection.scopes
    known = address in inputs.resources or address in declared
    return inputs.prune and not known and (not scopes or scope in scopes)
