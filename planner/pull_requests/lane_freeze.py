"""Reasons that stop a whole lane from merging (P13, P17, P18, R9). Pure.

A source that cannot be read counts as frozen: silence is no permission.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

from planner.dataclass import dataclass
from planner.pull_requests.github_facts import IssueFacts
from planner.pull_requests.merge_candidate import UnmetRequirement
from planner.rfc3339 import parse_time
from planner.spec.pull_requests import MergeWindow, PullRequestRules

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class LaneFreezeInputs:
    """What decides whether a lane is frozen, as it was read: open issues (None: unreadable), failures in a row, whether
    somebody resumed it since, requests left of the quota (None: not said), a hold and a mismatch of an earlier merge
    ("" for none)."""

    issues: Sequence[IssueFacts] | None
    failures: int = 0
    remaining: int | None = None
    hold: str = ""
    mismatch: str = ""


def lane_freeze_reasons(
    state: LaneFreezeInputs, rules: PullRequestRules, branch: str, *, now: datetime
) -> list[UnmetRequirement]:
    """Every reason for which the lane is frozen: nothing is merged in it now. `closed` with a minimum priority is in
    `minimum_priority` instead, as it does not hold for all."""
    return [
        *_issues(state, rules, branch),
        *_closed(rules, now),
        *_window(rules, now),
        *_stopped(state, rules),
    ]


def minimum_priority(rules: PullRequestRules, now: datetime) -> int:
    """The least priority that a pull request needs to be merged now, while the lane is closed to others; 0 for none."""
    return rules.closed.minimum_priority if rules.closed is not None and _is_closed(rules, now) else 0


def _issues(state: LaneFreezeInputs, rules: PullRequestRules, branch: str) -> Iterator[UnmetRequirement]:
    if state.issues is None:
        yield UnmetRequirement("freeze-unreadable", "cannot be read: the issues that may freeze the lane", "github")
        return
    wanted = rules.freeze_label.lower()
    for issue in state.issues:
        if issue.is_open and not issue.is_pull and wanted in {label.lower() for label in issue.labels}:
            branches = _branches(issue)
            if not branches or branch in branches:
                yield UnmetRequirement("frozen", f"issue {issue.number} freezes it", "operator")


def _branches(issue: IssueFacts) -> set[str]:
    """The branches that an issue names as `branch:NAME`; empty: it freezes all."""
    words = f"{issue.title}\n{issue.body}".split()
    return {word.removeprefix("branch:") for word in words if word.startswith("branch:") and word != "branch:"}


def _is_closed(rules: PullRequestRules, now: datetime) -> bool:
    until = parse_time(rules.closed.until) if rules.closed is not None else None
    return rules.closed is not None and (until is None or now < until)


def _closed(rules: PullRequestRules, now: datetime) -> Iterator[UnmetRequirement]:
    if rules.closed is not None and _is_closed(rules, now) and not rules.closed.minimum_priority:
        yield UnmetRequirement("closed-lane", f"closed until {rules.closed.until}: {rules.closed.reason}", "operator")


def _window(rules: PullRequestRules, now: datetime) -> Iterator[UnmetRequirement]:
    if rules.windows and not any(_is_inside(window, now) for window in rules.windows):
        yield UnmetRequirement("window", "outside of the merge windows of the lane", "time")


def _is_inside(window: MergeWindow, now: datetime) -> bool:
    """A window over midnight belongs to the day on which it begins."""
    start, end = time.fromisoformat(window.start), time.fromisoformat(window.end)
    for back in (0, 1):
        day = now.date() - timedelta(days=back)
        if _DAYS[day.weekday()] not in window.days:
            continue
        begins = datetime.combine(day, start, now.tzinfo)
        ends = datetime.combine(day if start < end else day + timedelta(days=1), end, now.tzinfo)
        if begins <= now < ends:
            return True
    return False


def _stopped(state: LaneFreezeInputs, rules: PullRequestRules) -> Iterator[UnmetRequirement]:
    if state.mismatch:
        yield UnmetRequirement("merge-mismatch", f"a merge was not what was predicted: {state.mismatch}", "operator")
    if state.hold:
        yield UnmetRequirement("hold", f"on hold: {state.hold}", "operator")
    if state.failures >= rules.pause_after:
        yield UnmetRequirement("self-stop", f"{state.failures} failures in a row: the lane paused itself", "operator")
    if state.remaining is not None and state.remaining < rules.quota_reserve:
        yield UnmetRequirement("quota", f"{state.remaining} requests left of the GitHub quota", "time")
