"""Which change may begin next: a ready queue over `needs`, longest remaining chain first. No thread, clock or effect.

Linear in changes and needs (the heap adds a logarithm). The caller guards it with his own lock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, auto
from heapq import heappop, heappush

from planner.address import Address
from planner.errors import GraphError
from planner.plan import Action, Change


class _Stage(Enum):
    WAITING = auto()
    READY = auto()
    BEGUN = auto()
    OVER = auto()


_NOT_BEGUN = (_Stage.WAITING, _Stage.READY)


class ChangeSchedule:
    """The order of execution of `changes` (given in the plan's order); those in `done` are over already.

    A no-op, which is only waited for, is asked again in any case: what it gives is known from looking alone."""

    def __init__(self, changes: Sequence[Change], done: Collection[Address] = ()) -> None:
        self._changes = changes
        self._stage = [_Stage.WAITING] * len(changes)
        self._needed_by: list[list[int]] = [[] for _ in changes]
        self._missing = [0] * len(changes)
        self._index = {change.address: index for index, change in enumerate(changes)}
        if len(self._index) != len(changes):
            raise GraphError("the plan names a resource twice")
        for index, change in enumerate(changes):
            if change.action is not Action.NOOP and change.address in done:
                self._stage[index] = _Stage.OVER
        self._draw_edges()
        self._rank = self._ranks()
        self._heap: list[tuple[int, int]] = []
        for index in range(len(changes)):
            self._ready_if_free(index)

    def _draw_edges(self) -> None:
        for index, change in enumerate(self._changes):
            for need in dict.fromkeys(change.needs):
                other = self._index.get(need)
                if other is None or self._stage[other] is _Stage.OVER:
                    continue
                if other >= index:
                    raise GraphError(f"the plan's order is wrong: {change.address} comes before {need}, which it needs")
                self._needed_by[other].append(index)
                self._missing[index] += 1

    def _ranks(self) -> list[int]:
        """Changes on the longest chain that starts with each change. Needs come first in the plan: no recursion."""
        ranks = [1] * len(self._changes)
        for index in range(len(self._changes) - 1, -1, -1):
            ranks[index] = 1 + max((ranks[after] for after in self._needed_by[index]), default=0)
        return ranks

    def _ready_if_free(self, index: int) -> bool:
        if self._stage[index] is not _Stage.WAITING or self._missing[index]:
            return False
        self._stage[index] = _Stage.READY
        heappush(self._heap, (-self._rank[index], index))
        return True

    @property
    def has_ready(self) -> bool:
        """Whether something may begin."""
        while self._heap and self._stage[self._heap[0][1]] is not _Stage.READY:
            heappop(self._heap)
        return bool(self._heap)

    def pop(self) -> Change | None:
        """The next change to begin, or None when all that is left needs something that is not over."""
        if not self.has_ready:
            return None
        _, index = heappop(self._heap)
        self._stage[index] = _Stage.BEGUN
        return self._changes[index]

    def is_needed(self, address: Address) -> bool:
        """Whether another change that is still to come needs this one."""
        return any(self._stage[after] is not _Stage.OVER for after in self._needed_by[self._index[address]])

    def succeed(self, address: Address) -> int:
        """Note that a begun change ended well; how many others became ready by it."""
        index = self._index[address]
        self._stage[index] = _Stage.OVER
        ready = 0
        for after in self._needed_by[index]:
            self._missing[after] -= 1
            ready += self._ready_if_free(after)
        return ready

    def fail(self, address: Address) -> list[Change]:
        """Note that a change did not end well; everything that needed it, however far, is over now: in plan order."""
        index = self._index[address]
        self._stage[index] = _Stage.OVER
        found: set[int] = set()
        border = [index]
        while border:
            for after in self._needed_by[border.pop()]:
                if self._stage[after] is not _Stage.OVER:
                    self._stage[after] = _Stage.OVER
                    found.add(after)
                    border.append(after)
        return [self._changes[after] for after in sorted(found)]

    def needing(self, addresses: frozenset[Address]) -> list[Change]:
        """Changes not begun that directly need one of `addresses` (blocked resources, which are no changes)."""
        left = (change for change, stage in zip(self._changes, self._stage, strict=True) if stage in _NOT_BEGUN)
        return [change for change in left if not addresses.isdisjoint(change.needs)] if addresses else []

    def drain(self) -> list[Change]:
        """Everything that has not begun, in plan order; it is over now."""
        left = [i for i, stage in enumerate(self._stage) if stage in _NOT_BEGUN]
        for index in left:
            self._stage[index] = _Stage.OVER
        self._heap.clear()
        return [self._changes[index] for index in left]
