"""One cycle of a monitor: read, decide, merge at most one, roll out, report, write down (P2, P12, P17, P19, P21).

What is about to be done is in the state before it is done, so that a cycle that was killed is gone on with by the next
one: it reads what became of the effect, and makes only what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from planner.app.pull_requests.apply_cycle import open_session_with_cycle_plan
from planner.app.pull_requests.cycle_context import CycleContext
from planner.app.pull_requests.cycle_decision import decide_cycle, reading_with_approvals, recheck_before_merge
from planner.app.pull_requests.cycle_resources import cycle_resources
from planner.app.pull_requests.pull_requests_reader import PullRequestCycleReading
from planner.app.pull_requests.roll_out_merged_pull_requests import roll_out_merged_pull_requests
from planner.app.pull_requests.standing_failures import remember_failures_of_cycle
from planner.app.pull_requests.start_deliveries import (
    forget_closed_pull_requests,
    record_intended_merge,
    recover_deliveries,
    start_deliveries_of_foreign_merges,
)
from planner.app.pull_requests.update_github_and_merge import apply_missing_github_resources
from planner.pull_requests.cycle_record import (
    DONE,
    DRY_RUN,
    FAILED,
    IDLE,
    PENDING,
    UNKNOWN,
    WAITING,
    CycleRecord,
    fault_of_user_or_operator,
)
from planner.pull_requests.deliveries import (
    Delivery,
    DeliveryStep,
    RolloutOutcome,
)
from planner.pull_requests.merge_queue import CycleDecision


def run_cycle(context: CycleContext) -> CycleRecord:
    """Run one cycle of the pull-request monitor, from reading to recording. Raises LockedError where somebody else
    holds the state, StateError, ConfigError."""
    context.progress.load()
    at = context.reader.now()
    recover_deliveries(context)
    reading, context.progress.memory = context.reader.read(context.progress.memory)
    forget_closed_pull_requests(context, reading)
    reading = reading_with_approvals(context.progress, context.reader, reading)
    decision = decide_cycle(context.progress, reading)
    start_deliveries_of_foreign_merges(context, reading)
    for problem in reading.problems:
        context.progress.trouble(problem)
    chosen = decision.merge
    if chosen is not None:
        number, head = chosen.pull.number, chosen.pull.head
        intended = Delivery(number, head, DeliveryStep.INTENDED, _instant(reading.now), base=reading.tip)
        record_intended_merge(
            context, replace(intended, approved=chosen.effect, approved_parts=dict(chosen.effect_parts))
        )
    context.progress.memory = remember_failures_of_cycle(
        context.progress.place, decision, context.progress.memory, _instant(reading.now)
    )
    if context.progress.dry_run:
        return _dry(context, at, reading, decision)
    apply_missing_github_resources(
        context,
        decision,
        None if chosen is None else lambda: recheck_before_merge(context.progress, context.reader, decision, reading),
    )
    roll_out_merged_pull_requests(context, reading, decision, _instant(reading.now))
    apply_missing_github_resources(context, None, None)
    record = _record(context, at, reading, decision)
    context.progress.save(record)
    return record


def _dry(context: CycleContext, at: datetime, reading: PullRequestCycleReading, decision: CycleDecision) -> CycleRecord:
    wanted = cycle_resources(
        context.progress.place, decision, context.progress.known(), context.progress.memory, context.progress.mergeable
    )
    if wanted.all() and context.show is not None:
        with open_session_with_cycle_plan(context.progress.place, context.progress.store, wanted.all()) as planned:
            context.show(planned)
    return replace(_record(context, at, reading, decision), result=UNKNOWN if context.progress.unknown else DRY_RUN)


def _record(
    context: CycleContext, at: datetime, reading: PullRequestCycleReading, decision: CycleDecision
) -> CycleRecord:
    touched = tuple(context.progress.deliveries[number][1] for number in context.progress.touched)
    return CycleRecord(
        purpose=context.progress.purpose,
        at=_instant(at),
        base=reading.tip,
        result=_result(context, decision, touched),
        decision=decision,
        deliveries=touched,
        error="; ".join(context.progress.errors),
        fault="operator"
        if context.progress.errors or context.progress.unknown
        else fault_of_user_or_operator(decision),
        requests=reading.requests,
        notes=tuple(context.progress.notes),
    )


def _result(context: CycleContext, decision: CycleDecision, touched: Iterable[Delivery]) -> str:
    outcomes = {one.outcome for one in touched if one.outcome}
    if context.progress.errors or RolloutOutcome.FAILED in outcomes:
        return FAILED
    if context.progress.unknown:
        return UNKNOWN
    if RolloutOutcome.PENDING in outcomes:
        return PENDING
    if any(one.outcome == RolloutOutcome.HELD for one in context.progress.known() if one.open):
        return WAITING
    if outcomes or any(one.step is DeliveryStep.MERGED for one in touched):
        return DONE
    return WAITING if decision.verdicts else IDLE


def _instant(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
