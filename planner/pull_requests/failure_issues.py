"""Failure issues: one per lane and family with its targets, what closes it (P16, B11); the self-stop (P17). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from planner.dataclass import dataclass
from planner.text_safe import markdown_safe

_MOST_TARGETS = 50
_MOST_REASON = 400  # characters of a reason: both trees of a mismatch have to fit


class IssueFamily(StrEnum):
    """What went wrong; the value is part of the marker of the issue."""

    CHECK = "check"
    CONFLICT = "conflict"
    CD_FAILED = "cd-failed"
    CD_TIMEOUT = "cd-timeout"
    MERGE_MISMATCH = "merge-mismatch"


@dataclass(frozen=True, slots=True)
class TargetFailure:
    """One failure of one target: a pull request or a commit. `reason` may hold text of others."""

    family: IssueFamily
    target: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """All that is known of one family in one lane: each target once, with how often, first and last seen (UTC)."""

    family: IssueFamily
    targets: tuple[FailedTarget, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether something of it still fails."""
        return bool(self.targets)


@dataclass(frozen=True, slots=True)
class FailedTarget:
    """One target that fails."""

    target: str
    reason: str
    count: int
    first: str
    last: str


def failure_issue_marker(lane: str, family: IssueFamily) -> str:
    """The marker of the issue of a family in a lane."""
    return f"failure:{lane}:{family.value}"


def record_failures(record: FailureRecord, failures: Iterable[TargetFailure]) -> FailureRecord:
    """The record with further failures: a target that is known is counted on, with its newest reason."""
    known = {one.target: one for one in record.targets}
    for failure in failures:
        old = known.get(failure.target)
        known[failure.target] = (
            replace(old, reason=failure.reason, count=old.count + 1, last=failure.at)
            if old
            else FailedTarget(failure.target, failure.reason, 1, failure.at, failure.at)
        )
    return replace(record, targets=tuple(sorted(known.values(), key=lambda one: one.target)))


def failures_after_success(record: FailureRecord, target: str) -> FailureRecord:
    """The record after something succeeded. A conflict or a check ends with its own target alone; a rollout that went
    well ends every earlier failure of rollouts, because it delivers their commits too. A mismatch is ended by a person,
    who closes the issue."""
    match record.family:
        case IssueFamily.CHECK | IssueFamily.CONFLICT:
            return replace(record, targets=tuple(one for one in record.targets if one.target != target))
        case IssueFamily.CD_FAILED | IssueFamily.CD_TIMEOUT:
            return replace(record, targets=())
        case IssueFamily.MERGE_MISMATCH:
            return record


def failure_issue_title(lane: str, family: IssueFamily) -> str:
    """The title; nothing of a pull request stands in it."""
    words = {
        IssueFamily.CHECK: "checks fail on candidates",
        IssueFamily.CONFLICT: "candidates conflict with their base",
        IssueFamily.CD_FAILED: "a rollout failed",
        IssueFamily.CD_TIMEOUT: "a rollout did not end in time",
        IssueFamily.MERGE_MISMATCH: "a merge is not what was predicted",
    }
    return f"{lane}: {words[family]}"


def failure_issue_body(record: FailureRecord, lane: str, next_command: str) -> str:
    """The body: a table of targets, and the next command. Foreign text is made safe and cut."""
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


def failures_in_a_row(results: Sequence[str]) -> int:
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
