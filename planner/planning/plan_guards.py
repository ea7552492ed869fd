"""Guards: reasons to refuse a plan although every single step of it could be done.

Each has a name, used in `--allow NAME`. They are judged beside a plan, when it is shown and when it is applied: they
depend on the memory of this machine, and the plan must have the same bytes on every machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from planner.applied_state import AppliedState
from planner.errors import GuardRefused
from planner.plan import Action, Plan

MASS_DELETE = "mass-delete"
EMPTY_CONFIG = "empty-config"
MISSING_STATE = "missing-state"
NAMES = (MASS_DELETE, EMPTY_CONFIG, MISSING_STATE)

# Below this many owned objects a third of them is one or two: a share says nothing there.
_SMALL = 10
_SHARE = 0.3


def refuse_plan_by_guards(plan: Plan, snapshot: AppliedState, *, owned_live: int, allow: Collection[str] = ()) -> None:
    """Refuse the plan, by raising GuardRefused, when a guard fires that `allow` does not name.

    `owned_live` counts the live objects of the owned sets that are in play. Raises GuardRefused for the first guard, in
    the order of NAMES.
    """
    for refusal in fired_guards(plan, snapshot, owned_live=owned_live):
        if refusal.guard not in allow:
            raise refusal


def fired_guards(plan: Plan, snapshot: AppliedState, *, owned_live: int) -> tuple[GuardRefused, ...]:
    """Every guard that fires on the plan, as the error that `refuse_plan_by_guards` would raise, in the order of NAMES:
    for a page that shows the plan before it is applied (docs/adr/0006)."""
    return tuple(_fired(plan, snapshot, owned_live))


def _fired(plan: Plan, snapshot: AppliedState, owned_live: int) -> Iterator[GuardRefused]:
    deletes = plan.count(Action.DELETE)
    retained = plan.unchanged + len(plan.blocked) + sum(change.action is not Action.DELETE for change in plan.changes)
    if not plan.destroy and deletes > _SHARE * owned_live and owned_live >= _SMALL:
        yield GuardRefused(
            MASS_DELETE,
            f"{deletes} of {owned_live} live objects of ours would be deleted (more than {_SHARE:.0%})",
            remedy=f"look at the deletes, then repeat with --allow {MASS_DELETE}",
        )
    if not plan.destroy and deletes and not retained:
        yield GuardRefused(
            EMPTY_CONFIG,
            f"nothing is declared, but {deletes} live objects are ours",
            remedy=f"check --config and --filename; `hwplan destroy` takes things away, or --allow {EMPTY_CONFIG}",
        )
    if snapshot.serial == 0 and owned_live and not plan.is_empty:
        yield GuardRefused(
            MISSING_STATE,
            f"this state has never applied anything, but {owned_live} live objects carry our ownership label",
            remedy=f"point HWPLAN_STATE at the state that applied them, or start anew with --allow {MISSING_STATE}",
        )
