"""The order of updates that take away a part which another object still uses: after the changes that stop using it.
Pure.

As deletes do: whatever starts in between finds what it names. An update that also adds what the user needs next cannot
wait for it; the plan says so, and the two steps that leave nothing uncovered are for the author to take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush

from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import Action, Change
from planner.planning.deletes import REWRITES
from planner.planning.object_part_references import (
    ANY,
    WHOLE,
    Part,
    UsedPartOfOtherObject,
    parts_each_object_uses_of_others,
    parts_of_object_others_can_name,
)
from planner.planning.plan_inputs import PlanInputs
from planner.ports import PresentObject
from planner.values import JsonObject

_STOPS = REWRITES | {Action.DELETE}


@dataclass(frozen=True, slots=True)
class _Shrinking:
    """An update with the parts that it takes away and those that it adds."""

    address: Address
    taken: frozenset[Part]
    added: frozenset[Part]


def order_removals_after_last_use(
    changes: Sequence[Change], inputs: PlanInputs
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The changes in an order in which nothing is taken away before its last user lets go of it, and a warning for each
    part where there is no such order."""
    shrinking = [one for change in changes if (one := _shrinking(change, inputs))]
    stopping = [change for change in changes if change.action in _STOPS]
    if not shrinking or len(stopping) < 2:
        return tuple(changes), ()
    live, desired = _live(changes, inputs), _desired(changes, inputs)
    before, after = parts_each_object_uses_of_others(live), parts_each_object_uses_of_others(desired)
    needs = {change.address: set(change.needs) for change in changes}
    warnings = []
    for one in shrinking:
        for user in stopping:
            had, has = _of(before, user.address, one.address), _of(after, user.address, one.address)
            if lost := _let_go(one, had, has):
                waits = any(_covers(part, added) for part in has for added in one.added)
                if waits or not _turned(needs, one.address, user.address):
                    warnings.append(_warning(one.address, user.address, lost))
    return _ordered([replace(change, needs=tuple(sorted(needs[change.address]))) for change in changes]), tuple(
        warnings
    )


def _shrinking(change: Change, inputs: PlanInputs) -> _Shrinking | None:
    seen = inputs.observations.get(change.address)
    if (
        change.action not in REWRITES
        or change.desired is None
        or not isinstance(seen, PresentObject)
        or seen.value is None
    ):
        return None
    had, has = (
        parts_of_object_others_can_name(change.address, seen.value),
        parts_of_object_others_can_name(change.address, change.desired),
    )
    return _Shrinking(change.address, had - has, has - had) if had - has else None


def _live(changes: Sequence[Change], inputs: PlanInputs) -> Mapping[Address, JsonObject]:
    seen = [*inputs.observations.values(), *inputs.strays]
    return {one.address: one.value for one in seen if isinstance(one, PresentObject) and one.value is not None}


def _desired(changes: Sequence[Change], inputs: PlanInputs) -> Mapping[Address, JsonObject]:
    declared = {address: resource.manifest for address, resource in inputs.resources.items()}
    return declared | {change.address: change.desired for change in changes if change.desired is not None}


def _of(uses: Mapping[Address, frozenset[UsedPartOfOtherObject]], user: Address, used: Address) -> frozenset[Part]:
    return frozenset(use.part for use in uses.get(user, ()) if use.of == used) if user != used else frozenset()


def _let_go(one: _Shrinking, had: Collection[Part], has: Collection[Part]) -> frozenset[Part]:
    """The parts taken away that the user used and uses no more.

    Which rule of a role is used, it is not known: an account that changes at all may stop using those that go, unless
    the role gains others that it may need first.
    """
    used = {part for part in one.taken if any(_covers(use, part) for use in had)}
    if any(sort == "rule" for sort, _ in used):
        return frozenset() if any(sort == "rule" for sort, _ in one.added) else frozenset(used)
    return frozenset(part for part in used if not any(_covers(use, part) for use in has))


def _covers(use: Part, part: Part) -> bool:
    return use in (WHOLE, part) or use == (part[0], ANY)


def _turned(needs: dict[Address, set[Address]], shrinking: Address, user: Address) -> bool:
    """Have `shrinking` wait for `user`; False, and nothing changed, where the user cannot go first."""
    without = needs[user] - {shrinking}
    if shrinking in needs[user]:
        without |= needs[shrinking] - {user}
    if _reaches({**needs, user: without}, user, shrinking):
        return False
    needs[user] = without
    needs[shrinking].add(user)
    return True


def _reaches(needs: Mapping[Address, set[Address]], start: Address, end: Address) -> bool:
    seen, pending = {start}, [start]
    while pending:
        new = needs.get(pending.pop(), set()) - seen
        if end in new:
            return True
        seen |= new
        pending.extend(new)
    return False


def _warning(shrinking: Address, user: Address, lost: Collection[Part]) -> str:
    named = ", ".join(f"{sort} {name}" for sort, name in sorted(lost))
    return f"{shrinking} loses {named}, which {user} uses until it is updated: add first, take away in a later apply"


def _ordered(changes: Sequence[Change]) -> tuple[Change, ...]:
    """A topological order that changes the given one as little as possible."""
    index = {change.address: number for number, change in enumerate(changes)}
    waiting = [sum(need in index for need in change.needs) for change in changes]
    ready = [number for number, count in enumerate(waiting) if not count]
    heapify(ready)
    return tuple(changes[number] for number in _popped(ready, waiting, changes, index))


def _popped(
    ready: list[int], waiting: list[int], changes: Sequence[Change], index: Mapping[Address, int]
) -> Iterator[int]:
    following: dict[int, list[int]] = {}
    for number, change in enumerate(changes):
        for need in change.needs:
            if need in index:
                following.setdefault(index[need], []).append(number)
    while ready:
        number = heappop(ready)
        yield number
        for after in following.get(number, ()):
            waiting[after] -= 1
            if not waiting[after]:
                heappush(ready, after)
