"""P21: a cycle that is killed with -9, at any step from the decision to the record, is gone on with by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.pulls.pull_world import PullWorld

ROOT = Path(__file__).parents[3]

# Steps of a delivery in a cycle: to be merged, merged, told, rolled out, told. Between them the nodes of three plans:
# the status, the merge and the comment; the rollout; the comment again.
POINTS = [
    *(f"pulls.delivery.commit=kill@{step}" for step in range(1, 6)),
    "lease.taken=kill@1",  # the merge is written down and was not asked for
    "pulls.delivery.begin=kill@2",
    "pulls.delivery.begin=kill@4",
    *(f"node.effected=kill@{node}" for node in (1, 2, 3, 6, 9)),
    "run.ended=kill@1",
    "run.ended=kill@2",
    "pulls.memory.commit=kill@1",
]


def _killed(world: PullWorld, failpoint: str) -> int:
    request = world.place.request
    words = [
        "--config",
        str(request.config),
        "--node",
        world.place.node,
        "--lane",
        world.place.lane,
        "--live",
        str(world.box),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.pulls.driver", world.github.url, "prs", *words, "--once", "-q"],
        cwd=ROOT,
        env={**os.environ, "HWPLAN_FAILPOINT": failpoint},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


@pytest.mark.parametrize("point", POINTS)
def test_p21_killed_and_gone_on_with(world: PullWorld, point: str) -> None:
    """Exactly one merge, one rollout and one comment, in the server's own log and in the cluster."""
    number, head = world.pull("one")
    assert _killed(world, point) == -signal.SIGKILL, "the point was not reached"
    world.cycle()
    merged = [one for one in world.rows("pulls") if one.get("merged")]
    assert [one["number"] for one in merged] == [number] and world.bare.git("rev-parse", f"{world.tip()}^2") == head
    assert world.merges() == 1, "one merge in the server's log"
    assert world.runs() == [f"hwlab-v03-ci-poll-{world.tip()[:12]}"]
    promotions = world.bare.git("log", "--oneline", "v0.3-gitops").splitlines()
    assert len(promotions) == 2, "the first commit and one promotion"
    (comment,) = world.comments(number)
    assert "| targetValidation | `passed` |" in comment and world.tip() in comment
    before = len(world.github.writes())
    assert world.cycle().result == "idle" and len(world.github.writes()) == before, "and nothing is left to do"
