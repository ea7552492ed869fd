"""The decision of one cycle: what every candidate lacks, its position, and the one that is merged (P2, P5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from planner.dataclass import dataclass
from planner.pull_requests.github_facts import BranchRules
from planner.pull_requests.lane_freeze import LaneFreezeInputs, lane_freeze_reasons, minimum_priority
from planner.pull_requests.merge_candidate import MergeCandidate, UnmetRequirement
from planner.pull_requests.merge_requirements import UNKNOWN, unmet_requirements
from planner.spec.pull_requests import PullRequestRules


@dataclass(frozen=True, slots=True)
class CandidateVerdict:
    """What one candidate lacks, and its place in the queue. `position` counts from 1 among those that lack nothing
    themselves, None for the others."""

    candidate: MergeCandidate
    unmet: tuple[UnmetRequirement, ...]
    position: int | None
    next_action: str

    @property
    def number(self) -> int:
        """The number of the pull request."""
        return self.candidate.pull.number


@dataclass(frozen=True, slots=True)
class CycleDecision:
    """What one cycle does: `merge` is the candidate that is merged, if any; `paused` says why none is though one is
    ready, `lane` what stops the lane as a whole."""

    verdicts: tuple[CandidateVerdict, ...]
    lane: tuple[UnmetRequirement, ...]
    merge: MergeCandidate | None
    paused: str = ""


def candidate_priority_by_labels(candidate: MergeCandidate, rules: PullRequestRules) -> int:
    """The priority of a candidate: the highest among its labels, 0 for none."""
    known = {label.lower(): value for label, value in rules.priority_labels.items()}
    return max((known.get(label.lower(), 0) for label in candidate.pull.labels), default=0)


def choose_candidate_to_merge(
    candidates: Sequence[MergeCandidate] | None,
    rules: PullRequestRules,
    branch: BranchRules | None,
    state: LaneFreezeInputs,
    *,
    base: str,
    now: datetime,
) -> CycleDecision:
    """Decide which candidate a cycle merges, if any, with the verdict on each. `candidates` is None when the list could
    not be read whole: then nothing is merged (P1)."""
    lane = tuple(lane_freeze_reasons(state, rules, base, now=now))
    if candidates is None:
        missing = UnmetRequirement("list-unreadable", "cannot be read whole: the list of pull requests", "github")
        return CycleDecision((), (*lane, missing), None, missing.reason)
    needed = minimum_priority(rules, now)
    judged = []
    for one in sorted(candidates, key=lambda one: (-candidate_priority_by_labels(one, rules), one.pull.number)):
        lacks = unmet_requirements(one, rules, branch, base=base, now=now)
        if candidate_priority_by_labels(one, rules) < needed and rules.closed is not None:
            reason = f"closed until {rules.closed.until} below priority {needed}: {rules.closed.reason}"
            lacks.append(UnmetRequirement("closed-lane", reason, "operator"))
        judged.append((one, tuple(lacks)))
    ready = [one for one, lacks in judged if not lacks]
    first, paused = _first(judged)
    merge = None if lane or paused else first
    verdicts = tuple(_verdict(one, lacks, ready, merge, lane, paused) for one, lacks in judged)
    return CycleDecision(verdicts, lane, merge, paused)


def _first(judged: Sequence[tuple[MergeCandidate, tuple[UnmetRequirement, ...]]]) -> tuple[MergeCandidate | None, str]:
    """The candidate that is next. One of which only GitHub's answer is missing is not passed over: the order of the
    queue would depend on how fast GitHub computes (P5)."""
    for one, lacks in judged:
        if not lacks:
            return one, ""
        if {lack.code for lack in lacks} == {UNKNOWN}:
            return None, f"waits for GitHub's word on pull request {one.pull.number}"
    return None, ""


def _verdict(
    one: MergeCandidate,
    lacks: tuple[UnmetRequirement, ...],
    ready: Sequence[MergeCandidate],
    merge: MergeCandidate | None,
    lane: tuple[UnmetRequirement, ...],
    paused: str,
) -> CandidateVerdict:
    position = ready.index(one) + 1 if one in ready else None
    if lacks:
        action = f"{lacks[0].holder}: {lacks[0].reason}"
    elif lane:
        action = f"{lane[0].holder}: {lane[0].reason}"
    elif one is merge:
        action = "merge"
    else:
        action = paused or f"wait: position {position} of {len(ready)}"
    return CandidateVerdict(one, lacks, position, action)
