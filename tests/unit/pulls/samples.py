"""Candidates and rules for tests: everything is met unless a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from planner.pull_requests.approvals import Approval
from planner.pull_requests.github_facts import BranchRules, CheckResult, PullRequestState
from planner.pull_requests.lane_freeze import LaneFreezeInputs
from planner.pull_requests.merge_candidate import MergeCandidate
from planner.pull_requests.merge_queue import CycleDecision, choose_candidate_to_merge
from planner.spec.pull_requests import PullRequestRules

NOW = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)  # a Wednesday
HEAD = "a" * 40
EFFECT = "sha256:" + "e" * 64
CALM = LaneFreezeInputs(issues=())
GREEN = CheckResult("test", "success", "success")


def pull(number: int = 17, **changes: object) -> PullRequestState:
    made = PullRequestState(
        number=number,
        title="Add a thing",
        author="ann",
        is_open=True,
        draft=False,
        head=HEAD,
        head_branch="thing",
        base_branch="v0.3",
        base="b" * 40,
        mergeable=True,
        mergeable_state="clean",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def candidate(number: int = 17, **changes: object) -> MergeCandidate:
    """`changes` of the pull request, and of the candidate for the names that it has itself."""
    own = {name: value for name, value in changes.items() if name in MergeCandidate.__slots__}
    approved = Approval("Olga", EFFECT, HEAD, NOW)
    made = MergeCandidate(
        pull=pull(number, **{name: value for name, value in changes.items() if name not in own}),
        checks=(GREEN,),
        reviews=(),
        approvals=(approved,),
        contains_base=True,
        effect=EFFECT,
    )
    return replace(made, **own)  # type: ignore[arg-type]


def rules(**changes: object) -> PullRequestRules:
    document: dict[str, object] = {
        "authority": "D601",
        "checks": {"required": ["test"]},
        "approvals": {"people": ["olga", "pete"]},
        **changes,
    }
    return PullRequestRules.model_validate(document)


def decision(
    *candidates: MergeCandidate, state: LaneFreezeInputs = CALM, at: datetime = NOW, **changes: object
) -> CycleDecision:
    return choose_candidate_to_merge(candidates, rules(**changes), BranchRules(), state, base="v0.3", now=at)
