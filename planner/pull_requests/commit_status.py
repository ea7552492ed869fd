"""The commit status of a candidate: one context per lane, at most 140 characters (P14). Pure."""

from __future__ import annotations

from typing import Literal

from planner.dataclass import dataclass
from planner.pull_requests.merge_queue import CandidateVerdict, CycleDecision
from planner.pull_requests.merge_requirements import OWN_CONTEXT
from planner.text_safe import safe_text

MOST = 140  # characters of a description that GitHub takes


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """A commit status of GitHub as it should be: state, context, description and link."""

    context: str
    state: Literal["success", "pending", "error"]
    description: str


def commit_status_context(lane: str) -> str:
    """The context that the commit status of a lane has on GitHub, such as `hwplan/v03`."""
    return f"{OWN_CONTEXT}{lane}"


def commit_status_of_candidate(verdict: CandidateVerdict, decision: CycleDecision, lane: str) -> CommitStatus:
    """Make the commit status of a merge candidate. success: queued, with its position; pending: the first unmet
    requirement; error: the lane is frozen."""
    if verdict.unmet:
        more = f" (and {len(verdict.unmet) - 1} more)" if len(verdict.unmet) > 1 else ""
        return _status(lane, "pending", f"{verdict.unmet[0].reason}{more}")
    if decision.lane:
        return _status(lane, "error", decision.lane[0].reason)
    ready = sum(one.position is not None for one in decision.verdicts)
    return _status(lane, "success", f"queued: position {verdict.position} of {ready}")


def _status(lane: str, state: Literal["success", "pending", "error"], text: str) -> CommitStatus:
    words = safe_text(text)
    cut = words if len(words) <= MOST else f"{words[: MOST - 1]}…"
    return CommitStatus(commit_status_context(lane), state, cut)
