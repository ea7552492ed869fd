"""From the inputs of a plan to a drift report: pure, and never stopped by a part that could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.address import Address, is_own_kind
from planner.drift import Acknowledged, Acknowledgement, DriftReport, Row, State
from planner.path import FieldPath
from planner.plan import FieldChange, FieldOp
from planner.planning.inputs import PlanInputs
from planner.ports import Absent, Effect, Present, Preview, Unreadable
from planner.snapshot import Record, Snapshot


def drift_report(
    inputs: PlanInputs, snapshot: Snapshot, acknowledgements: Sequence[Acknowledgement] = (), today: str = ""
) -> DriftReport:
    """Judge every declared resource against what lives, and against what `snapshot` says was applied.

    `today` (`YYYY-MM-DD`, UTC) tells which acknowledgements still hold.
    """
    valid = [one for one in acknowledgements if not one.is_expired(today)]
    expired = tuple(one for one in acknowledgements if one.is_expired(today))
    rows = tuple(_settled(_row(inputs, snapshot, address), valid) for address in inputs.graph.order())
    told = (f"{address}: {text}" for address, preview in inputs.previews.items() for text in preview.warnings)
    return DriftReport(inputs.selection, inputs.cluster, rows, tuple(sorted({*inputs.warnings, *told})), expired)


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
    if preview.lacks:
        return Row(address, State.PENDING, f"{preview.lacks[0]} is not there", resource.source)
    if preview.effect is Effect.RUN:
        return Row(address, *_of_a_run(preview), resource.source)
    record = snapshot.records.get(address)
    if isinstance(seen, Absent):
        return Row(address, *_of_what_is_gone(preview, record), resource.source)
    if is_own_kind(resource.api_version):
        return Row(address, *_of_own_kind(preview, record), resource.source, preview.fields)
    state, reason = _judge(seen, preview, resource.owned_by)
    undeclared = tuple(drift.field for drift in preview.drift if not drift.declared)
    return Row(address, state, reason, resource.source, preview.fields, undeclared)


def _of_a_run(preview: Preview) -> tuple[State, str]:
    """A run ends, and leaves nothing that could be deleted or changed: it is wanted, it waits for a change, or nobody
    can tell."""
    if preview.blocked:
        return State.INCOMPLETE, preview.blocked
    if preview.on_change is not None:
        return State.IN_SYNC, "runs after a change only"
    return State.PENDING, f"to be run{f': {preview.evidence}' if preview.evidence else ''}"


def _of_what_is_gone(preview: Preview, record: Record | None) -> tuple[State, str]:
    if preview.effect is Effect.NONE and not preview.blocked:
        return State.IN_SYNC, ""  # its provider wants it like that
    if record and not moved_on(preview, record):
        return State.DRIFTED, f"deleted since run {record.run}"
    return State.PENDING, _NEWER if record else "declared, never applied"


def _of_own_kind(preview: Preview, record: Record | None) -> tuple[State, str]:
    """No label and no manager tells whose it is. Somebody else changed it when it is to be as it was applied."""
    if preview.blocked:
        return State.INCOMPLETE, preview.blocked
    if preview.effect is Effect.NONE:
        return State.IN_SYNC, ""
    if record and preview.expects and not moved_on(preview, record):
        return State.DRIFTED, f"changed since run {record.run}"
    return State.PENDING, _NEWER


_NEWER = "the config, or what it follows, is newer than what was applied"


def moved_on(preview: Preview, record: Record) -> bool:
    """Whether a hwplan kind is to be another version than the one on record: then what differs is nobody's drift."""
    return is_own_kind(record.api_version) and bool(preview.expects) and preview.expects != record.expects


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
    foreign = undeclared or any(is_foreign(field) for field in preview.fields)
    return (State.BOTH if foreign else State.PENDING), "config is newer than what was applied"


def is_foreign(field: FieldChange) -> bool:
    """Whether somebody else set the value; a field that we only let go is nobody's drift."""
    return bool(field.manager) and field.op is not FieldOp.DISOWN


# --- what somebody accepts -----------------------------------------------------------------------------------------


def _settled(row: Row, acknowledgements: Sequence[Acknowledgement]) -> Row:
    """The row with what is acknowledged of it; its state is that of the rest."""
    if row.state not in (State.DRIFTED, State.BOTH):
        return row
    mine = [one for one in acknowledgements if row.address.matches(one.address)]
    paths = _drifted_paths(row)
    covered = tuple(Acknowledged(path, by) for path in paths if (by := _covering(path, mine)))
    if not covered:
        return row
    if len(covered) < len(paths):
        return replace(row, acknowledged=covered)
    rest = State.ACKNOWLEDGED if row.state is State.DRIFTED else State.PENDING
    return replace(row, state=rest, acknowledged=covered)


def _drifted_paths(row: Row) -> tuple[FieldPath, ...]:
    """What is drift of this row; the object itself when it is gone."""
    declared = [field for field in row.fields if row.state is State.DRIFTED or is_foreign(field)]
    paths = tuple(dict.fromkeys(field.path for field in (*declared, *row.undeclared)))
    return paths or ((),)


def _covering(path: FieldPath, acknowledgements: Sequence[Acknowledgement]) -> Acknowledgement | None:
    return next((one for one in acknowledgements if not one.fields or any(_covers(f, path) for f in one.fields)), None)


def _covers(outer: FieldPath, inner: FieldPath) -> bool:
    """Whether `inner` is `outer` or below it, as text: a path that was written down has lost its types."""
    return len(outer) <= len(inner) and [*map(str, outer)] == [*map(str, inner[: len(outer)])]
