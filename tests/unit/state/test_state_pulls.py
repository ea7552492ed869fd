"""Cycles, deliveries and memory in the state: counted where they say the same, refused where two wrote at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.errors import StalePlan, StateError
from state.state_store import StateStore

LANE = "hwlab/D601/v03"


def test_p19_idle_cycles_are_counted_and_others_are_listed(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "state.db") as store:
        for content in ("one", "one", "one", "two"):
            store.pulls.append_cycle(LANE, "monitor", "idle", content, f'"{content}"', repeats=True)
        store.pulls.append_cycle(LANE, "monitor", "failed", "two", "{}", repeats=False)
        store.pulls.append_cycle(LANE, "monitor", "failed", "two", "{}", repeats=False)
        found = [(one.number, one.result, one.times) for one in store.pulls.cycles(LANE)]
    assert found == [(4, "failed", 1), (3, "failed", 1), (2, "idle", 1), (1, "idle", 3)]


def test_s01_each_purpose_has_its_own_newest(tmp_path: Path) -> None:
    """S01: a once run never overwrites a monitor's pointer."""
    with StateStore.open(tmp_path / "state.db") as store:
        store.pulls.append_cycle(LANE, "monitor", "idle", "a", "1", repeats=True)
        store.pulls.append_cycle(LANE, "once", "idle", "a", "2", repeats=True)
        store.pulls.append_cycle(LANE, "monitor", "idle", "a", "3", repeats=True)
        (monitor,), (once,) = store.pulls.cycles(LANE, "monitor", 1), store.pulls.cycles(LANE, "once", 1)
    assert (monitor.record, once.record) == ("3", "2")


def test_the_second_of_two_writers_of_a_step_is_refused(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "state.db") as one, StateStore.open(tmp_path / "state.db") as other:
        one.pulls.append_delivery(LANE, 17, 1, "intended")
        with pytest.raises(StalePlan, match="another monitor"):
            other.pulls.append_delivery(LANE, 17, 1, "intended too")
        other.pulls.append_delivery(LANE, 17, 2, "merged")
        one.pulls.append_delivery(LANE, 18, 1, "intended")
        assert [(row.pull, row.record) for row in one.pulls.deliveries(LANE)] == [(18, "intended"), (17, "merged")]
        assert one.pulls.deliveries("hwlab/G14/v03") == ()


def test_memory_is_replaced_and_a_damaged_one_is_an_error(tmp_path: Path) -> None:
    import sqlite3

    with StateStore.open(tmp_path / "state.db") as store:
        assert store.pulls.memory(LANE) == ""
        store.pulls.write_memory(LANE, "one")
        store.pulls.write_memory(LANE, "two")
        assert store.pulls.memory(LANE) == "two"
    raw = sqlite3.connect(tmp_path / "state.db")
    raw.execute("UPDATE pull_memory SET record = 'three'")
    raw.commit()
    raw.close()
    with (
        StateStore.open(tmp_path / "state.db") as store,
        pytest.raises(StateError, match="memory of a monitor is damaged"),
    ):
        store.pulls.memory(LANE)
