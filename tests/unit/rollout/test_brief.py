"""An entry of the brief: commits grouped by meaning, times that are known, and nothing that acts."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from planner.render.rollout_brief_entry import RolloutBriefEntry, render_rollout_brief_entry, rollout_brief_marker
from planner.rollout.changelog import (
    ChangelogCommit,
    ChangelogGroup,
    changelog_group_of_commit,
    group_commits_by_meaning,
)
from planner.values import JsonObject


@pytest.mark.parametrize(
    ("subject", "meaning"),
    [
        ("feat: device groups", ChangelogGroup.FEATURE),
        ("feat(api)!: another path", ChangelogGroup.BREAKING),
        ("fix(web): a crash", ChangelogGroup.FIX),
        ("FIX: upper case", ChangelogGroup.FIX),
        ("perf: one query", ChangelogGroup.PERFORMANCE),
        ("chore: tidy", ChangelogGroup.INTERNAL),
        ("ci: cache", ChangelogGroup.OPERATION),
        ("Add a route for devices", ChangelogGroup.FEATURE),
        ("Fixes the queue", ChangelogGroup.FIX),
        ("Remove the old gateway", ChangelogGroup.REMOVED),
        ("bump node to 22", ChangelogGroup.OPERATION),
        ("Rename a module", ChangelogGroup.INTERNAL),
        ("address book", ChangelogGroup.OTHER),  # no "add"
        ("unknown: type", ChangelogGroup.OTHER),
        ("", ChangelogGroup.OTHER),
    ],
)
def test_meaning(subject: str, meaning: ChangelogGroup) -> None:
    assert changelog_group_of_commit(ChangelogCommit("a" * 40, subject)) is meaning


def test_a_breaking_footer_counts_whatever_the_subject_says() -> None:
    assert list(
        group_commits_by_meaning([ChangelogCommit("a", "fix: x", breaking=True), ChangelogCommit("b", "feat: y")])
    ) == [
        ChangelogGroup.BREAKING,
        ChangelogGroup.FEATURE,
    ]


def record(**more: object) -> JsonObject:
    """As much of a closeout record as an entry reads."""
    tasks = [
        {"task": "build-api", "seconds": 61.0, "queueSeconds": 7.0, "state": "succeeded"},
        {"task": "plan", "seconds": 2.0, "queueSeconds": 0.0, "state": "failed"},
    ]
    return {
        "key": {"lane": "D601/v03", "commit": "a" * 40},
        "run": {"name": "run-1", "startTime": "2026-11-30T10:00:00Z", "completionTime": "2026-11-30T10:02:00Z"},
        "gitops": {"commit": "b" * 40},
        "verdict": {"targetValidation": {"state": "passed"}},
        "counters": {"totalSeconds": 130.0, "pipelineSeconds": 120.0, "syncSeconds": 8.0, "probeSeconds": None},
        "evidence": {"tasks": {"value": tasks}},
        **more,
    }


def test_an_entry() -> None:
    commits = (ChangelogCommit("c" * 40, "feat: groups"), ChangelogCommit("d" * 40, "fix: a crash"))
    text = render_rollout_brief_entry(RolloutBriefEntry(record(), 17, commits, "e" * 40))
    assert text == "\n".join(
        [
            "### `D601/v03` `aaaaaaaaaaaa`, pull request #17: passed",
            "",
            "`2026-11-30T10:00:00Z` to `2026-11-30T10:02:00Z`, run `run-1`, GitOps `bbbbbbbbbbbb`",
            "",
            "| total | CI (PipelineRun) | CD (sync) |",
            "|---|---|---|",
            "| 2m10s | 2m00s | 8.0s |",
            "",
            "2 TaskRuns, 1 without success; the slowest: `build-api` 1m01s (queued 7.0s), `plan` 2.0s.",
            "",
            "2 commits since `eeeeeeeeeeee`:",
            "",
            "**New**",
            "- `feat: groups` `cccccccccccc`",
            "",
            "**Fixed**",
            "- `fix: a crash` `dddddddddddd`",
        ]
    )


@pytest.mark.parametrize(
    "subject", ["@admin <script>x</script>", "[x](http://evil)", "`a` ``b``", "| a | b", "<!-- hwplan:x -->"]
)
def test_a_hostile_subject_stays_text(subject: str) -> None:
    text = render_rollout_brief_entry(RolloutBriefEntry(record(), 0, (ChangelogCommit("c" * 40, subject),)))
    line = next(line for line in text.splitlines() if line.startswith("- "))
    shown = [part for token in MarkdownIt("commonmark").parse(line) for part in token.children or ()]
    acting = [
        one for one in shown if one.type not in ("text", "code_inline") and one.content not in ("<code>", "</code>")
    ]
    assert not acting and not any("@" in one.content for one in shown if one.type == "text" and "<code>" not in line)


def test_an_entry_fits_and_says_what_it_left_out() -> None:
    many = tuple(ChangelogCommit(f"{at:040}", f"feat: {'<' * 200} {at}") for at in range(300))
    text = render_rollout_brief_entry(RolloutBriefEntry(record(), 0, many))
    assert len(text) < 65_000 and "and 240 older ones" in text


def test_nothing_is_claimed_that_was_not_recorded() -> None:
    counters: JsonObject = {"totalSeconds": None}
    text = render_rollout_brief_entry(RolloutBriefEntry(record(run=None, counters=counters, evidence={}), 0, ()))
    assert "No times were recorded." in text and "run `none`" in text and "No new commit" in text


def test_the_marker_is_one_of_githubs_kinds() -> None:
    assert re.fullmatch(r"[a-z0-9][-a-z0-9:./@]{2,120}", rollout_brief_marker("D601/v03", "a" * 64))
