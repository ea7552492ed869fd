"""From the inputs of a plan to a drift report: pure, and never stopped by a part that could not be read."""

from __future__ import annotations

from planner.address import Address
from planner.drift import DriftReport, Row, State
from planner.plan import FieldChange, FieldOp
from planner.planning.make import PlanInputs
from planner.ports import Absent, Effect, Present, Preview, Unreadable
from planner.snapshot import Snapshot


def drift_report(inputs: PlanInputs, snapshot: Snapshot) -> DriftReport:
    """Judge every declared resource against what lives, and against what `snapshot` says was applied."""
    rows = tuple(_row(inputs, snapshot, address) for address in inputs.graph.order())
    return DriftReport(inputs.selection, inputs.cluster, rows, inputs.warnings)


def _row(inputs: PlanInputs, snapshot: Snapshot, address: Address) -> Row:
    resource = inputs.resources[address]
    seen = inputs.observations.get(address, Absent(address))
    preview = inputs.previews.get(address)
    if reason := inputs.unsourced.get(address):
        return Row(address, State.INCOMPLETE, reason, resource.source)
    if isinstance(seen, Unreadable):
        return Row(address, State.INCOMPLETE, seen.reason, resource.source)
    if preview is None:
        return Row(address, State.INCOMPLETE, "not predicted", resource.source)
    if isinstance(seen, Absent):
        if record := snapshot.records.get(address):
            return Row(address, State.DRIFTED, f"deleted since run {record.run}", resource.source)
        return Row(address, State.PENDING, "declared, never applied", resource.source)
    state, reason = _judge(seen, preview, resource.owned_by)
    undeclared = tuple(drift.field for drift in preview.drift if not drift.declared)
    return Row(address, state, reason, resource.source, preview.fields, undeclared)


def _judge(seen: Present, preview: Preview, owned_by: str) -> tuple[State, str]:
    undeclared = any(not drift.declared for drift in preview.drift)
    if preview.blocked and not preview.fields:
        return State.INCOMPLETE, preview.blocked
    if preview.effect is Effect.NONE:
        return (State.DRIFTED, "fields that nobody declared") if undeclared else (State.IN_SYNC, "")
    if seen.owned_by != owned_by:
        return State.PENDING, "not adopted yet"
    if preview.drifted:
        return State.DRIFTED, ""
    foreign = undeclared or any(_is_foreign(field) for field in preview.fields)
    return (State.BOTH if foreign else State.PENDING), "config is newer than what was applied"


def _is_foreign(field: FieldChange) -> bool:
    """Whether somebody else set the value; a field that we only let go is nobody's drift."""
    return bool(field.manager) and field.op is not FieldOp.DISOWN
