"""From the inputs of a plan to a drift report: pure, and never stopped by a part that could not be read."""

from __future__ import annotations

from collections.abc import Sequence

from planner.address import Address, is_hwplan_kind
from planner.applied_state import AppliedRecord, AppliedState
from planner.drift import DriftAcknowledgement, DriftIgnoreRule, DriftReport, DriftState, ObjectDrift
from planner.field_path import FieldPath
from planner.planning.acknowledged_and_ignored_drift import is_value_set_by_others, mark_acknowledged_and_ignored_drift
from planner.planning.autoscaled_objects import mark_autoscaled_replicas_harmless
from planner.planning.plan_inputs import PlanInputs
from planner.ports import AbsentObject, PresentObject, Preview, PreviewEffect, UnreadableObject


def drift_report(
    inputs: PlanInputs,
    snapshot: AppliedState,
    acknowledgements: Sequence[DriftAcknowledgement] = (),
    today: str = "",
    rules: Sequence[DriftIgnoreRule] = (),
) -> DriftReport:
    """Judge every declared resource against what lives, and against what `snapshot` says was applied.

    `today` (`YYYY-MM-DD`, UTC) says which acknowledgements still hold; `rules` ignore fields for good.
    """
    valid = [one for one in acknowledgements if not one.is_expired(today)]
    expired = tuple(one for one in acknowledgements if one.is_expired(today))
    rows = tuple(
        mark_acknowledged_and_ignored_drift(_row(inputs, snapshot, address), valid, rules, _harmless(inputs, address))
        for address in inputs.graph.order()
    )
    reported = (f"{address}: {text}" for address, preview in inputs.previews.items() for text in preview.warnings)
    unready = (f"{address}: not ready: {one.awaiting}" for address, one in inputs.previews.items() if one.awaiting)
    warnings = tuple(sorted({*inputs.warnings, *reported, *unready}))
    return DriftReport(inputs.selection, inputs.cluster, rows, warnings, expired)


def _row(inputs: PlanInputs, snapshot: AppliedState, address: Address) -> ObjectDrift:
    resource = inputs.resources[address]
    seen = inputs.observations.get(address, AbsentObject(address))
    preview = inputs.previews.get(address)
    if reason := inputs.unsourced.get(address):
        return ObjectDrift(address, DriftState.INCOMPLETE, reason, resource.source)
    if isinstance(seen, UnreadableObject):
        return ObjectDrift(address, DriftState.INCOMPLETE, seen.reason, resource.source)
    if preview is None:
        return ObjectDrift(address, DriftState.INCOMPLETE, "not predicted", resource.source)
    if preview.lacks:
        return ObjectDrift(address, DriftState.PENDING, f"{preview.lacks[0]} is not there", resource.source)
    if preview.effect is PreviewEffect.RUN:
        return ObjectDrift(address, *_of_a_run(preview), resource.source)
    record = snapshot.records.get(address)
    if isinstance(seen, AbsentObject):
        return ObjectDrift(address, *_of_what_is_gone(preview, record), resource.source)
    if is_hwplan_kind(resource.api_version):
        return ObjectDrift(address, *_of_own_kind(preview, record), resource.source, preview.fields)
    state, reason = _judge(seen, preview, resource.owned_by)
    undeclared = tuple(drift.field for drift in preview.drift if not drift.declared)
    return ObjectDrift(address, state, reason, resource.source, preview.fields, undeclared)


def _harmless(inputs: PlanInputs, address: Address) -> dict[FieldPath, str]:
    preview = inputs.previews.get(address)
    drift = mark_autoscaled_replicas_harmless(preview.drift, inputs) if preview else ()
    return {one.field.path: one.harmless for one in drift if one.harmless}


def _of_a_run(preview: Preview) -> tuple[DriftState, str]:
    """A run ends, and leaves nothing that could be deleted or changed: it is wanted, it waits for a change, or nobody
    can determine."""
    if preview.blocked:
        return DriftState.INCOMPLETE, preview.blocked
    if preview.on_change is not None:
        return DriftState.IN_SYNC, "runs after a change only"
    return DriftState.PENDING, f"to be run{f': {preview.evidence}' if preview.evidence else ''}"


def _of_what_is_gone(preview: Preview, record: AppliedRecord | None) -> tuple[DriftState, str]:
    if preview.effect is PreviewEffect.NONE and not preview.blocked:
        return DriftState.IN_SYNC, ""  # its provider wants it like that
    if record and not is_applied_version_outdated(preview, record):
        return DriftState.DRIFTED, f"deleted since run {record.run}"
    return DriftState.PENDING, _NEWER if record else "declared, never applied"


def _of_own_kind(preview: Preview, record: AppliedRecord | None) -> tuple[DriftState, str]:
    """No label and no manager says whose it is. Somebody else changed it when it is to be as it was applied."""
    if preview.blocked:
        return DriftState.INCOMPLETE, preview.blocked
    if preview.effect is PreviewEffect.NONE:
        return DriftState.IN_SYNC, ""
    if record and preview.expects and not is_applied_version_outdated(preview, record):
        return DriftState.DRIFTED, f"changed since run {record.run}"
    return DriftState.PENDING, _NEWER


_NEWER = "the config, or what it follows, is newer than what was applied"


def is_applied_version_outdated(preview: Preview, record: AppliedRecord) -> bool:
    """Whether a hwplan kind is to be another version than the one on record: then what differs is nobody's drift."""
    return is_hwplan_kind(record.api_version) and bool(preview.expects) and preview.expects != record.expects


def _judge(seen: PresentObject, preview: Preview, owned_by: str) -> tuple[DriftState, str]:
    undeclared = any(not drift.declared for drift in preview.drift)
    if preview.blocked and not preview.fields:
        return DriftState.INCOMPLETE, preview.blocked
    only_owners = preview.effect is PreviewEffect.UPDATE and not preview.fields and seen.owned_by == owned_by
    if preview.effect is PreviewEffect.NONE or only_owners:  # every value is as declared
        return (DriftState.DRIFTED, "fields that nobody declared") if undeclared else (DriftState.IN_SYNC, "")
    if seen.owned_by != owned_by:
        return DriftState.PENDING, "not adopted yet"
    if preview.drifted:
        return DriftState.DRIFTED, ""
    foreign = undeclared or any(is_value_set_by_others(field) for field in preview.fields)
    return (DriftState.BOTH if foreign else DriftState.PENDING), "config is newer than what was applied"
