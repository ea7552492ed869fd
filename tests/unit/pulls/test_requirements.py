"""What keeps one pull request from being merged (P1, P3 to P8, P11)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from planner.pull_requests.approvals import Approval
from planner.pull_requests.github_facts import BranchRules, CheckResult, PullRequestReview
from planner.pull_requests.merge_candidate import MergeCandidate
from planner.pull_requests.merge_requirements import unmet_requirements
from planner.pull_requests.predicted_merge_verification import ConflictingFile
from tests.unit.pulls.samples import EFFECT, GREEN, HEAD, NOW, candidate, rules


def codes(one: MergeCandidate, branch: BranchRules | None = BranchRules(), **changes: object) -> list[str]:  # noqa: B008
    return [found.code for found in unmet_requirements(one, rules(**changes), branch, base="v0.3", now=NOW)]


def test_a_candidate_that_meets_everything_lacks_nothing() -> None:
    assert codes(candidate()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"is_open": False}, "closed"),
        ({"base_branch": "v0.2"}, "other-base"),
        ({"draft": True}, "draft"),
        ({"labels": ("bug", "WIP")}, "blocking-label"),
        ({"title": "[wip] a thing"}, "wip-title"),
        ({"title": "Draft: a thing"}, "wip-title"),
        ({"auto_merge": True}, "merged-by-github"),
        ({"in_queue": True}, "merged-by-github"),
        ({"unreadable": "its commits"}, "unreadable"),
    ],
)
def test_p1_p11_what_is_no_candidate(change: dict[str, Any], code: str) -> None:
    assert codes(candidate(**change)) == [code]


def test_p1_a_title_that_only_mentions_the_word_is_none() -> None:
    assert codes(candidate(title="Describe WIP limits")) == []


def test_p1_authors() -> None:
    assert codes(candidate(), authors=["bob"]) == ["author"]
    assert codes(candidate(), authors=["ANN"]) == []


def test_p4_a_required_check_that_is_missing_has_not_passed() -> None:
    assert codes(candidate(checks=())) == ["check-missing"]
    renamed = (CheckResult("test / unit", "success", "success"),)
    assert codes(candidate(checks=renamed)) == ["check-missing"], "a required check that was renamed"


def test_p4_a_check_that_nobody_named_is_required_once_it_is_there() -> None:
    checks = (GREEN, CheckResult("lint", "failure", "timed_out"), CheckResult("slow", "pending", "in_progress"))
    assert codes(candidate(checks=checks)) == ["check-failed", "check-pending"]
    assert codes(candidate(checks=checks), checks={"required": ["test"], "optional": ["lint", "slow"]}) == []


def test_p4_checks_of_the_branch_and_those_that_may_be_absent() -> None:
    branch = BranchRules(("build", "docs"))
    assert codes(candidate(), branch) == ["check-missing", "check-missing"]
    assert codes(candidate(), branch, checks={"ifPresent": ["docs", "build"]}) == []
    failed = (CheckResult("docs", "failure", "failure"),)
    assert codes(candidate(checks=failed), branch, checks={"ifPresent": ["docs", "build"]}) == ["check-failed"]


def test_p4_a_name_that_comes_as_run_and_as_status_has_to_pass_as_both() -> None:
    failed = CheckResult("test", "failure", "error")
    assert codes(candidate(checks=(failed, GREEN))) == codes(candidate(checks=(GREEN, failed))) == ["check-failed"]


def test_p4_our_own_contexts_never_count() -> None:
    ours = (GREEN, CheckResult("hwplan/v03", "pending", "pending"))
    assert codes(candidate(checks=ours), BranchRules(("hwplan/v03",))) == []


@pytest.mark.parametrize(
    ("state", "mergeable", "code"),
    [
        ("clean", True, ""),
        ("unstable", True, ""),
        ("has_hooks", True, ""),
        ("behind", True, "behind"),
        ("blocked", True, "blocked"),
        ("dirty", False, "conflict"),
        ("draft", True, "draft"),
        ("", None, "mergeability-unknown"),
        ("unknown", None, "mergeability-unknown"),
        ("clean", None, ""),
        ("clean", False, "not-mergeable"),
        ("splendid", True, "not-mergeable"),
    ],
)
def test_p5_the_words_of_github(state: str, mergeable: bool | None, code: str) -> None:
    assert codes(candidate(mergeable_state=state, mergeable=mergeable)) == [code] * bool(code)


def test_p6_fresh() -> None:
    stale = candidate(contains_base=False)
    assert codes(stale) == []
    assert codes(stale, freshness="merge") == ["behind"]
    assert codes(stale, BranchRules(strict=True)) == ["behind"]
    assert codes(candidate(contains_base=None), freshness="merge") == ["unreadable"]


def test_p8_a_local_conflict_names_the_files() -> None:
    files = (ConflictingFile("a.txt", "a" * 40, 12), ConflictingFile("b/c.py", "a" * 40, 12), ConflictingFile("d.py"))
    [found] = unmet_requirements(candidate(conflicts=files), rules(), BranchRules(), base="v0.3", now=NOW)
    assert (found.code, found.holder) == ("conflict", "author")
    assert found.reason == "it conflicts with its base in a.txt, b/c.py (changed by #12, aaaaaaaaaaaa); d.py"


def test_a_request_for_changes_holds_until_it_is_taken_back() -> None:
    asked = PullRequestReview("Rita", "CHANGES_REQUESTED", "c" * 40)
    assert codes(candidate(reviews=(asked, PullRequestReview("rita", "COMMENTED", HEAD)))) == ["changes-requested"]
    assert codes(candidate(reviews=(asked, PullRequestReview("rita", "DISMISSED", HEAD)))) == []
    assert codes(candidate(reviews=(asked, PullRequestReview("rita", "APPROVED", HEAD)))) == []


def test_what_could_not_be_read_is_never_met() -> None:
    assert codes(candidate(checks=None)) == ["unreadable"]
    assert codes(candidate(reviews=None)) == ["unreadable"]
    assert codes(candidate(), None) == ["unreadable"]


@pytest.mark.parametrize(
    ("approval", "words"),
    [
        (Approval("olga", EFFECT, "c" * 40, NOW), f"approved head {'c' * 12}, and it is {HEAD[:12]}"),
        (Approval("olga", "f" * 64, HEAD, NOW), f"approved plan {'f' * 12}, and it is {'e' * 12}"),
        (Approval("olga", EFFECT, HEAD, NOW - timedelta(hours=73)), "has expired"),
        (Approval("olga", EFFECT, HEAD, NOW + timedelta(hours=73)), "one of the clocks is wrong"),
    ],
)
def test_p7_an_approval_of_something_else_names_both_values(approval: Approval, words: str) -> None:
    [found] = unmet_requirements(candidate(approvals=(approval,)), rules(), BranchRules(), base="v0.3", now=NOW)
    assert found.code == "approval" and words in found.reason


def test_p7_quorum_counts_people() -> None:
    twice = (Approval("olga", EFFECT, HEAD, NOW), Approval("OLGA", EFFECT, HEAD, NOW))
    wanted = {"quorum": 2, "people": ["olga", "pete"]}
    assert codes(candidate(approvals=twice), approvals=wanted) == ["approval"]
    assert codes(candidate(approvals=(*twice, Approval("pete", EFFECT, HEAD, NOW))), approvals=wanted) == []
    assert codes(candidate(approvals=(Approval("mallory", EFFECT, HEAD, NOW),))) == ["approval"]
    assert codes(candidate(approvals=()), approvals={"quorum": 0}) == []


def test_everything_that_is_unmet_is_listed() -> None:
    bad = candidate(draft=True, checks=(), approvals=(), mergeable_state="dirty", mergeable=False)
    assert codes(bad) == ["draft", "check-missing", "conflict", "approval"]
