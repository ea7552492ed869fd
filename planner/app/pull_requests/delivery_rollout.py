"""The rollout of one delivery: the trigger of the lane with its merge commit, and what the comment says of its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from planner.app.apply_plan import ApplyChoices
from planner.app.lane.lane_evidence import CommitOrRunToReport
from planner.app.lane.lane_status import read_lane_status
from planner.app.pull_requests.approved_rollout import AdmittedRollout
from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.app.trigger import RolloutReport, open_rollout_plan, run_rollout
from planner.errors import HwplanError, StalePlan
from planner.events import ChangeResult
from planner.pull_requests.deliveries import Delivery, DeliveryStep, RolloutOutcome
from planner.rollout import lane_evidence as names
from planner.values import JsonObject

INTERRUPTED = 130
_BAD = (ChangeResult.FAILED, ChangeResult.UNKNOWN, ChangeResult.STALE)
_OUTCOMES = {
    "passed": RolloutOutcome.PASSED,
    "superseded": RolloutOutcome.SUPERSEDED,
    "pending": RolloutOutcome.PENDING,
}


class RolloutInterrupted(HwplanError):
    """Somebody interrupted the command while it waited."""

    exit_code = INTERRUPTED


def roll_out_delivery(
    place: MonitoredLane,
    one: Delivery,
    how: ApplyChoices,
    *,
    tip: str,
    covered: bool,
    admit: Callable[[Delivery, str], AdmittedRollout] | None = None,
) -> Delivery:
    """The delivery after its rollout: ended, or unchanged but for the outcome where it goes on (PENDING) or does not
    begin (HELD).

    `tip` is what the branch stands on. A lane that only rolls out the newest commit begins nothing for an older one; it
    rolls the tip out instead, unless that is `covered` by a delivery of its own. `admit` says whether that is what was
    approved; it is told the tip where that is rolled out. Raises HwplanError when it could not be tried: nothing is
    known to have failed then.
    """
    stale = bool(tip) and tip != one.commit and place.spec.cd.policy == "latest-only"
    if stale and covered:
        return _ended(place, one, RolloutOutcome.SUPERSEDED, newer=tip)
    admitted = admit(one, tip if stale else "") if admit is not None else AdmittedRollout(one)
    one = admitted.delivery
    if one.outcome == RolloutOutcome.HELD:
        return one
    try:
        with open_rollout_plan(place.request, source_commit=tip if stale else one.commit, secrets=False) as trigger:
            if admitted.config not in ("", trigger.session.stack.digest):
                raise StalePlan("the configuration was changed while the rollout was compared with what was approved")
            ended = run_rollout(trigger, how)
            run = _run_name(ended, trigger.made.inputs.previews.get(trigger.run.address))
    except StalePlan as error:
        if "superseded" not in error.message:
            raise
        return _ended(place, one, RolloutOutcome.SUPERSEDED)
    _refuse_untried(ended)
    outcome, newer = _outcome(ended), ended.newer or (tip if stale else "")
    done = replace(one, run=run or one.run, newer=newer)
    if outcome is RolloutOutcome.PENDING:
        return replace(done, outcome=str(outcome), **_mirror(place, done, ended.closeout))
    if stale and outcome in (RolloutOutcome.PASSED, RolloutOutcome.NO_OP):
        outcome = RolloutOutcome.SUPERSEDED
    return _ended(place, done, outcome, newer=newer, reason=_reason(ended), record=ended.closeout)


def _ended(
    place: MonitoredLane,
    one: Delivery,
    outcome: RolloutOutcome,
    *,
    newer: str = "",
    reason: str = "",
    record: JsonObject | None = None,
) -> Delivery:
    step, now = DeliveryStep.ENDED, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ended = replace(one, step=step, outcome=str(outcome), ended=now, newer=newer, reason=reason, approved_parts={})
    return replace(ended, **_mirror(place, one, record))


def _refuse_untried(ended: RolloutReport) -> None:
    """Raise where the rollout did not come to an end of its own: it is tried again. A run that failed is an end."""
    report = ended.report
    if report.exit_code == INTERRUPTED:
        raise RolloutInterrupted("interrupted: the next cycle goes on with it")
    if ended.newer:
        return
    if report.exit_code == StalePlan.exit_code:
        raise StalePlan("the world moved while the rollout was planned", remedy="the next cycle plans it again")
    blocked = [one for one in report.plan.blocked if not one.reason.endswith("which is blocked")]  # not what follows
    failed = report.result is not None and any(one.result in _BAD for one in report.result.outcomes.values())
    if blocked and not failed and all(one.address.kind != "PipelineRun" for one in blocked):
        raise HwplanError(f"{blocked[0].address.local}: {blocked[0].reason}", remedy=blocked[0].remedy)


def _outcome(ended: RolloutReport) -> RolloutOutcome:
    if ended.report.result is None and not ended.newer and ended.report.exit_code == 0:
        return RolloutOutcome.NO_OP
    return _OUTCOMES.get(ended.state, RolloutOutcome.FAILED)


def _run_name(ended: RolloutReport, preview: object) -> str:
    """The name of the PipelineRun, "" where none was made or found."""
    run = ended.report.result
    found = [one for address, one in run.outputs.items() if address.kind == "PipelineRun"] if run else []
    outputs = found[0] if found else getattr(preview, "outputs", {})
    return str(outputs.get("run") or "")


def _reason(ended: RolloutReport) -> str:
    """The first thing that went wrong, by its address; "" for nothing."""
    run = ended.report.result
    failed = [one for one in run.outcomes.values() if one.result in _BAD] if run else []
    if failed:
        said = failed[0].message.splitlines() or [str(failed[0].result)]
        where = [line.strip().partition(":")[0] for line in said[1:] if line.strip().startswith("task ")]
        return f"{failed[0].address.local}: {'; '.join([*where[:1], said[0]])}"
    blocked = ended.report.plan.blocked
    return f"{blocked[0].address.local}: {blocked[0].reason}" if blocked else ""


def _mirror(place: MonitoredLane, one: Delivery, record: JsonObject | None) -> JsonObject:
    """`pending_flush` and `in_sync` of the git mirror, None where that cannot be read."""
    flows = record.get("mirror") if record is not None else None
    if flows is None:
        try:
            status = read_lane_status(place.request, CommitOrRunToReport(commit=one.commit))
        except HwplanError:
            return {"pending_flush": None, "in_sync": None}
        flows = {name: one.value for name, one in status.evidence.items(names.MIRROR) if one.readable}
    known = [flow["inSync"] for flow in flows.values() if isinstance(flow, dict) and "inSync" in flow]
    in_sync = all(known) if known and None not in known else None
    return {"pending_flush": None if in_sync is None else not in_sync, "in_sync": in_sync}
