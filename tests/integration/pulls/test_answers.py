"""Answers that are lost, cut, from a wrong clock or written by others: nothing is merged twice, or on half a list."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from planner.pull_requests.text_markers import marker_line
from planner.rfc3339 import parse_time
from planner.spec.pull_requests import MergeWindow
from tests.integration.pulls.pull_world import REPO, PullWorld
from tests.testbed.github_server import Fault


@pytest.mark.parametrize(
    "fault",
    [
        Fault("lose-answer", "PUT", "/merge"),
        Fault("lose-request", "PUT", "/merge"),
        Fault("status", "PUT", "/merge", 502),
        Fault("cut", "PUT", "/merge"),
    ],
    ids=lambda fault: fault.action,
)
def test_p9_an_answer_to_the_merge_that_is_lost_is_looked_up(world: PullWorld, fault: Fault) -> None:
    """502 after merging, and the others: one merge, one rollout, one comment."""
    number, head = world.pull("one")
    world.github.faults.append(fault)
    assert world.cycle().result == "done"
    merged = [one for one in world.rows("pulls") if one.get("merged")]
    assert [one["number"] for one in merged] == [number] and world.bare.git("rev-parse", f"{world.tip()}^2") == head
    assert len(world.runs()) == 1 and len(world.comments(number)) == 1


def test_p9_p21_an_answer_that_stays_unknown_is_settled_by_the_next_cycle(world: PullWorld) -> None:
    number, _ = world.pull("one")
    world.github.faults += [
        Fault("lose-answer", "PUT", "/merge"),
        Fault("status", "GET", f"/pulls/{number}$", 502, times=9, skip=3),
    ]
    record = world.cycle()
    assert record.result == "unknown" and record.exit_code == 1, record.notes
    world.github.faults.clear()
    assert world.cycle().result == "done"
    assert world.github.count("PUT", "/merge") == 1 and len(world.runs()) == 1 and len(world.comments(number)) == 1


def test_p1_one_page_of_the_list_fails_and_nothing_is_merged(world: PullWorld) -> None:
    for at in range(4):
        world.pull(f"change-{at}")
    with world.github.stored(REPO) as rows:
        for at in range(396):
            rows.add("pulls", number=1000 + at, title="Draft", author="ann", state="open", labels=[], head="change-1",
                     base="v0.3", draft=True)  # fmt: skip
    # The third page of four, until the client gives up.
    world.github.faults.append(Fault("status", "GET", f"/repos/{REPO}/pulls$", 502, times=9, skip=3))
    record = world.cycle()
    assert record.result == "unknown" and record.exit_code == 1 and world.github.writes() == []
    assert [one.code for one in record.decision.lane] == ["list-unreadable"] and record.decision.verdicts == ()
    world.github.faults.clear()
    assert world.cycle().result == "done" and len(world.records[-1].decision.verdicts) == 400


def test_400_open_pull_requests_and_nothing_to_do_take_ten_requests_beside_the_list(world: PullWorld) -> None:
    """P18: also from a new process, which remembers nothing but the state."""
    _, head = world.pull("failing")
    world.check(head, conclusion="failure")
    with world.github.stored(REPO) as rows:
        for at in range(399):
            draft = {"draft": True} if at % 3 == 0 else {"labels": ["wip"]} if at % 3 == 1 else {}
            fields = {"labels": [], "author": "pikasTech", **draft}
            rows.add(
                "pulls", number=1000 + at, title=f"Change {at}", state="open", head="failing", base="v0.3", **fields
            )
    while world.cycle().requests > 100:
        pass
    world.cycle()
    writes, asked = len(world.github.writes()), len(world.github.log)
    record = world.cycle()
    assert record.result == "waiting" and len(record.decision.verdicts) == 400
    assert len(world.github.writes()) == writes
    assert len(world.github.log) - asked <= 4 + 10, [one.path for one in world.github.log[asked:]]


@pytest.mark.parametrize("skew", [-90_000.0, 90_000.0])
def test_windows_are_by_the_clock_of_the_server(open_world: Callable[..., PullWorld], skew: float) -> None:
    """Clock skew: ours may be wrong by a day and an hour."""
    from datetime import UTC, datetime

    world = open_world(skew=skew)
    day = datetime.fromtimestamp(world.github.now(), UTC).strftime("%a").lower()
    world.pull("one")
    other = tuple(one for one in ("mon", "tue", "wed", "thu", "fri", "sat", "sun") if one != day)
    world.rule(windows=(MergeWindow(days=other, start="00:00", end="23:59"),))
    world.cycle()
    assert [one.code for one in world.records[-1].decision.lane] == ["window"] and world.merges() == 0
    world.rule(windows=(MergeWindow(days=(day,), start="00:00", end="00:00"),))
    assert world.cycle().result == "done" and world.merges() == 1


@pytest.mark.parametrize("skew", [-90_000.0, 90_000.0])
def test_a_decision_to_merge_is_dated_by_the_clock_of_the_server(
    open_world: Callable[..., PullWorld], skew: float
) -> None:
    """Comments count from it on, and GitHub dates those: in a new process nothing has told the time before it."""
    world = open_world(skew=skew)
    world.pull("one")
    record = world.cycle()
    begun = parse_time(record.deliveries[0].begun)
    assert begun is not None and abs(begun.timestamp() - world.github.now()) < 600


def test_p15_a_marker_that_somebody_else_wrote_is_text(world: PullWorld) -> None:
    """The comment author spoofed by the same marker: ours is written beside it, and theirs is left alone."""
    number, _ = world.pull("one")
    spoofed = f"**Rolled out**\n\n{marker_line('rollout:v03:d601')}"
    with world.github.stored(REPO) as rows:
        rows.add("comments", issue=number, author="mallory", body=spoofed)
    assert world.cycle().result == "done"
    assert len(world.comments(number)) == 1
    theirs = [one["body"] for one in world.rows("comments") if one["author"] == "mallory"]
    assert theirs == [spoofed] and world.github.count("DELETE") == 0


def test_p18_below_the_reserve_nothing_is_merged(world: PullWorld) -> None:
    world.pull("one")
    world.github.remaining = 150
    record = world.cycle()
    assert [one.code for one in record.decision.lane] == ["quota"] and world.merges() == 0
