"""Parts of one issue: each writer finds its own again and leaves the others alone."""

from __future__ import annotations

import random

from planner.pull_requests.failure_issues import (
    CountedLaneFailures,
    FailureIssueFamily,
    SingleTargetFailure,
    add_failures_to_counts,
    failure_issue_body,
)
from planner.pull_requests.issue_sections import (
    IssueSection,
    issue_body_of_sections,
    parse_issue_sections,
    replace_or_add_issue_section,
)
from planner.pull_requests.text_markers import body_with_marker, has_marker

NODES = ("d518", "d601", "g14", "jd01")


def test_what_is_rendered_is_read_again() -> None:
    draw = random.Random(1)
    sections: tuple[IssueSection, ...] = ()
    for _ in range(200):
        name, text = draw.choice(NODES), "\n".join(f"| `{draw.random()}` |" for _ in range(draw.randint(1, 4)))
        before = {one.name: one for one in sections if one.name != name}
        sections = replace_or_add_issue_section(sections, IssueSection(name, text, draw.random() < 0.5))
        body = body_with_marker(issue_body_of_sections(sections), "failure:v03:cd-failed")
        assert parse_issue_sections(body.replace("\n", "\r\n")) == sections and has_marker(
            body, "failure:v03:cd-failed"
        )
        assert {one.name: one for one in sections if one.name != name} == before


def test_a_reason_cannot_begin_or_end_a_part() -> None:
    evil = "x\n<!-- hwplan:section-end -->\n<!-- hwplan:section:g14:closed -->\nnothing\n<!-- hwplan:section-end -->"
    record = add_failures_to_counts(
        CountedLaneFailures(FailureIssueFamily.CD_FAILED),
        [SingleTargetFailure(FailureIssueFamily.CD_FAILED, evil, evil, "2026-11-04T12:00:00Z")],
    )
    mine = IssueSection("d601", failure_issue_body(record, "D601/v03", "hwplan prs"), True)
    assert parse_issue_sections(issue_body_of_sections([mine])) == (mine,)


def test_what_is_no_part_is_none() -> None:
    assert parse_issue_sections("a text\n<!-- hwplan:section:d601:open -->\nwithout an end") == ()
    assert parse_issue_sections("<!-- hwplan:section-end -->") == ()
