"""The order of tests for several workers: what is dear begins at once and everywhere, what is cheap fills the end.

pytest-xdist gives each worker an equal run of the order and lets those that have none left take from the end of
another's. In the order of folders one worker has all that is dear, and a long test may be the last to begin.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import TypeVar

Item = TypeVar("Item")


def dealt(
    items: Sequence[Item], workers: int, is_cheap: Callable[[Item], bool], together: Callable[[Item], Hashable]
) -> list[Item]:
    """The same items, so that each of `workers` equal runs begins with its share of the dear ones.

    Neighbours with the same `together` stay with one worker: they share what they set up.
    """
    groups = [list(group) for _, group in groupby((one for one in items if not is_cheap(one)), together)]
    cheap = [one for one in items if is_cheap(one)]
    order: list[Item] = []
    for worker in range(workers):
        until = len(items) * (worker + 1) // workers
        order += [one for group in groups[worker::workers] for one in group]
        room = max(0, until - len(order))
        order += cheap[:room]
        del cheap[:room]
    return order + cheap
