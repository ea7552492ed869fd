"""What a plan sets off beyond the fields that it writes: pods that restart, values read later or never, runs.

For the reader of a plan; nothing is decided by it. Pure, over what is declared, what was seen and what is planned.
Knows the kinds of Kubernetes whose controllers act on a change, and fields that name other objects (planner.graph).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.address import Address
from planner.effects.dangling_references import of_deletes
from planner.effects.other_objects import NO_OTHERS, OtherObjects
from planner.effects.pipeline_consistency import of_pipelines
from planner.effects.readers import of_configuration
from planner.effects.retirements import of_retirements
from planner.effects.runs import of_runs
from planner.effects.workloads import of_workload
from planner.graph import ResourceGraph
from planner.plan import Change, EffectKind, SetOff
from planner.ports import Observation
from planner.resource import Resource

__all__ = ["OtherObjects", "effects"]


def effects(
    changes: Sequence[Change],
    resources: Mapping[Address, Resource],
    observations: Mapping[Address, Observation],
    graph: ResourceGraph,
    gone: Sequence[Resource] = (),
    others: OtherObjects = NO_OTHERS,
) -> tuple[SetOff, ...]:
    """Everything that `changes` set off, the gravest first, then in the order of the plan.

    `resources` are all that is declared, `observations` what lives of it, `gone` what is planned to be deleted,
    `others` what else may read or name what changes.
    """
    found: list[SetOff] = []
    for change in changes:
        found += of_workload(change, observations.get(change.address), gone)
        found += of_runs(change, resources.get(change.address))
    found += of_configuration(changes, resources, graph, others)
    references = list(of_deletes(gone, resources, others))
    found += references
    found += of_retirements(gone, resources, {one.address for one in references}, others) if resources else ()
    found += of_pipelines(changes, resources, {one.address for one in gone})
    order = list(EffectKind)
    return tuple(sorted(found, key=lambda one: order.index(one.kind)))
