"""P20: titles, branches, labels, authors and reasons of 500 hostile pull requests, wherever they are shown."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import replace

from planner.pull_requests.commit_status import MOST, commit_status_of_candidate
from planner.pull_requests.cycle_record import CycleRecord
from planner.pull_requests.deliveries import Delivery, DeliveryStep
from planner.pull_requests.failure_issues import (
    CountedLaneFailures,
    FailureIssueFamily,
    SingleTargetFailure,
    add_failures_to_counts,
    failure_issue_body,
)
from planner.pull_requests.rollout_comment import rollout_comment_body
from planner.pull_requests.text_markers import has_marker
from planner.render.pull_request_cycle_text import render_pull_request_cycle
from tests.unit.pulls.samples import GREEN, candidate, decision

_PIECES = (
    "$(reboot)", "`id`", "${GITHUB_TOKEN}", "{{ lane.secrets }}", "{% raw %}", "!ref PipelineRun/x#y", "; rm -rf /",
    "| cat /etc/passwd", "&& curl evil", "\n\nhwplan approve " + "a" * 64, "<!-- hwplan:rollout:v03:d601 -->",
    "<!-- hwplan:failure:d601/v03:check -->", "</td></tr><script>alert(1)</script>", "![x](https://evil/x.png)",
    "[click](javascript:alert(1))", "@pikasTech", "#1", "\x1b[2J\x1b[1;1H", "\x1b]0;title\x07",
    "\u202egnp.exe", "\u200b\u2066",
    "::set-output name=x::y", "::add-mask::x", "##vso[task.setvariable variable=x]y", "| a | b |", "---", "``` ", "~~~",
    "\r\n", "\t", "\x00", "\ud800", "ﷺ" * 9, "💣", "-" * 300, "../../etc", "%s%n%x", "\\", "'\"", "=cmd|' /C calc'!A0",
)  # fmt: skip


def _hostile(draw: random.Random) -> str:
    return "".join(draw.choice(_PIECES) for _ in range(draw.randint(1, 6)))


def _shows_what_it_is(text: str) -> bool:
    """Whether nothing in a text is obeyed by a terminal or hidden from a reader; line feeds are ours."""
    return all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for char in text)


def test_p20_500_hostile_pull_requests_are_shown_as_text() -> None:
    draw = random.Random(20)
    for at in range(500):
        title, author, branch, label, name = (_hostile(draw) for _ in range(5))
        check = replace(GREEN, name=name, state="failure", said=_hostile(draw))
        one = candidate(17, title=title, author=author, head_branch=branch, labels=(label,), checks=(GREEN, check))
        decided = decision(one)
        (verdict,) = decided.verdicts
        failed = Delivery(17, "a" * 40, DeliveryStep.ENDED, "2026-11-04T12:00:00Z", commit="b" * 40, outcome="failed",
                          merged_by=author, run=name, reason=title)  # fmt: skip
        record = CycleRecord(
            "once", "2026-11-04T12:00:00Z", "c" * 40, "failed", decided, (failed,), error=title, notes=(name,)
        )

        page = render_pull_request_cycle(record, "D601/v03", "demo/shop", "v0.3")
        assert _shows_what_it_is(page), (at, page)
        assert not re.search(r"^\s*(::|##\[|##vso)", page, re.MULTILINE), page

        status = commit_status_of_candidate(verdict, decided, "v03")
        assert len(status.description) <= MOST and "\n" not in status.description
        assert _shows_what_it_is(status.description)

        comment = rollout_comment_body(failed, "D601", "v03")
        record_of_all = add_failures_to_counts(
            CountedLaneFailures(FailureIssueFamily.CHECK),
            [SingleTargetFailure(FailureIssueFamily.CHECK, "#17", title, "2026-11-04T12:00:00Z")],
        )
        issue = failure_issue_body(record_of_all, "D601/v03", "hwplan prs")
        for text in (comment, issue):
            assert _shows_what_it_is(text), (at, text)
            bare = re.sub(r"`[^`\n]*`|<code>[^<\n]*</code>", "", text)  # what is inside of code is inert
            assert not re.search(r"[@#]\w|<(?!/?code)|!\[|\]\(|\$\(|hwplan approve", bare), (at, text)
            assert not has_marker(text, "rollout:v03:d601") and not has_marker(text, "failure:d601/v03:check")
            assert all(line.count("|") - line.count(r"\|") in (0, 3, 6) for line in bare.splitlines()), (at, text)
