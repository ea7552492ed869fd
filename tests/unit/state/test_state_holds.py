"""Holds of lanes and targets of rollouts: appended, numbered, and not believed when they were changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from planner.errors import StalePlan, StateError
from state.state_store import StateStore

LANE = "shop/D1/v1"
A, B = "a" * 40, "b" * 40


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_r9_the_newest_row_says_how_a_lane_stands(place: Path) -> None:
    """R9: what, who, when, why, run; other lanes are not meant."""
    with StateStore.open(place) as store:
        assert store.hold(LANE) is None
        hold = store.set_hold(LANE, 1, A, "it loops", run=7)
        assert hold.stands and "@" in hold.who and hold.at and store.hold("shop/D1/v2") is None
        assert str(hold) == f"{LANE} is held at {A[:12]} by {hold.who} since {hold.at}, run 7: it loops"
    with StateStore.open(place) as store:  # another process
        assert store.hold(LANE) == hold
        released = store.release_hold(LANE, 2)
        assert not released.stands and store.hold(LANE) == released
        assert [one.state for one in store.holds()] == ["released", "set"]


def test_r9_two_clients_do_not_overlook_each_other(place: Path) -> None:
    """R9: who did not see the newest row writes none."""
    with StateStore.open(place) as one, StateStore.open(place) as other:
        one.set_hold(LANE, 1, A, "first")
        with pytest.raises(StalePlan, match="changed meanwhile"):
            other.set_hold(LANE, 1, B, "second")
        with pytest.raises(StalePlan):
            other.release_hold(LANE, 1)
        assert other.hold(LANE) == one.hold(LANE)


def test_b2_the_newest_target_has_the_highest_number(place: Path) -> None:
    """B2: the same commit again is the same target, and an older one that comes back is a new one."""
    with StateStore.open(place) as store:
        assert store.target(LANE) is None
        numbers = [store.record_rollout_target(LANE, commit).number for commit in (A, A, B, A)]
        assert numbers == [1, 1, 2, 3]
        newest = store.target(LANE)
        assert newest is not None and newest.commit == A and store.target("shop/D1/v2") is None


@pytest.mark.parametrize("table", ["holds", "targets"])
def test_a_row_that_was_changed_is_not_believed(place: Path, table: str) -> None:
    with StateStore.open(place) as store:
        store.set_hold(LANE, 1, A, "first")
        store.record_rollout_target(LANE, A)
    with sqlite3.connect(place) as database:
        database.execute(f"UPDATE {table} SET target = ?", (B,))
    database.close()
    with StateStore.open(place) as store, pytest.raises(StateError):
        _ = store.hold(LANE) if table == "holds" else store.target(LANE)
