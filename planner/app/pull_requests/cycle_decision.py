"""What a cycle decides, and whether that still holds right before the merge: what the state knows beside GitHub."""

from __future__ import annotations

from dataclasses import replace

from planner.app.lane_holds import standing_hold_of_lane
from planner.app.pull_requests.cycle_progress import CycleProgress
from planner.app.pull_requests.pull_requests_reader import PullRequestCycleReading, PullRequestsReader
from planner.errors import StalePlan
from planner.pull_requests.deliveries import DeliveryStep, unaccepted_mismatch
from planner.pull_requests.failure_issues import count_failures_in_a_row
from planner.pull_requests.lane_freeze import LaneFreezeInputs
from planner.pull_requests.merge_candidate import UnmetRequirement
from planner.pull_requests.merge_queue import CycleDecision, choose_candidate_to_merge

_PAST = 50  # cycles that the self-stop looks at


def reading_with_approvals(
    progress: CycleProgress, reader: PullRequestsReader, reading: PullRequestCycleReading
) -> PullRequestCycleReading:
    """The reading with who approved what, where the lane wants to know."""
    if reading.candidates is None or not progress.place.rules.approvals.quorum:
        return reading
    from planner.app.pull_requests.candidate_approvals import (  # plans whole rollouts
        read_candidate_approvals,
        remember_approvals,
    )

    found = read_candidate_approvals(
        progress.place, progress.store, reader, reading.candidates, reading.branch, progress.memory, reading.now
    )
    progress.memory = remember_approvals(progress.memory, found, progress.place.rules.approvals, reading.now)
    return replace(reading, candidates=found, problems=tuple(reader.problems))


def decide_cycle(progress: CycleProgress, reading: PullRequestCycleReading) -> CycleDecision:
    """What this cycle does; on a node that does not merge for the lane nothing is merged (B10)."""
    place = progress.place
    decision = choose_candidate_to_merge(
        reading.candidates, place.rules, reading.branch, _state(progress, reading), base=place.branch, now=reading.now
    )
    if not place.merges:
        other = UnmetRequirement("authority", f"{place.rules.authority} merges for this lane", "operator")
        return replace(decision, lane=(*decision.lane, other), merge=None)
    open_ones = [one for one in progress.known() if one.step is DeliveryStep.INTENDED]
    if open_ones:  # a cycle was killed: what became of its merge comes first (P21)
        return replace(decision, merge=None, paused=f"pull request {open_ones[0].pull} is looked at first")
    return decision


def recheck_before_merge(
    progress: CycleProgress, reader: PullRequestsReader, decision: CycleDecision, seen: PullRequestCycleReading
) -> None:
    """Under the lease, right before the merge: all about the candidate again. Raises StalePlan, ProviderError."""
    assert decision.merge is not None
    number = decision.merge.pull.number
    now = reader.again(decision.merge)
    if now.tip != seen.tip:
        raise StalePlan(f"{progress.place.branch} moved on while pull request {number} was judged")
    known = {row.pull: row.number for row in progress.store.pulls.deliveries(progress.place.key)}
    if known.get(number) != progress.deliveries[number][0]:
        raise StalePlan(f"another monitor works on pull request {number}")
    (candidate,) = now.candidates or ()
    same = candidate.pull.head == decision.merge.pull.head
    merge = decision.merge
    judged = replace(candidate, effect=merge.effect, approvals=merge.approvals) if same else candidate
    again = choose_candidate_to_merge(
        (judged,), progress.place.rules, now.branch, _state(progress, now), base=progress.place.branch, now=now.now
    )
    if again.merge is None or again.merge.pull.head != decision.merge.pull.head:
        head = again.merge is not None
        reason = "its head is another one" if head else again.verdicts[0].next_action
        raise StalePlan(f"pull request {number} was changed while it was judged: {reason}")


def _state(progress: CycleProgress, reading: PullRequestCycleReading) -> LaneFreezeInputs:
    past = [one.result for one in reversed(progress.store.pulls.cycles(progress.place.key, limit=_PAST))]
    hold = standing_hold_of_lane(progress.store, progress.place.key)
    return LaneFreezeInputs(
        issues=reading.issues,
        failures=count_failures_in_a_row(past),
        remaining=reading.remaining,
        hold=str(hold) if hold else "",
        mismatch=unaccepted_mismatch(progress.known()),
    )
