"""`make_plan`: the steps from inputs to a Plan, each a function of its own module or of a few lines here."""

from __future__ import annotations

from planner.plan import Action, Blocked, Change, Drift, Plan
from planner.planning.deletes import delete_changes
from planner.planning.inputs import PlanInputs
from planner.planning.upserts import Upserts, judge_all
from planner.ports import Present
from planner.values import digest

_SHOWN = 5  # objects that a reason names


def make_plan(inputs: PlanInputs) -> Plan:
    """Make the plan. Pure: the same inputs give the same plan, byte for byte (spec 04, promise 3)."""
    upserts = Upserts() if inputs.destroy else judge_all(inputs)
    going, kept = doomed(inputs)
    free = [present for present in going if present.address not in inputs.inside]
    deletes = delete_changes(free, upserts.changes, "destroyed" if inputs.destroy else inputs.pruning)
    changes = (*upserts.changes, *deletes)
    blocked = (*upserts.blocked, *(_held(present, inputs) for present in going if present.address in inputs.inside))
    return Plan(
        selection=inputs.selection,
        cluster=inputs.cluster,
        inputs_config=inputs.config_digest,
        inputs_live=_live_digest(inputs, changes, blocked),
        changes=changes,
        blocked=blocked,
        drift=() if inputs.destroy else _drift(inputs),
        warnings=tuple(sorted({*inputs.warnings, *kept, *_preview_warnings(inputs)})),
        unchanged=upserts.unchanged,
        destroy=inputs.destroy,
    )


def doomed(inputs: PlanInputs) -> tuple[tuple[Present, ...], tuple[str, ...]]:
    """Live objects to delete, and a warning for each one that is kept although nobody declares it."""
    candidates = list(inputs.strays) if inputs.prune or inputs.destroy else []
    if inputs.destroy:
        owned = {resource.address: resource.owned_by for resource in inputs.resources.values()}
        seen = (observed for observed in inputs.observations.values() if isinstance(observed, Present))
        candidates += [observed for observed in seen if observed.owned_by == owned.get(observed.address)]
    kept = [f"{stray.address} is protected and stays" for stray in candidates if stray.protected]
    kept += [f"{stray.address} is left behind (on-delete: orphan)" for stray in candidates if stray.orphan_on_delete]
    doomed = (stray for stray in candidates if not stray.protected and not stray.orphan_on_delete)
    return tuple(sorted(doomed, key=lambda stray: stray.address)), tuple(kept)


def _held(container: Present, inputs: PlanInputs) -> Blocked:
    inside = inputs.inside[container.address]
    more = f" and {len(inside) - _SHOWN} more" if len(inside) > _SHOWN else ""
    return Blocked(
        container.address,
        Action.DELETE,
        "would take along what this plan does not name",
        evidence=f"inside: {', '.join(inside[:_SHOWN])}{more}",
        remedy="take it away or adopt it first; hwplan.dev/on-delete: orphan leaves the container where it is",
    )


def _drift(inputs: PlanInputs) -> tuple[Drift, ...]:
    previews = (inputs.previews.get(address) for address in inputs.graph.order())
    return tuple(drift for preview in previews if preview for drift in preview.drift)


def _preview_warnings(inputs: PlanInputs) -> list[str]:
    return [f"{address}: {text}" for address, preview in inputs.previews.items() for text in preview.warnings]


def _live_digest(inputs: PlanInputs, changes: tuple[Change, ...], blocked: tuple[Blocked, ...]) -> str:
    """Digest of what was seen: identity of everything, content of what the plan touches.

    Content of untouched objects is left out on purpose: an approval must survive a change elsewhere.
    """
    touched = {change.address for change in changes} | {item.address for item in blocked}
    rows = []
    everything = [*inputs.observations.values(), *inputs.strays]
    for seen in sorted(everything, key=lambda observed: observed.address):
        if isinstance(seen, Present):
            rows.append([str(seen.address), seen.uid, seen.content if seen.address in touched else ""])
        else:
            rows.append([str(seen.address), type(seen).__name__.lower(), ""])
    return digest(rows)
