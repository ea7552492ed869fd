"""What a plan sets off beyond the fields that it writes: pods that restart, values read later or never, runs.

For the reader of a plan; nothing is decided by it. Pure, over what is declared, what was seen and what is planned.
Knows the kinds of Kubernetes whose controllers act on a change, and fields that name other objects (planner.graph).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.address import Address
from planner.graph import ResourceGraph
from planner.plan import Change, SideEffect, SideEffectKind
from planner.ports import Observation
from planner.resource import Resource
from planner.side_effects.changed_delivered_manifests import effects_of_changed_delivered_manifests
from planner.side_effects.configuration_readers import effects_on_configuration_readers
from planner.side_effects.dangling_references import effects_of_dangling_references
from planner.side_effects.database_migrations import effects_of_database_migrations
from planner.side_effects.known_callers import effects_on_callers
from planner.side_effects.pipeline_consistency import effects_of_inconsistent_pipelines
from planner.side_effects.pod_disruptions import effects_on_workload
from planner.side_effects.retirements import effects_of_retirements
from planner.side_effects.started_runs import runs_started_by_change
from planner.side_effects.untouched_objects import NO_OTHERS, UntouchedObjects

__all__ = ["UntouchedObjects", "side_effects_of_plan"]


def side_effects_of_plan(
    changes: Sequence[Change],
    resources: Mapping[Address, Resource],
    observations: Mapping[Address, Observation],
    graph: ResourceGraph,
    gone: Sequence[Resource] = (),
    others: UntouchedObjects = NO_OTHERS,
    place: str = "",
) -> tuple[SideEffect, ...]:
    """Everything that `changes` set off, the gravest first, then in the order of the plan.

    `resources` are all that is declared, `observations` what lives of it, `gone` what is planned to be deleted,
    `others` what else may read or name what changes, `place` is `node/lane` of a plan of one lane.
    """
    found: list[SideEffect] = []
    for change in changes:
        found += effects_on_workload(change, observations.get(change.address), gone)
        found += runs_started_by_change(change, resources.get(change.address))
    found += effects_of_database_migrations(changes, resources)
    found += effects_on_configuration_readers(changes, resources, graph, others)
    references = list(effects_of_dangling_references(gone, resources, others))
    found += references
    found += effects_of_retirements(gone, resources, {one.address for one in references}, others) if resources else ()
    found += effects_of_changed_delivered_manifests(gone, resources, others, place)
    found += effects_of_inconsistent_pipelines(changes, resources, {one.address for one in gone})
    order = list(SideEffectKind)
    found.sort(key=lambda one: order.index(one.kind))
    found += effects_on_callers(found, resources, gone, others)
    return tuple(sorted(found, key=lambda one: order.index(one.kind)))
