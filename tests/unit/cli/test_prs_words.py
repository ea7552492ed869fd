"""Which lane and node the words of `hwplan prs` mean: the one that merges, where no node is named (B10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.app.pull_requests.monitored_lane import find_monitored_lane
from planner.app.request import Request
from planner.errors import SelectionError

CONFIG = Path(__file__).parents[3] / "config"


@pytest.mark.parametrize(("lane", "node"), [("g14", "G14"), ("v02", "G14"), ("v03", "D601")])
def test_without_a_node_it_is_the_one_that_merges(lane: str, node: str) -> None:
    place = find_monitored_lane(Request(config=CONFIG, lanes=(lane,)))
    assert (place.node, place.lane, place.merges, place.repo) == (node, lane, True, "pikasTech/HWLAB")
    assert place.key == f"hwlab/{node}/{lane}" and place.git["remote"].startswith("ssh://")


def test_another_node_of_the_lane_merges_nothing() -> None:
    place = find_monitored_lane(Request(config=CONFIG, lanes=("v03",), nodes=("JD01",)))
    assert (place.node, place.merges, place.rules.authority) == ("JD01", False, "D601")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "which lane"),
        ({"lanes": ("v04",)}, "no lane v04 takes pull requests"),
        ({"lanes": ("v02", "v03")}, "one lane of one node"),
        ({"lanes": ("v02",), "nodes": ("D601",)}, "D601/v02 takes no pull requests"),
        ({"lanes": ("v03",), "scopes": ("rollout",)}, "takes a lane, and a node"),
    ],
)
def test_other_words_are_refused(words: dict[str, tuple[str, ...]], said: str) -> None:
    with pytest.raises(SelectionError, match=said):
        find_monitored_lane(Request(config=CONFIG, **words))  # type: ignore[arg-type]
