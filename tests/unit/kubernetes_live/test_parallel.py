"""Many calls at once keep their order and lose no error."""

from __future__ import annotations

import threading

import pytest

from providers.kubernetes.parallel_map import ParallelMap


def test_order_of_results_is_the_order_of_inputs() -> None:
    assert ParallelMap(4).map(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    assert ParallelMap(4).map(str, []) == []
    assert ParallelMap(4).map(lambda n: n, [None, None]) == [None, None]


def test_calls_overlap_and_are_bounded() -> None:
    barrier, seen, lock = threading.Barrier(3), [0, 0], threading.Lock()

    def one(_: int) -> None:
        with lock:
            seen[0] += 1
            seen[1] = max(seen)
        barrier.wait(5)
        with lock:
            seen[0] -= 1

    ParallelMap(3).map(one, range(9))
    assert seen[1] == 3


def test_the_first_error_is_raised_and_nothing_new_begins() -> None:
    begun: list[int] = []

    def one(n: int) -> None:
        begun.append(n)
        raise ValueError(n)

    with pytest.raises(ValueError, match="0"):
        ParallelMap(1).map(one, range(50))
    assert begun == [0]
