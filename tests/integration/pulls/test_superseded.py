"""v02, latest only (S02): two merges in quick succession are one rollout, and two comments that are closed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from planner.pull_requests.deliveries import DeliveryStep
from providers.simulated_github.bare_repository import SimulatedBareRepository
from providers.simulated_github.pulls import close_as_merged, pull_request_row
from tests.integration.pulls.pull_world import REPO, PullWorld


@pytest.fixture
def v02(open_world: Callable[..., PullWorld]) -> PullWorld:
    """G14/v02."""
    return open_world("G14", "v02")


def _merge_by_hand(world: PullWorld, number: int, head: str) -> str:
    with world.github.stored(REPO) as rows:
        made = SimulatedBareRepository(rows.git).merged(world.tip(), head, "merge", "by hand")
        world.bare.put(f"refs/heads/{world.branch}", made)
        close_as_merged(rows, pull_request_row(rows, number), head, made, "alice")
    return made


def test_s02_two_merges_in_quick_succession(v02: PullWorld) -> None:
    """The second is merged by a person while the first one's rollout is about to begin."""
    v02.cycle()
    first, _ = v02.pull("one")
    second, head = v02.pull("two")
    merge = f"/repos/{REPO}/issues/{first}/comments"  # the comment of the merge: right before the rollout
    v02.github.before[f"POST {merge}"] = lambda: _merge_by_hand(v02, second, head)
    record = v02.cycle()
    assert record.exit_code == 0, "superseded is no failure (B12)"
    record = v02.cycle()
    assert record.result in ("done", "idle") and record.exit_code == 0
    assert v02.runs() == [f"hwlab-v02-ci-poll-{v02.tip()[:12]}"], "one effective rollout"
    (comment,), (other,) = v02.comments(first), v02.comments(second)
    assert "| targetValidation | `superseded` |" in comment and v02.tip() in comment and "| end | 20" in comment
    assert "| targetValidation | `passed` |" in other and "| end | 20" in other
    assert v02.cycle().result == "idle" and len(v02.github.writes()) > 0


def test_two_that_were_merged_while_nobody_watched_are_one_rollout(v02: PullWorld) -> None:
    v02.cycle()
    first, one = v02.pull("one")
    second, two = v02.pull("two")
    _merge_by_hand(v02, first, one)
    tip = _merge_by_hand(v02, second, two)
    record = v02.cycle()
    assert {found.pull: found.outcome for found in record.deliveries} == {first: "superseded", second: "passed"}
    assert v02.runs() == [f"hwlab-v02-ci-poll-{tip[:12]}"]
    assert all(found.step is DeliveryStep.REPORTED for found in record.deliveries)


def test_a_push_past_a_merge_is_rolled_out_in_its_place(v02: PullWorld) -> None:
    """The branch went on without a pull request: its tip holds the merge, and nobody else would roll it out."""
    v02.cycle()
    number, head = v02.pull("one")
    _merge_by_hand(v02, number, head)
    tip = v02.bare.write(f"refs/heads/{v02.branch}", {"pushed.txt": "pushed\n"}, "pushed")
    (found,) = v02.cycle().deliveries
    assert (found.outcome, found.newer) == ("superseded", tip)
    assert v02.runs() == [f"hwlab-v02-ci-poll-{tip[:12]}"]


def test_b10_another_node_of_the_lane_merges_nothing_and_rolls_out(open_world: Callable[..., PullWorld]) -> None:
    """Each node of a lane rolls out and reports; one of them merges."""
    world = open_world("G14", "v03")
    assert not world.place.merges
    world.cycle()
    number, head = world.pull("one")
    record = world.cycle()
    assert [one.code for one in record.decision.lane] == ["authority"] and world.github.writes() == []
    _merge_by_hand(world, number, head)
    assert world.cycle().result == "done" and len(world.runs()) == 1
    assert "`G14/v03`" in world.comments(number)[0] and world.rows("statuses") == []
