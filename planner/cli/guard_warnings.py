"""What is said of guards where a plan is shown before it is applied (docs/adr/0006)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from planner.app.request import Request
from planner.plan import Plan

if TYPE_CHECKING:
    from planner.app.plan_with_inputs import PlanWithInputs
    from planner.errors import GuardRefused


def guards_refusing_fresh_plan(made: PlanWithInputs, request: Request) -> tuple[GuardRefused, ...]:
    """The guards that the apply of a plan will be refused by. A plan of a saved cluster is applied elsewhere, with the
    state that is there: what the state of this machine lacks is no danger."""
    from planner.app.snapshot_records import is_saved_snapshot
    from planner.planning.plan_guards import MISSING_STATE

    return tuple(one for one in made.guards() if one.guard != MISSING_STATE or not is_saved_snapshot(request.live))


def guard_warnings(guards: Sequence[GuardRefused]) -> tuple[str, ...]:
    """A warning for each guard."""
    return tuple(f"apply is refused without --allow {one.guard}: {one.message}; {one.remedy}" for one in guards)


def guards_refusing_saved_plan(plan: Plan) -> tuple[GuardRefused, ...]:
    """The guards that a saved plan shows by itself: nothing was read, so what lives is not counted."""
    from planner.applied_state import AppliedState
    from planner.planning.plan_guards import fired_guards

    return fired_guards(plan, AppliedState(0, {}), owned_live=0) if plan.applyable else ()


def allow_options_text(fired: Sequence[GuardRefused]) -> str:
    """The options that an apply needs so that it is not refused, each after a blank."""
    return "".join(f" --allow {one.guard}" for one in fired)
