"""Any plan, killed anywhere, resumed and killed again: each effect is made once, in order, and the plan is then empty.

A schedule is a world, what is wanted of it, how many work at once, and up to three kills. `HWPLAN_SCHEDULES` runs more.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from planner.plan import LEAVING, Plan
from planner.resource import SET_LABEL
from state import StateStore
from tests.faults.planned_world import World, document, killed, planned, run

SCHEDULES = int(os.environ.get("HWPLAN_SCHEDULES", "500"))
GROUPS = 5
NAMES = [f"n{number}" for number in range(7)]
POINTS = [
    "run.begin.commit", "run.begun", "run.drained", "run.end.commit", "run.ended", "lease.taken",
    "journal.batch.begin", "journal.batch.fenced", "journal.batch.commit", "journal.batch.committed",
    "node.begin", "node.began", "node.effect", "node.effected", "node.applied", "node.look", "node.ready", "node.end",
    "node.ended", "lease.release.commit", "state.create.linked", "lease.take.commit",
]  # fmt: skip
KILLS = st.lists(st.tuples(st.sampled_from(POINTS), st.integers(1, 4)), min_size=1, max_size=3)


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, tuple[int, list[str]]]:
    """What is wanted: a version of each object, and what it comes after."""
    found: dict[str, tuple[int, list[str]]] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1)):
        needs = draw(st.lists(st.sampled_from(sorted(found)), unique=True, max_size=3)) if found else []
        found[name] = (draw(st.integers(1, 2)), needs)
    return found


THERE = st.dictionaries(st.sampled_from(NAMES), st.tuples(st.integers(1, 2), st.booleans()))


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_kill_then_a_resume_then_the_same_plan(group: int) -> None:
    """Groups are drawn from seeds of their own, so that several workers share the schedules."""

    @seed(group)
    @settings(max_examples=SCHEDULES // GROUPS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(there=THERE, wanted=wishes(), parallelism=st.sampled_from([1, 2, 4]), kills=KILLS)
    def each(
        there: dict[str, tuple[int, bool]],
        wanted: dict[str, tuple[int, list[str]]],
        parallelism: int,
        kills: list[tuple[str, int]],
    ) -> None:
        _killed_and_resumed(there, wanted, parallelism, kills)

    each()


def _killed_and_resumed(
    there: dict[str, tuple[int, bool]],
    wanted: dict[str, tuple[int, list[str]]],
    parallelism: int,
    kills: list[tuple[str, int]],
) -> None:
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="hwplan-schedule-", dir=base))
    try:
        world = World(folder / "world.log")
        for name, (version, orphan) in there.items():
            world.add(name, "before", document(name, version, orphan=orphan))
        plan = planned(world, wanted)
        for point, occurrence in kills:
            assert killed(folder, plan, parallelism, f"{point}=kill@{occurrence}") in (0, -signal.SIGKILL)
        with StateStore.open(folder / "s" / "state.db") as store:
            ended = bool(store.history()) and store.unfinished_run() is None
        if not ended:
            run(folder, plan, parallelism)
        _check(folder, world, plan, set(there))
        assert planned(world, wanted).is_empty
    finally:
        shutil.rmtree(folder)


def _check(folder: Path, world: World, plan: Plan, there: set[str]) -> None:
    """Each change made once, after all that it needs; on record exactly what is ours now."""
    made = [line["name"] for line in world.lines() if line["effect"] != "before"]
    assert sorted(made) == sorted(change.address.name for change in plan.changes)
    for change in plan.changes:
        assert all(made.index(need.name) < made.index(change.address.name) for need in change.needs)
    ours = {name for name, one in world.objects().items() if SET_LABEL in one["metadata"].get("labels", {})}
    applied = {change.address.name for change in plan.changes if change.action not in LEAVING}
    with StateStore.open(folder / "s" / "state.db") as store:
        store.check()
        assert store.unfinished_run() is None and store.holder() == ""
        assert {record.address.name for record in store.records()} == applied <= ours
