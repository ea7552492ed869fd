"""Holds of lanes: an older commit that somebody rolls out on purpose stays there until it is released (R9, B9).

Owns what a hold refuses, and the verb. A rollout under a hold reads the head of its branch as the held commit, and
latest-only does not count for it. The record is the state's (docs/adr/0038).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.address import Address
from planner.app.load_desired import DesiredStack
from planner.app.request import Request
from planner.app.runtime import open_state_store
from planner.commit_id import is_commit_id
from planner.dataclass import dataclass
from planner.errors import SelectionError, StalePlan
from planner.plan import Action, Plan, Selection
from planner.resource import Resource
from state.lane_holds_and_targets import LaneHold
from state.state_store import StateStore

SCOPE = "rollout"
_SHORTEST = 7  # digits of a commit that name one


@dataclass(frozen=True, slots=True)
class RolloutUnderHold:
    """A rollout under a hold. `number` and `reason` are those of the hold; `is_new` when this rollout sets it."""

    commit: str
    number: int
    reason: str
    is_new: bool


def lane_state_key(product: str, node: str, lane: str) -> str:
    """The name of a lane in the state."""
    return f"{product}/{node}/{lane}"


def lane_key_of_stack(stack: DesiredStack) -> str:
    """The name of the lane in the state, from a stack of exactly one lane."""
    return lane_state_key(stack.product, stack.nodes[0], stack.lanes[0])


def standing_hold_of_lane(store: StateStore, lane: str) -> LaneHold | None:
    """The hold of a lane that is in force."""
    found = store.hold(lane)
    return found if found is not None and found.stands else None


# --- rolling out under a hold --------------------------------------------------------------------------------------


def rollout_under_hold(store: StateStore, lane: str, commit: str, reason: str) -> RolloutUnderHold | None:
    """The rollout of `commit` under the hold that stands there, or under a new one for `reason`; None for neither.

    Raises SelectionError for a hold at less than a full commit id.
    """
    standing = standing_hold_of_lane(store, lane)
    mine = standing is not None and len(commit) >= _SHORTEST and standing.commit.startswith(commit)
    if standing is not None and mine and reason in ("", standing.reason):
        return RolloutUnderHold(standing.commit, standing.number, standing.reason, is_new=False)
    if not reason:
        return None
    if not is_commit_id(commit):
        raise SelectionError("a hold is at a full commit id", where="--source-commit", remedy="git rev-parse COMMIT")
    last = store.hold(lane)
    return RolloutUnderHold(commit, (last.number if last else 0) + 1, reason, is_new=True)


def with_branch_head_at_older_commit(
    resources: tuple[Resource, ...], head: Address, commit: str
) -> tuple[Resource, ...]:
    """The resources, in which the GitHead of the branch reads as an older commit of it (B9)."""
    return tuple(
        replace(one, manifest={**one.manifest, "spec": {**one.manifest["spec"], "commit": commit}})
        if one.address == head
        else one
        for one in resources
    )


# --- what a hold refuses -------------------------------------------------------------------------------------------


def refuse_plan_against_hold(plan: Plan, store: StateStore, exempt: RolloutUnderHold | None) -> None:
    """Refuse a plan that starts a rollout of a lane that is held at something else, whoever asks: a person, a monitor,
    a cron job. Raises StalePlan with what, who, when, why and run."""
    for lane in _rolled_out(plan):
        hold = standing_hold_of_lane(store, lane)
        if hold is None or (exempt is not None and exempt.number == hold.number + exempt.is_new):
            continue
        _, node, name = lane.split("/")
        raise StalePlan(str(hold), remedy=f"hwplan hold release --node {node} --lane {name}, then again")


def _rolled_out(plan: Plan) -> Iterator[str]:
    """The lanes in which a plan rolls something out, or would if it could."""
    selection = plan.selection
    starts = any(one.scope == SCOPE and one.action is not Action.NOOP for one in plan.changes)
    starts = starts or bool(plan.blocked and SCOPE in selection.scopes)
    if starts and selection.product:
        yield from (
            lane_state_key(selection.product, node, lane) for node in selection.nodes for lane in selection.lanes
        )


# --- the verb ------------------------------------------------------------------------------------------------------


def set_hold(request: Request, commit: str, reason: str) -> LaneHold:
    """Hold the one lane that is selected. Raises SelectionError, StalePlan."""
    if commit and not is_commit_id(commit):
        raise SelectionError("a hold is at a full commit id", where="--source-commit", remedy="git rev-parse COMMIT")
    (lane,) = _lanes(request, several=False)
    with open_state_store(request) as store:
        last = store.hold(lane)
        hold = store.set_hold(lane, (last.number if last else 0) + 1, commit, reason)
        if commit:
            store.record_rollout_target(lane, commit)
        return hold


def release_hold(request: Request) -> LaneHold:
    """Release the one lane that is selected; gives the hold that ended. Raises SelectionError where there is none."""
    (lane,) = _lanes(request, several=False)
    with open_state_store(request) as store:
        hold = standing_hold_of_lane(store, lane)
        if hold is None:
            raise SelectionError(f"{lane} is not held", remedy="hwplan hold show lists what is")
        store.release_hold(lane, hold.number + 1)
        return hold


def standing_holds_of_selection(request: Request) -> tuple[LaneHold, ...]:
    """The holds in force of the lanes that are selected; of all lanes where none is."""
    with open_state_store(request) as store:
        known = sorted({one.lane for one in store.holds(limit=10_000)})
        lanes = _lanes(request, several=True) if request.nodes or request.lanes else known
        return tuple(hold for lane in lanes if (hold := standing_hold_of_lane(store, lane)))


def _lanes(request: Request, *, several: bool) -> list[str]:
    from planner.app.load_desired import load_selected_configuration
    from planner.loading.selection import resolve_selection  # and with it the models of a configuration

    config = load_selected_configuration(request)
    found = resolve_selection(config, Selection(request.product, "", request.nodes, request.lanes))
    lanes = [lane_state_key(found.product.name, node.name, lane.name) for node, taken in found.nodes for lane in taken]
    if not several and len(lanes) != 1:
        raise SelectionError(
            "a hold is of one lane of one node", where=", ".join(lanes), remedy="--node NODE --lane LANE"
        )
    return lanes
