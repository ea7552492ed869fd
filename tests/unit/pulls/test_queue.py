"""The decision of a cycle: order, one merge, what pauses a lane (P1, P2, P5, P13, P14, P17, P18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from planner.pull_requests.commit_status import MOST, commit_status_of_candidate
from planner.pull_requests.github_facts import BranchRules, IssueFacts
from planner.pull_requests.merge_queue import CycleDecision, choose_candidate_to_merge
from planner.pull_requests.predicted_merge_verification import ConflictingFile
from tests.unit.pulls.samples import CALM, NOW, candidate, decision, rules


def merged(found: CycleDecision) -> int | None:
    return found.merge.pull.number if found.merge else None


def test_p2_one_merge_the_oldest_first() -> None:
    found = decision(candidate(9), candidate(4), candidate(5, draft=True))
    assert merged(found) == 4
    assert [(one.number, one.position, one.next_action) for one in found.verdicts] == [
        (4, 1, "merge"),
        (5, None, "author: it is a draft"),
        (9, 2, "wait: position 2 of 2"),
    ]


def test_a_priority_label_goes_first() -> None:
    found = decision(candidate(4), candidate(9, labels=("Hotfix",)), priorityLabels={"hotfix": 10})
    assert merged(found) == 9


def test_p5_an_answer_that_github_still_owes_pauses_the_lane() -> None:
    waiting = candidate(4, mergeable=None, mergeable_state="unknown")
    found = decision(waiting, candidate(9))
    assert merged(found) is None and found.paused == "waits for GitHub's word on pull request 4"
    assert merged(decision(replace(waiting, approvals=()), candidate(9))) == 9, "one that lacks more is passed over"


def test_p1_a_list_that_was_not_read_whole_merges_nothing() -> None:
    found = choose_candidate_to_merge(None, rules(), BranchRules(), CALM, base="v0.3", now=NOW)
    assert merged(found) is None and found.verdicts == () and "list of pull requests" in found.paused


def issue(
    title: str = "Stop", *, body: str = "", labels: tuple[str, ...] = ("freeze",), is_open: bool = True
) -> IssueFacts:
    return IssueFacts(3, "ann", title, body, is_open, labels)


@pytest.mark.parametrize(
    ("issues", "codes"),
    [
        ([issue()], ["frozen"]),
        ([issue(labels=("Freeze", "x"))], ["frozen"]),
        ([issue(is_open=False)], []),
        ([issue(labels=())], []),
        ([issue("Stop branch:v0.2")], []),
        ([issue("Stop branch:v0.3")], ["frozen"]),
        ([issue(body="branch:v0.2\nbranch:v0.3")], ["frozen"]),
        ([replace(issue(), is_pull=True)], []),
        (None, ["freeze-unreadable"]),
    ],
)
def test_p13_freeze(issues: list[IssueFacts] | None, codes: list[str]) -> None:
    found = decision(candidate(), state=replace(CALM, issues=issues))
    assert [one.code for one in found.lane] == codes
    assert merged(found) == (None if codes else 17)


def test_p13_a_closed_lane_and_its_minimum_priority() -> None:
    closed = {"reason": "holidays", "until": "2026-12-01T00:00:00Z"}
    assert merged(decision(candidate(), closed=closed)) is None
    assert merged(decision(candidate(), closed=closed, at=datetime.fromisoformat("2026-12-01T00:00:01Z"))) is None, (
        "the approval has expired by then"
    )
    urgent: dict[str, Any] = {"closed": {**closed, "minimumPriority": 5}, "priorityLabels": {"hotfix": 9, "nice": 1}}
    assert merged(decision(candidate(4, labels=("nice",)), candidate(9, labels=("hotfix",)), **urgent)) == 9


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-04T08:00:00Z", True),  # Wednesday
        ("2026-11-04T17:59:59Z", True),
        ("2026-11-04T18:00:00Z", False),
        ("2026-11-05T09:00:00Z", False),
        ("2026-11-06T23:30:00Z", True),  # Friday night
        ("2026-11-07T01:59:00Z", True),
        ("2026-11-07T02:00:00Z", False),
        ("2026-11-07T23:30:00Z", False),
    ],
)
def test_p13_windows(at: str, is_open: bool) -> None:
    windows = [{"days": ["wed"], "start": "08:00", "end": "18:00"}, {"days": ["fri"], "start": "23:00", "end": "02:00"}]
    found = decision(candidate(), at=datetime.fromisoformat(at), windows=windows)
    assert ("window" in [one.code for one in found.lane]) is not is_open


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"failures": 3}, "self-stop"),
        ({"remaining": 199}, "quota"),
        ({"hold": "ann rolled out an old commit"}, "hold"),
        ({"mismatch": "tree differs"}, "merge-mismatch"),
    ],
)
def test_r9_p10_p17_p18_what_stops_the_lane(change: dict[str, object], code: str) -> None:
    found = decision(candidate(), state=replace(CALM, **change))  # type: ignore[arg-type]
    assert [one.code for one in found.lane] == [code] and merged(found) is None
    assert found.verdicts[0].next_action.startswith(("operator: ", "time: "))


def test_p14_the_status_of_each_candidate() -> None:
    found = decision(candidate(4), candidate(5, draft=True, approvals=()), candidate(9))
    statuses = [commit_status_of_candidate(one, found, "v03") for one in found.verdicts]
    assert [(one.state, one.description) for one in statuses] == [
        ("success", "queued: position 1 of 2"),
        ("pending", "it is a draft (and 1 more)"),
        ("success", "queued: position 2 of 2"),
    ]
    assert {one.context for one in statuses} == {"hwplan/v03"}
    frozen = decision(candidate(), state=replace(CALM, issues=[issue()]))
    assert commit_status_of_candidate(frozen.verdicts[0], frozen, "v03").state == "error"


def test_p14_p20_a_status_is_short_and_safe() -> None:
    found = decision(candidate(conflicts=(ConflictingFile("\x1b[31m" + "x" * 300),)))
    text = commit_status_of_candidate(found.verdicts[0], found, "v03").description
    assert len(text) == MOST and "\x1b" not in text


def test_the_order_of_reading_decides_nothing() -> None:
    several = [candidate(number, draft=number % 3 == 0) for number in range(1, 12)]
    assert decision(*several) == decision(*reversed(several))


def test_p12_a_merge_changes_what_the_others_lack() -> None:
    later = candidate(9, contains_base=False)
    assert merged(decision(later, freshness="merge", at=NOW + timedelta(seconds=5))) is None
