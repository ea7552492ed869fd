"""The one lane of real parts that all tests of this folder share; each test leaves it aligned.

`test_once.py` and `test_superseded.py` are part of the gate. The others are collected with `HWPLAN_REAL_ROLLOUT=1`
only: they are some thirty rollouts, of a quarter of a minute to one each. Nothing may be claimed of those of them that
were never green (docs/rollouts.md, "What the tests show").
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.rollout import real_lane
from tests.e2e.rollout.real_lane import RealLane
from tests.testbed.fixtures import part

_LONG = [
    "test_agentrun.py",
    "test_failures.py",
    "test_held.py",
    "test_killed.py",
    "test_monitor_rights.py",
    "test_prediction.py",
    "test_waiting.py",
]
collect_ignore = [] if os.environ.get("HWPLAN_REAL_ROLLOUT") else _LONG


@pytest.fixture(scope="package")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLane]:
    with part(), real_lane.running(tmp_path_factory.mktemp("lane")) as running:
        yield running


@pytest.fixture
def settled(lane: RealLane) -> RealLane:
    """The lane, aligned at its tip, with no more finished runs than the newest."""
    if lane.status(code=None)["aligned"] is not True:
        lane.trigger("--rerun", "--confirm", "-q", code=None)
    lane.aligned()
    lane.forget_old_runs()
    return lane
