"""`hwplan trigger` on real parts: a commit that comes during the wait. In the gate: a sandbox does not show it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.rollout.real_lane import GITOPS, NOTIFIER, RealLane
from tests.testbed import processes
from tests.testbed.tekton_steps import Outcome, Step

pytestmark = pytest.mark.timeout(900)


def test_b2_b3_a_commit_during_the_wait_supersedes(settled: RealLane) -> None:
    """R7, B2, B3, B12: the older one ends superseded, nothing of it is promoted, and the next trigger takes the new."""
    lane, building, go_on = settled, threading.Event(), threading.Event()

    def slow(step: Step) -> Outcome:
        building.set()
        go_on.wait(60)
        return lane.scripts(step)

    lane.programs["build-hwlab-notifier"] = slow
    old, promoted = lane.grow(NOTIFIER), lane.mirror.at(GITOPS)
    name = lane.run_name()
    try:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(lane.trigger, "--confirm", code=3)
            assert building.wait(60)
            new = lane.grow(NOTIFIER)
            ended = waiting.result(120)
        lane.hwplan("mirror", "sync", *lane.words, "--confirm", "-q")  # the promotion reads the branch there
    finally:
        go_on.set()
        del lane.programs["build-hwlab-notifier"]
    assert f"superseded by {new[:12]}" in ended.out.splitlines()[-1], ended.out
    processes.wait_until("the older run", lambda: lane.state_of(name) != "Unknown" or None, deadline=60)
    assert (lane.state_of(name), lane.mirror.at(GITOPS)) == ("False", promoted)
    found = lane.status("--source-commit", old)
    assert found["targetValidation"]["state"] == "superseded"
    lane.trigger("--confirm")
    assert lane.serving() == new
    lane.aligned()
