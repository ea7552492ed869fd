"""Failure issues: one per lane and family with its targets, what closes it (P16, B11); the self-stop (P17). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from planner.dataclass import dataclass
from planner.text_safe import markdown_safe

_MOST_TARGETS = 50
_MOST_REASON = 400  # characters of a reason: both trees of a mismatch have to fit


class FailureIssueFamily(StrEnum):
    """The families of failures, each with an issue of its own; the value is part of the marker of that issue."""

    CHECK = "check"
    CONFLICT = "conflict"
    CD_FAILED = "cd-failed"
    CD_TIMEOUT = "cd-timeout"
    MERGE_MISMATCH = "merge-mismatch"


@dataclass(frozen=True, slots=True)
class SingleTargetFailure:
    """One failure of one target: a pull request or a commit. `reason` may hold text of others."""

    family: FailureIssueFamily
    target: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class CountedLaneFailures:
    """The failures of one family in one lane: each failing target once, with how often, first and last seen (UTC)."""

    family: FailureIssueFamily
    targets: tuple[TargetFailureCount, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether something of it still fails."""
        return bool(self.targets)


@dataclass(frozen=True, slots=True)
class TargetFailureCount:
    """One target that fails, with how often it did, its newest reason, and when first and last."""

    target: str
    reason: str
    count: int
    first: str
    last: str


def failure_issue_marker(lane: str, family: FailureIssueFamily) -> str:
    """The hidden marker by which the failure issue of a family in a lane is found again."""
    return f"failure:{lane}:{family.value}"


def add_failures_to_counts(record: CountedLaneFailures, failures: Iterable[SingleTargetFailure]) -> CountedLaneFailures:
    """Add failures to the counts of their family: a target that is known is counted on, with its newest reason."""
    known = {one.target: one for one in record.targets}
    for failure in failures:
        old = known.get(failure.target)
        known[failure.target] = (
            replace(old, reason=failure.reason, count=old.count + 1, last=failure.at)
            if old
            else TargetFailureCount(failure.target, failure.reason, 1, failure.at, failure.at)
        )
    return replace(record, targets=tuple(sorted(known.values(), key=lambda one: one.target)))


def remove_failures_ended_by_success(record: CountedLaneFailures, target: str) -> CountedLaneFailures:
    """Remove the failures that a success of `target` ends. A conflict or a check ends with its own target alone; a
    rollout that went well ends every earlier failure of rollouts, because it delivers their commits too. A mismatch is
    ended by a person, who closes the issue."""
    match record.family:
        case FailureIssueFamily.CHECK | FailureIssueFamily.CONFLICT:
            return replace(record, targets=tuple(one for one in record.targets if one.target != target))
        case FailureIssueFamily.CD_FAILED | FailureIssueFamily.CD_TIMEOUT:
            return replace(record, targets=())
        case FailureIssueFamily.MERGE_MISMATCH:
            return record


def failure_issue_title(lane: str, family: FailureIssueFamily) -> str:
    """The title of the failure issue of a family in a lane; nothing of a pull request stands in it."""
    words = {
        FailureIssueFamily.CHECK: "checks fail on candidates",
        FailureIssueFamily.CONFLICT: "candidates conflict with their base",
        FailureIssueFamily.CD_FAILED: "a rollout failed",
        FailureIssueFamily.CD_TIMEOUT: "a rollout did not end in time",
        FailureIssueFamily.MERGE_MISMATCH: "a merge is not what was predicted",
    }
    return f"{lane}: {words[family]}"


def failure_issue_body(record: CountedLaneFailures, lane: str, next_command: str) -> str:
    """The Markdown body of a failure issue: a table of targets, and the next command. Foreign text is made safe and
    cut."""
    if not record.targets:
        return f"Nothing of this fails in lane `{lane}` any more."
    rows = [
        f"| {_cell(one.target)} | {one.count} | {one.first} | {one.last} | {_cell(one.reason)} |"
        for one in record.targets[:_MOST_TARGETS]
    ]
    more = len(record.targets) - _MOST_TARGETS
    lines = [
        f"Lane `{lane}`, family `{record.family.value}`.",
        "",
        "| target | seen | first | last | reason |",
        "|---|---|---|---|---|",
        *rows,
        *([f"and {more} more"] if more > 0 else []),
        "",
        f"Next: `{next_command}`",
    ]
    return "\n".join(lines)


def count_failures_in_a_row(results: Sequence[str]) -> int:
    """How many of the newest results, oldest first, are `failed` without a success or a `resumed` after them. Results
    that say nothing about the lane (`waiting`, `unknown`) are passed over."""
    count = 0
    for result in reversed(results):
        if result == "failed":
            count += 1
        elif result in ("done", "resumed"):
            break
    return count


def _cell(text: str) -> str:
    """Text of others in one cell of a table."""
    return markdown_safe(text[:_MOST_REASON])
