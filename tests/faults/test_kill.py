"""kill -9 at every failpoint, again while recovering, and a holder that sleeps through its lease (F1, F2, F22-F25).

`HWPLAN_FAULTS=long` runs every pair instead of a spread of them.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from planner.errors import LockedError
from planner.plan import Plan
from state import StateStore
from tests.faults.kill_world import apply, check, in_child, points, shape, status_of

LONG = os.environ.get("HWPLAN_FAULTS") == "long"
GROUPS = 3
PAIRS = (100_000 if LONG else 300) // GROUPS  # of each group
KILLED = -signal.SIGKILL


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder on a memory disk where there is one: what a kill leaves is the same, and a sync costs nothing."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="hwplan-kill-", dir=base))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("name", "seed", "parallelism"),
    [
        ("chain", 0, 4),
        ("fan", 0, 4),
        ("diamond", 0, 4),
        ("diamond", 0, 1),
        ("random", 1, 4),
        ("random", 2, 1),
        ("random", 3, 16),
        ("random", 5, 2),
        ("random", 6, 1),
        ("random", 7, 8),
    ],
)
def test_killed_at_every_point_and_resumed(memory: Path, name: str, seed: int, parallelism: int) -> None:
    plan = shape(name, seed)
    all_points = points(memory / "undisturbed", plan, parallelism)
    assert len(all_points) >= 60
    for point, occurrence in all_points:
        folder = memory / f"{point}-{occurrence}"
        folder.mkdir()
        code = status_of(in_child(folder, plan, parallelism, f"{point}=kill@{occurrence}"))
        assert code in (KILLED, 0), (point, occurrence)  # 0: batches differ from run to run, so not all come again
        if code == KILLED or point == "lease.released":
            begin = time.monotonic()
            apply(folder, plan, parallelism)
            assert time.monotonic() - begin < 3, "the lease of a dead process is taken at once"
        check(folder, plan)
        shutil.rmtree(folder)


@pytest.mark.parametrize("group", range(GROUPS))
def test_killed_again_while_recovering(memory: Path, group: int) -> None:
    """The points of the first kill are dealt out to groups, so that several workers share them."""
    plan = shape("random", 4)
    firsts = points(memory / "undisturbed", plan, 1)[:: 1 if LONG else 4][group::GROUPS]
    cases = [(first, recovered) for first in firsts for recovered in _recovering_points(memory, plan, first)]
    chosen = cases[:: max(1, len(cases) // PAIRS)]
    assert len(chosen) >= min(PAIRS, len(cases))
    for first, second in chosen:
        folder = memory / "case"
        _copy(memory / "-".join(map(str, first)), folder)
        code = status_of(in_child(folder, plan, 1, f"{second[0]}=kill@{second[1]}"))
        assert code in (KILLED, 0), (first, second)
        if code == KILLED:
            apply(folder, plan, 1)
        check(folder, plan)
        shutil.rmtree(folder)


def _copy(source: Path, target: Path) -> None:
    """A copy in which two names of one file stay two names of one file."""
    subprocess.run(["cp", "-a", source, target], check=True)


def _recovering_points(memory: Path, plan: Plan, first: tuple[str, int]) -> list[tuple[str, int]]:
    """Kill at `first`, keep what it left, and count what a recovery from there passes.

    None when `first` was not passed: how many transactions a run takes is not the same every time.
    """
    left = memory / "-".join(map(str, first))
    left.mkdir()
    if status_of(in_child(left, plan, 1, f"{first[0]}=kill@{first[1]}")) != KILLED:
        return []
    copy = memory / "counting"
    _copy(left, copy)
    try:
        return points(copy, plan, 1)
    finally:
        shutil.rmtree(copy)


@pytest.mark.parametrize("point", ["node.effect", "node.effected", "node.applied", "node.end", "journal.batch.begin"])
def test_a_holder_that_slept_through_its_lease_writes_nothing_more(memory: Path, point: str) -> None:
    plan = shape("chain")
    folder, pid = _stopped_between_transactions(memory, plan, point)
    time.sleep(0.6)
    apply(folder, plan, 4)
    with StateStore.open(folder / "s" / "state.db") as store:
        before = (store.nodes(1), store.records(), store.history())
    os.kill(pid, signal.SIGCONT)
    assert status_of(pid) == 1, "it must notice"
    with StateStore.open(folder / "s" / "state.db") as store:
        assert (store.nodes(1), store.records(), store.history()) == before
    check(folder, plan)


def _stopped_between_transactions(memory: Path, plan: Plan, point: str) -> tuple[Path, int]:
    """A holder that sleeps at `point`, and its folder. While one thread stops there, another may renew the lease: who
    stops inside a transaction keeps SQLite's lock, and nobody can take the lease; such a one is tried again."""
    for attempt in range(20):
        folder = memory / str(attempt)
        folder.mkdir()
        pid = in_child(folder, plan, 4, f"{point}=stop@5", lease_seconds=0.5)
        if not os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1]):
            continue  # a busy machine: the short lease ran out before
        with closing(sqlite3.connect(folder / "s" / "state.db", timeout=0, isolation_level=None)) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
                return folder, pid
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    raise AssertionError(f"never stopped at {point} outside a transaction")


def test_two_appliers_at_once_never_both(memory: Path) -> None:
    plan = shape("diamond")
    for _ in range(10):
        folder = Path(tempfile.mkdtemp(dir=memory))
        pids = [in_child(folder, plan, 4, "") for _ in range(3)]
        assert {status_of(pid) for pid in pids} == {0}, "each waits for the lock and finds nothing left to do"
        check(folder, plan)


def test_a_live_holder_is_not_robbed(memory: Path) -> None:
    plan = shape("fan")
    pid = in_child(memory, plan, 4, "run.begun=stop")
    os.waitpid(pid, os.WUNTRACED)
    with StateStore.open(memory / "s" / "state.db") as store, pytest.raises(LockedError):
        store.acquire("apply")
    os.kill(pid, signal.SIGCONT)
    assert status_of(pid) == 0
    check(memory, plan)
