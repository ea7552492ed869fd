"""What a cycle adds to the failures that still stand: each once for its head or commit, ended by its success (P16)."""

from __future__ import annotations

from dataclasses import replace

from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.pull_requests.deliveries import Delivery, RolloutOutcome
from planner.pull_requests.failure_issues import (
    CountedLaneFailures,
    FailureIssueFamily,
    SingleTargetFailure,
    add_failures_to_counts,
    remove_failures_ended_by_success,
)
from planner.pull_requests.lane_memory import LaneMemory
from planner.pull_requests.merge_queue import CycleDecision

_OF_CODES = {"check-failed": FailureIssueFamily.CHECK, "conflict": FailureIssueFamily.CONFLICT}
_OF_OUTCOMES = {
    RolloutOutcome.FAILED: FailureIssueFamily.CD_FAILED,
    RolloutOutcome.PENDING: FailureIssueFamily.CD_TIMEOUT,
}


def remember_failures_of_cycle(
    place: MonitoredLane, decision: CycleDecision | None, memory: LaneMemory, at: str, delivery: Delivery | None = None
) -> LaneMemory:
    """The memory with the failures of the candidates, or with the end of one rollout."""
    if decision is not None and place.merges:
        memory = _candidates(decision, memory, at)
    return _delivered(delivery, memory, at) if delivery is not None else memory


def remember_merge_mismatch(memory: LaneMemory, one: Delivery, at: str) -> LaneMemory:
    """The lane memory with a merge that is not the predicted one; its reason has both trees."""
    return _failed(memory, FailureIssueFamily.MERGE_MISMATCH, f"#{one.pull}", one.head, one.reason, at)


def forget_merge_mismatches(memory: LaneMemory) -> LaneMemory:
    """The lane memory without its merge mismatches, after a person has looked at them."""
    return replace(
        memory,
        failures={
            **memory.failures,
            FailureIssueFamily.MERGE_MISMATCH: CountedLaneFailures(FailureIssueFamily.MERGE_MISMATCH),
        },
    )


def _candidates(decision: CycleDecision, memory: LaneMemory, at: str) -> LaneMemory:
    unreadable = any(one.code == "list-unreadable" for one in decision.lane)
    failing: dict[FailureIssueFamily, set[str]] = {family: set() for family in _OF_CODES.values()}
    for verdict in decision.verdicts:
        target, head = f"#{verdict.number}", verdict.candidate.pull.head
        for lack in verdict.unmet:
            if (family := _OF_CODES.get(lack.code)) is not None:
                failing[family].add(target)
                memory = _failed(memory, family, target, head, lack.reason, at)
        if any(lack.code == "unreadable" for lack in verdict.unmet):
            for family in failing:
                failing[family].add(target)  # what could not be read has not ended
    for family, targets in failing.items():
        record = memory.failures.get(family)
        if record is None or unreadable:
            continue
        for one in record.targets:
            if one.target not in targets:
                record = remove_failures_ended_by_success(record, one.target)
                memory = _forgotten(memory, family, one.target)
        memory = replace(memory, failures={**memory.failures, family: record})
    return memory


def _delivered(one: Delivery, memory: LaneMemory, at: str) -> LaneMemory:
    outcome = RolloutOutcome(one.outcome)
    if (family := _OF_OUTCOMES.get(outcome)) is not None:
        commit = one.newer or one.commit
        reason = one.reason or "it did not end in time"
        memory = _failed(memory, family, commit[:12], commit, reason, at)
    ended: tuple[FailureIssueFamily, ...]
    if outcome in (RolloutOutcome.PASSED, RolloutOutcome.NO_OP) or (outcome is RolloutOutcome.SUPERSEDED and one.run):
        ended = (FailureIssueFamily.CD_FAILED, FailureIssueFamily.CD_TIMEOUT)
    elif outcome is RolloutOutcome.FAILED:
        ended = (FailureIssueFamily.CD_TIMEOUT,)  # it has ended, and is the other family's now
    else:
        return memory
    for family in ended:
        if (record := memory.failures.get(family)) is not None:
            for target in record.targets:
                memory = _forgotten(memory, family, target.target)
            memory = replace(
                memory, failures={**memory.failures, family: remove_failures_ended_by_success(record, one.commit)}
            )
    return memory


def _failed(memory: LaneMemory, family: FailureIssueFamily, target: str, key: str, reason: str, at: str) -> LaneMemory:
    """Counted once for each key: the same failure of the same head is not news."""
    seen, key = f"{family}/{target}", f"{key} {reason}"
    if memory.seen.get(seen) == key:
        return memory
    record = memory.failures.get(family) or CountedLaneFailures(family)
    found = add_failures_to_counts(record, [SingleTargetFailure(family, target, reason, at)])
    return replace(memory, failures={**memory.failures, family: found}, seen={**memory.seen, seen: key})


def _forgotten(memory: LaneMemory, family: FailureIssueFamily, target: str) -> LaneMemory:
    return replace(memory, seen={name: key for name, key in memory.seen.items() if name != f"{family}/{target}"})
