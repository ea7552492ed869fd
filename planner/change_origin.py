"""Where each change of a plan comes from: this change of the configuration, its base, or drift. Pure.

The plan of the head is compared with the plan of the base, made of the same cluster. What both do alike was due
without the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import Action, Change, Plan
from planner.plan_id import planned_actions_by_address
from planner.values import JsonValue


class ChangeOrigin(StrEnum):
    """Where a change comes from. The value is what a reader sees."""

    HEAD = "from this change"
    BOTH = "from this change, and pending on the base in part"
    BASE = "pending on the base anyway"
    DRIFT = "manual changes that are undone, with or without this change"


@dataclass(frozen=True, slots=True)
class ChangeOrigins:
    """The origin of every change, in the order of the plan. `dropped` are changes that are pending on the base, and
    that this change takes back."""

    changes: Mapping[Address, ChangeOrigin]
    dropped: tuple[Change, ...] = ()

    def of(self, origin: ChangeOrigin) -> tuple[Address, ...]:
        """The addresses of that origin."""
        return tuple(address for address, found in self.changes.items() if found is origin)


def compare_plan_with_base(head: Plan, base: Plan) -> ChangeOrigins:
    """Compare the two by what is done to each object, and by its fields."""
    mine, theirs = planned_actions_by_address(head), planned_actions_by_address(base)
    found = {
        change.address: _origin(change, mine[change.address], theirs.get(change.address))
        for change in head.changes
        if change.action is not Action.NOOP
    }
    blocked = {one.address for one in head.blocked}
    left = (one for one in base.changes if one.action is not Action.NOOP)
    return ChangeOrigins(found, tuple(one for one in left if one.address not in found and one.address not in blocked))


def _origin(change: Change, mine: JsonValue, theirs: JsonValue) -> ChangeOrigin:
    if theirs is None:
        return ChangeOrigin.HEAD
    if mine == theirs:
        return ChangeOrigin.DRIFT if change.reason == "drifted" else ChangeOrigin.BASE
    return ChangeOrigin.BOTH
