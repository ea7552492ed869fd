"""Failure issues: one per lane and family (P16, B11), and the self-stop (P17)."""

from __future__ import annotations

import pytest

from planner.pull_requests.failure_issues import (
    CountedLaneFailures,
    FailureIssueFamily,
    SingleTargetFailure,
    add_failures_to_counts,
    count_failures_in_a_row,
    failure_issue_body,
    failure_issue_marker,
    remove_failures_ended_by_success,
)


def failure(
    target: str = "17", at: str = "2026-11-04T12:00Z", family: FailureIssueFamily = FailureIssueFamily.CHECK
) -> SingleTargetFailure:
    return SingleTargetFailure(family, target, "the check test ended failure", at)


def test_p16_a_second_time_updates_count_and_last_seen() -> None:
    record = add_failures_to_counts(CountedLaneFailures(FailureIssueFamily.CHECK), [failure(), failure("9")])
    record = add_failures_to_counts(record, [failure(at="2026-11-05T08:00Z")])
    assert [(one.target, one.count, one.first, one.last) for one in record.targets] == [
        ("17", 2, "2026-11-04T12:00Z", "2026-11-05T08:00Z"),
        ("9", 1, "2026-11-04T12:00Z", "2026-11-04T12:00Z"),
    ]


@pytest.mark.parametrize(
    ("family", "left"),
    [
        (FailureIssueFamily.CHECK, ["9"]),
        (FailureIssueFamily.CONFLICT, ["9"]),
        (FailureIssueFamily.CD_FAILED, []),
        (FailureIssueFamily.CD_TIMEOUT, []),
        (FailureIssueFamily.MERGE_MISMATCH, ["17", "9"]),
    ],
)
def test_p16_what_ends_a_failure(family: FailureIssueFamily, left: list[str]) -> None:
    record = add_failures_to_counts(CountedLaneFailures(family), [failure(family=family), failure("9", family=family)])
    ended = remove_failures_ended_by_success(record, "17")
    assert [one.target for one in ended.targets] == left and ended.is_open is bool(left)


def test_p16_the_marker_is_of_lane_and_family() -> None:
    markers = {failure_issue_marker(lane, family) for lane in ("v02", "v03") for family in FailureIssueFamily}
    assert len(markers) == 2 * len(FailureIssueFamily)


def test_p20_the_body_holds_no_markup_of_others() -> None:
    hostile = SingleTargetFailure(
        FailureIssueFamily.CONFLICT, "17", "x | y\n<script>`@everyone` <!-- hwplan:failure:v02:check -->", "t"
    )
    body = failure_issue_body(
        add_failures_to_counts(CountedLaneFailures(FailureIssueFamily.CONFLICT), [hostile]),
        "v03",
        "hwplan prs --lane v03",
    )
    assert "<script" not in body and "<!--" not in body and " @everyone" not in body
    assert len(body.splitlines()) == 7


@pytest.mark.parametrize(
    ("results", "count"),
    [
        ([], 0),
        (["failed", "failed"], 2),
        (["failed", "done", "failed"], 1),
        (["failed", "failed", "waiting", "failed", "unknown"], 3),
        (["failed", "failed", "failed", "resumed"], 0),
    ],
)
def test_p17_failures_in_a_row(results: list[str], count: int) -> None:
    assert count_failures_in_a_row(results) == count
