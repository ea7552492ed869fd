"""`hwplan trigger` on real parts: what its waiting costs the API server, and what it adds to the stages' own times."""

from __future__ import annotations

import re
import resource
import time

import pytest

from tests.e2e.rollout.real_lane import NOTIFIER, RUNTIME, RealLane
from tests.testbed import audit
from tests.testbed.tekton_steps import Outcome, Step

pytestmark = pytest.mark.timeout(900)
_OWN_SECONDS = 5.0  # of work that a trigger may add to the stages' own times
_BUILD_SECONDS = 8.0


def test_r12_r13_what_a_trigger_adds_of_its_own(settled: RealLane) -> None:
    """R12, R13: at most a request a second while it waits, and 5 s of work of its own. Work is counted, not the time
    that passes: on a machine that is busy with other things that says nothing."""
    lane = settled

    def slow(step: Step) -> Outcome:
        step.over.wait(_BUILD_SECONDS)
        return lane.scripts(step)

    lane.programs["build-hwlab-notifier"] = slow
    lane.grow(NOTIFIER)
    since, before, began = audit.mark(lane.cluster), _spent(), time.monotonic()
    done = lane.trigger("--confirm", "--wait")
    passed, worked = time.monotonic() - began, _spent() - before
    del lane.programs["build-hwlab-notifier"]
    made = audit.requests(lane.cluster, since, user_agent="hwplan/")
    waits = [one for one in made if one.name in (lane.run_name(), RUNTIME) and one.verb == "get" and one.resource in
             ("pipelineruns", "applications")]  # fmt: skip
    print(f"{passed:.1f} s passed, {worked:.1f} s of work, {len(waits)} requests while it waited, {len(made)} in all")
    print(re.search(r".*total.*", done.out))
    assert 0.2 < worked <= _OWN_SECONDS, f"{worked:.1f} s of work"  # nothing at all would be of no child of ours
    assert 0 < len(waits) <= passed + 2, [one.uri for one in waits]
    lane.aligned()


def _spent() -> float:
    """Seconds of processor time of all commands that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
