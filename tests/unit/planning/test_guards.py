"""Guards: each fires where a plan would do harm by mistake, can be allowed by its name, and is quiet elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.address import Address
from planner.applied_state import AppliedState
from planner.errors import GuardRefused
from planner.plan import Action, BlockedResource, Change, ClusterIdentity, Plan, Precondition, Selection
from planner.planning import fired_guards, refuse_plan_by_guards
from planner.planning.plan_guards import EMPTY_CONFIG, MASS_DELETE, MISSING_STATE, NAMES
from planner.source_line_ref import SourceRef

KNOWN, NEW = AppliedState(7, {}), AppliedState(0, {})


def plan_of(deletes: int = 0, creates: int = 0, *, unchanged: int = 0, blocked: int = 0, destroy: bool = False) -> Plan:
    actions = [*([Action.DELETE] * deletes), *([Action.CREATE] * creates)]
    changes = tuple(
        Change(_address(number), action, "v1", "", "", Precondition(), SourceRef(""))
        for number, action in enumerate(actions)
    )
    held = tuple(BlockedResource(_address(1000 + number), Action.CREATE, "") for number in range(blocked))
    identity = ClusterIdentity("u", "s")
    return Plan(Selection(), identity, "", "", changes, held, unchanged=unchanged, destroy=destroy)


def _address(number: int) -> Address:
    return Address.parse(f"ConfigMap/demo/c{number}")


CASES: dict[str, tuple[Plan, AppliedState, int, str]] = {
    "nothing to do": (plan_of(), KNOWN, 0, ""),
    "a third is deleted, and no more": (plan_of(3, unchanged=7), KNOWN, 10, ""),
    "more than a third is deleted": (plan_of(4, unchanged=6), KNOWN, 10, MASS_DELETE),
    "of few objects a share says nothing": (plan_of(4, unchanged=5), KNOWN, 9, ""),
    "much is made, little deleted": (plan_of(1, 50), KNOWN, 20, ""),
    "all is deleted on purpose": (plan_of(20, destroy=True), KNOWN, 20, ""),
    "nothing is declared": (plan_of(2), KNOWN, 2, EMPTY_CONFIG),
    "what is declared is blocked": (plan_of(2, blocked=1), KNOWN, 3, ""),
    "what is declared is unchanged": (plan_of(2, unchanged=1), KNOWN, 3, ""),
    "what is declared is made": (plan_of(2, 1), KNOWN, 3, ""),
    "few objects destroyed on purpose": (plan_of(2, destroy=True), KNOWN, 2, ""),
    "a first apply": (plan_of(0, 3), NEW, 0, ""),
    "a state that never applied what is ours": (plan_of(0, 1, unchanged=2), NEW, 2, MISSING_STATE),
    "the same, and nothing to do": (plan_of(unchanged=2), NEW, 2, ""),
    "the same, and all is blocked": (plan_of(blocked=1), NEW, 2, MISSING_STATE),
    "a destroy by such a state": (plan_of(2, destroy=True), NEW, 2, MISSING_STATE),
}


@pytest.mark.parametrize("case", CASES)
def test_which_guard_fires(case: str) -> None:
    plan, snapshot, live, guard = CASES[case]
    if not guard:
        refuse_plan_by_guards(plan, snapshot, owned_live=live)
        return
    with pytest.raises(GuardRefused) as refused:
        refuse_plan_by_guards(plan, snapshot, owned_live=live)
    assert refused.value.guard == guard and f"--allow {guard}" in refused.value.remedy
    refuse_plan_by_guards(plan, snapshot, owned_live=live, allow=[guard])
    with pytest.raises(GuardRefused):
        refuse_plan_by_guards(plan, snapshot, owned_live=live, allow=[name for name in NAMES if name != guard])


def test_several_guards_are_allowed_one_by_one_in_order() -> None:
    plan = plan_of(20)
    for number, guard in enumerate(NAMES):
        with pytest.raises(GuardRefused) as refused:
            refuse_plan_by_guards(plan, NEW, owned_live=20, allow=NAMES[:number])
        assert refused.value.guard == guard
    refuse_plan_by_guards(plan, NEW, owned_live=20, allow=NAMES)
    assert tuple(one.guard for one in fired_guards(plan, NEW, owned_live=20)) == NAMES


def test_the_share_counts_deletes_only() -> None:
    changes = plan_of(4, unchanged=6).changes
    others = tuple(replace(one, action=Action.FORGET) for one in changes)
    refuse_plan_by_guards(replace(plan_of(unchanged=6), changes=others), KNOWN, owned_live=10)
