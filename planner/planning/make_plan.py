"""`make_plan`: the steps from inputs to a Plan, each a function of its own module or of a few lines here."""

from __future__ import annotations

from collections.abc import Sequence

from planner.graph import ResourceGraph, graph_of_live_and_declared
from planner.plan import Action, BlockedResource, Change, DriftedField, Plan, SideEffect
from planner.planning.autoscaled_objects import mark_autoscaled_replicas_harmless
from planner.planning.deletes import changes_to_forget_objects, delete_changes, resource_of_live_object
from planner.planning.leaving_objects import decide_leaving_objects
from planner.planning.plan_inputs import PlanInputs
from planner.planning.removal_order import order_removals_after_last_use
from planner.planning.upserts import Upserts, decide_upserts
from planner.ports import AbsentObject, PresentObject
from planner.side_effects import side_effects_of_plan
from planner.values import document_digest

_SHOWN = 5  # objects that a reason names


def make_plan(inputs: PlanInputs) -> Plan:
    """Make the plan. Pure: the same inputs give the same plan, byte for byte (spec 04, promise 3)."""
    upserts = Upserts() if inputs.destroy else decide_upserts(inputs)
    left = decide_leaving_objects(inputs)
    free = [present for present in left.going if present.address not in inputs.inside]
    deletes = _deletes(free, upserts, inputs)
    changes, untimely = order_removals_after_last_use(
        (*upserts.changes, *deletes, *changes_to_forget_objects(left.retained)), inputs
    )
    held = [_held(present, inputs) for present in left.going if present.address in inputs.inside]
    blocked = (*upserts.blocked, *held, *left.used)
    return Plan(
        selection=inputs.selection,
        cluster=inputs.cluster,
        inputs_config=inputs.config_digest,
        inputs_live=_live_digest(inputs, changes, blocked),
        changes=changes,
        blocked=blocked,
        drift=() if inputs.destroy else _drift(inputs),
        warnings=tuple(sorted({*inputs.warnings, *untimely, *_preview_warnings(inputs)})),
        unchanged=upserts.unchanged,
        destroy=inputs.destroy,
        sets_off=_sets_off(changes, free, inputs),
    )


def _sets_off(changes: Sequence[Change], going: Sequence[PresentObject], inputs: PlanInputs) -> tuple[SideEffect, ...]:
    """What follows from the changes. What is destroyed as a whole has no declared reader that stays."""
    resources = {} if inputs.destroy else inputs.resources
    gone = [resource_of_live_object(present) for present in going]
    nodes, lanes = inputs.selection.nodes, inputs.selection.lanes
    place = f"{nodes[0]}/{lanes[0]}" if len(nodes) == len(lanes) == 1 else ""
    return side_effects_of_plan(changes, resources, inputs.observations, inputs.graph, gone, inputs.others, place)


def _deletes(going: Sequence[PresentObject], upserts: Upserts, inputs: PlanInputs) -> tuple[Change, ...]:
    if not going:
        return ()
    reason = "destroyed" if inputs.destroy else inputs.pruning
    live = inputs.live or _live(going, upserts, inputs)
    return delete_changes(going, upserts.changes, reason, live, inputs.reasons)


def _live(going: Sequence[PresentObject], upserts: Upserts, inputs: PlanInputs) -> ResourceGraph:
    """The order of what goes, what is updated as it is now, and what is declared."""
    updated = (inputs.observations.get(change.address) for change in upserts.changes)
    live = [*going, *(seen for seen in updated if isinstance(seen, PresentObject))]
    return graph_of_live_and_declared([resource_of_live_object(present) for present in live], inputs.graph)


def _held(container: PresentObject, inputs: PlanInputs) -> BlockedResource:
    inside = inputs.inside[container.address]
    more = f" and {len(inside) - _SHOWN} more" if len(inside) > _SHOWN else ""
    return BlockedResource(
        container.address,
        Action.DELETE,
        "would take along what this plan does not name",
        evidence=f"inside: {', '.join(inside[:_SHOWN])}{more}",
        remedy="take it away or adopt it first; hwplan.dev/on-delete: orphan leaves the container where it is",
    )


def _drift(inputs: PlanInputs) -> tuple[DriftedField, ...]:
    previews = (inputs.previews.get(address) for address in inputs.graph.order())
    drift = tuple(drift for preview in previews if preview for drift in preview.drift)
    return mark_autoscaled_replicas_harmless(drift, inputs)


def _preview_warnings(inputs: PlanInputs) -> list[str]:
    return [f"{address}: {text}" for address, preview in inputs.previews.items() for text in preview.warnings]


def _live_digest(inputs: PlanInputs, changes: tuple[Change, ...], blocked: tuple[BlockedResource, ...]) -> str:
    """Digest of what was seen: identity of everything, content of what the plan touches.

    Content of untouched objects is left out on purpose: an approval must survive a change elsewhere.
    """
    touched = {change.address for change in changes} | {item.address for item in blocked}
    rows = []
    everything = [*inputs.observations.values(), *inputs.strays]
    for seen in sorted(everything, key=lambda observed: observed.address):
        if isinstance(seen, PresentObject):
            rows.append([str(seen.address), seen.uid, str(seen.content) if seen.address in touched else ""])
        else:
            rows.append([str(seen.address), "absent" if isinstance(seen, AbsentObject) else "unreadable", ""])
    return document_digest(rows)
