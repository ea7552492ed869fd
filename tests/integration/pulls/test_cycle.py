"""A monitor's cycles over the local GitHub: what is merged, what is not, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

from planner.render.pull_request_cycle_text import render_pull_request_cycle
from tests.integration.pulls.pull_world import REPO, PullWorld
from tests.testbed.github_server import BOT_TOKEN


def test_s01_one_is_merged_verified_rolled_out_and_reported(world: PullWorld) -> None:
    """P2, P10, S02: at most one merge in a cycle; the comment is one, updated in place; then there is nothing to do."""
    first, head = world.pull("one")
    second, _ = world.pull("two")
    record = world.cycle()
    assert record.result == "done" and record.exit_code == 0
    assert [(one.pull, one.outcome) for one in record.deliveries] == [(first, "passed")]
    commit = world.tip()
    assert world.bare.git("rev-parse", f"{commit}^2") == head and world.merges() == 1
    assert world.runs() == [f"hwlab-v03-ci-poll-{commit[:12]}"]
    (comment,) = world.comments(first)
    for words in ("**Rolled out**", "| targetValidation | `passed` |", commit, world.runs()[0], "pendingFlush=false"):
        assert words in comment
    assert world.comments(second) == []
    verdicts = {one.number: one for one in record.decision.verdicts}
    assert verdicts[first].next_action == "merge" and verdicts[second].position == 2


def test_p18_nothing_is_written_when_nothing_changed(world: PullWorld) -> None:
    number, _ = world.pull("one", labels=["do-not-merge"])
    held, _ = world.pull("two")
    with world.github.stored(REPO) as rows:
        rows.add("issues", number=99, title="Freeze", body="", author="alice", state="open", labels=["freeze"])
    record = world.cycle()
    assert [one.reason for one in record.decision.lane] == ["issue 99 freezes it"] and world.merges() == 0
    (status,) = world.rows("statuses")
    assert (status["state"], status["description"]) == ("error", "issue 99 freezes it")
    before = len(world.github.writes())
    for _ in range(3):
        assert world.cycle().result == "waiting"
    assert len(world.github.writes()) == before
    assert {one.number: [lack.code for lack in one.unmet] for one in world.records[-1].decision.verdicts} == {
        number: ["blocking-label"],
        held: [],
    }


def test_a_dry_run_writes_nothing_anywhere(world: PullWorld) -> None:
    world.pull("one")
    before = (world.box / ".hwplan" / "state.db").read_bytes()
    record = world.cycle(dry_run=True)
    assert record.result == "dry-run" and record.decision.merge is not None
    assert world.github.writes() == [] and world.runs() == []
    assert (world.box / ".hwplan" / "state.db").read_bytes() == before


def test_p5_the_queue_waits_for_githubs_word_about_the_first(open_world: Callable[..., PullWorld]) -> None:
    """While GitHub computes mergeability nothing is merged, and nobody is passed over."""
    world = open_world(late=2)
    first, _ = world.pull("one")
    second, _ = world.pull("two")
    world.rule(freshness="head")
    record = world.cycle()
    assert record.result == "waiting" and record.decision.paused == f"waits for GitHub's word on pull request {first}"
    merged = [found.pull for _ in range(6) for found in world.cycle().deliveries]
    assert merged == [first, second]


def test_p4_a_check_that_is_run_again_without_a_push_is_seen_by_the_next_cycle(world: PullWorld) -> None:
    """No list shows it: candidates that wait for nothing else are looked at first, however many others there are."""
    number, head = world.pull("red")
    world.check(head, conclusion="failure")
    for at in range(9):
        _, other = world.pull(f"other-{at}", labels=["do-not-merge"])
        world.check(other, conclusion="failure")
        with world.pull_request_row(number + 1 + at) as row:
            row["labels"] = []
        world.github.add_review(number + 1 + at, "olga", "CHANGES_REQUESTED", other, repo=REPO)
    world.rule(freshness="head")
    for _ in range(3):
        assert world.cycle().result == "waiting" and world.unmet(number) == ["check-failed"]
    world.check(head, conclusion=None)
    world.cycle()
    assert world.unmet(number) == ["check-pending"]
    world.check(head)
    assert world.cycle().result == "done" and world.merges() == 1


def test_p8_a_conflict_names_the_pull_request_that_was_merged_before(world: PullWorld) -> None:
    world.rule(freshness="head")
    first, _ = world.pull("first", {"README.md": "first\n"})
    second, _ = world.pull("second", {"README.md": "second\n"})
    assert world.cycle().result == "done"
    merged = world.tip()
    world.cycle()
    (found,) = [one for one in world.records[-1].decision.verdicts if one.number == second]
    reason = f"it conflicts with its base in README.md (changed by #{first}, {merged[:12]})"
    assert [one.reason for one in found.unmet] == [reason]
    page = render_pull_request_cycle(world.records[-1], "D601/v03", REPO, "v0.3")
    assert f"(changed by #{first}, {merged[:12]})" in page
    (issue,) = world.issues()
    assert f"#{first}" in unescape(issue["body"]) and merged[:12] in issue["body"]


def test_p20_a_hostile_pull_request_goes_through_a_whole_cycle(world: PullWorld) -> None:
    """Nothing of it is obeyed, and no credential is in what is stored or told."""
    title = "\x1b[2J$(reboot) `id` {{ lane }} <!-- hwplan:rollout:v03:d601 --> @pikasTech"
    number, _ = world.pull("one", title=title)
    record = world.cycle()
    assert record.result == "done"
    page = render_pull_request_cycle(record, "D601/v03", REPO, "v0.3")
    assert "\x1b" not in page and "$(reboot)" in page
    told = "\n".join([*world.comments(number), *(one["description"] for one in world.rows("statuses"))])
    assert "reboot" not in told and "pikasTech" not in told
    for stored in (world.box / ".hwplan").rglob("*"):
        assert not stored.is_file() or BOT_TOKEN.encode() not in stored.read_bytes(), stored
    assert BOT_TOKEN not in told + page
