"""Every test is run once, the dear ones first with each worker."""

from __future__ import annotations

import pytest

from tests.testbed.dealing import dealt

ITEMS = [*(f"{module}{number}" for module in "abcdefg" for number in range(3)), *(f"unit{n}" for n in range(40))]


def _cheap(name: str) -> bool:
    return name.startswith("unit")


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 8, 100])
def test_none_is_lost_and_none_comes_twice(workers: int) -> None:
    assert sorted(dealt(ITEMS, workers, _cheap, lambda name: name[0])) == sorted(ITEMS)


def test_each_worker_begins_with_its_share_of_the_dear_ones() -> None:
    order = dealt(ITEMS, 4, _cheap, lambda name: name[0])
    runs = [order[len(order) * worker // 4 : len(order) * (worker + 1) // 4] for worker in range(4)]
    dear = [[name for name in run if not _cheap(name)] for run in runs]
    assert dear[0] == ["a0", "a1", "a2", "e0", "e1", "e2"] and dear[3] == ["d0", "d1", "d2"]
    assert all(run[: len(share)] == share for run, share in zip(runs, dear, strict=True))


def test_more_dear_ones_than_a_run_has_room_for() -> None:
    assert sorted(dealt(ITEMS[:21], 4, _cheap, lambda name: name[0])) == sorted(ITEMS[:21])
