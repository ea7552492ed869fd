"""What a change of one declared resource would reach: resources that change or run with it, pods and runs, dependents.

Computed from what is declared alone, as if its content were another one; a plan says what really changes. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum

from planner.address import Address, is_hwplan_kind
from planner.dataclass import dataclass
from planner.field_path import FieldPath, parse_path
from planner.graph import Edge, ResourceGraph, paths_to_dependents
from planner.graph.dependency_paths import Way
from planner.graph.resource_index import map_or_empty, secret_written_by_source
from planner.plan import Action, Change, FieldChange, FieldOp, Precondition, SideEffect, SideEffectKind
from planner.resource import Resource
from planner.side_effects import side_effects_of_plan
from planner.side_effects.configuration_readers import (
    effects_on_readers_of_written_secret,
    is_restart_kind,
    workloads_of_planned_restarts,
)
from planner.side_effects.pod_disruptions import ROLLED, restarts_pods

# Rules of edges whose dependent holds a value of the dependency: it is written again when that changes.
_VALUE_RULES = frozenset(("ref", "secret-field", "secret-value"))
_CHECKS = frozenset(("HttpProbe", "PrometheusQuery"))
_FIXED = frozenset(("Job", "Pod", "PipelineRun", "TaskRun"))  # kinds whose spec can only change by a replace
_TEMPLATE: FieldPath = ("spec", "template")


class ImpactKind(StrEnum):
    """What happens to a declared resource because another one changes. The value is what a reader sees."""

    VALUE = "changes with it"
    RUN = "runs"
    RESTART = "restarts"
    CHECK = "is checked again"


@dataclass(frozen=True, slots=True)
class ImpactedResource:
    """A declared resource that a plan may change or run as well: because of `cause`, by the rule and field of an edge
    between the two."""

    address: Address
    touch: ImpactKind
    cause: Address
    rule: str
    field: str


@dataclass(frozen=True, slots=True)
class ChangeImpact:
    """What a change of the content of `address` reaches.

    `touched` are resources that change or run with it and `sets_off` what follows for pods, readers and runs;
    `dependents` holds a shortest way to everything that is applied after it. Each in order of application, `sets_off`
    the gravest first.
    """

    address: Address
    touched: tuple[ImpactedResource, ...]
    sets_off: tuple[SideEffect, ...]
    dependents: tuple[Way, ...]


def impact_of_change(address: Address, resources: Mapping[Address, Resource], graph: ResourceGraph) -> ChangeImpact:
    """The impact of a change of `address`, a node of `graph`; `resources` are all that is declared, by address.

    Raises GraphError for an address that is not in the graph.
    """
    dependents = paths_to_dependents(graph, address)
    touched = _touched(address, resources, graph)
    changes = [_change(resources[address], _content(address))]
    changes += [_change(resources[one.address], _written(one)) for one in touched if one.touch is not ImpactKind.CHECK]
    found = [
        *side_effects_of_plan(changes, resources, {}, graph),
        *_of_secrets(changes, resources, graph),
        *_of_images(changes, graph),
    ]
    gravity = list(SideEffectKind)
    found.sort(key=lambda one: gravity.index(one.kind))
    return ChangeImpact(address, touched, tuple(dict.fromkeys(found)), dependents)


def _touched(
    start: Address, resources: Mapping[Address, Resource], graph: ResourceGraph
) -> tuple[ImpactedResource, ...]:
    reach = graph.downstream((start,))
    changed = {start}
    found: dict[Address, ImpactedResource] = {}
    for node in graph.nodes:
        if node in reach and node != start:
            edges = [edge for edge in graph.ingoing[node] if edge.before in reach]
            if touched := _touch(resources[node], edges, changed):
                found[node] = touched
                changed |= {node} if touched.touch is not ImpactKind.RESTART else set()
    for restart in [start, *found]:
        if is_restart_kind(restart):
            for edge in graph.ingoing.get(restart, ()):
                if edge.rule == "target":
                    found.setdefault(
                        edge.before, ImpactedResource(edge.before, ImpactKind.RESTART, restart, edge.rule, edge.field)
                    )
    return tuple(found[node] for node in graph.nodes if node in found)


def _touch(resource: Resource, edges: Sequence[Edge], changed: Collection[Address]) -> ImpactedResource | None:
    """How a dependent is touched, by a value that it holds before all else; None when it only comes later.

    `edges` are those from what the change reaches, `changed` what has another content or runs.
    """
    node = resource.address
    direct = [edge for edge in edges if edge.before in changed]
    by_value = (edge for edge in direct if edge.rule in _VALUE_RULES)
    by_restart = (edge for edge in direct if edge.rule == "restart-on")
    if by := next(by_value, None):
        return ImpactedResource(
            node, ImpactKind.RUN if is_restart_kind(node) else ImpactKind.VALUE, by.before, by.rule, by.field
        )
    if by := next(by_restart, None):
        return ImpactedResource(
            node, ImpactKind.RUN if is_restart_kind(node) else ImpactKind.RESTART, by.before, by.rule, by.field
        )
    if edges and _follows_all(resource):
        touch = ImpactKind.RUN if is_restart_kind(node) else ImpactKind.CHECK
        return ImpactedResource(node, touch, edges[0].before, edges[0].rule, edges[0].field)
    return None


def _follows_all(resource: Resource) -> bool:
    """Whether it runs whenever a plan changes something that it needs: a probe, or a restart without a list."""
    if not is_hwplan_kind(resource.api_version):
        return False
    always = map_or_empty(resource.manifest.get("spec")).get("when") == "always"
    return resource.address.kind in _CHECKS or (is_restart_kind(resource.address) and always)


def _content(address: Address) -> FieldPath:
    """The field whose change is assumed: what readers read, or what starts pods anew."""
    if address.kind in ("ConfigMap", "Secret") and not address.group:
        return ("data",)
    return _TEMPLATE if address.kind in ROLLED and address.group == "apps" else ("spec",)


def _written(touched: ImpactedResource) -> FieldPath:
    """The field of a touched resource that gets another value."""
    return _TEMPLATE if touched.touch is ImpactKind.RESTART else parse_path(touched.field)


def _change(resource: Resource, path: FieldPath) -> Change:
    action = Action.RUN if is_hwplan_kind(resource.api_version) else Action.UPDATE
    if resource.options.replace_allowed and resource.address.kind in _FIXED:
        action = Action.REPLACE
    return Change(
        resource.address, action, resource.api_version, resource.scope, "", Precondition(), resource.source,
        desired=resource.manifest, fields=(FieldChange(path, FieldOp.CHANGE),),
    )  # fmt: skip


def _of_secrets(
    changes: Sequence[Change], resources: Mapping[Address, Resource], graph: ResourceGraph
) -> Iterator[SideEffect]:
    """What new values mean for the readers of a Secret that a SecretSource writes."""
    restarted = workloads_of_planned_restarts(changes)
    for change in changes:
        if change.address.kind == "SecretSource" and is_hwplan_kind(change.api_version):
            namespace, name = secret_written_by_source(map_or_empty((change.desired or {}).get("spec")).get("target"))
            secret = Address(change.address.node_lane, "Secret", "", namespace, name)
            yield from effects_on_readers_of_written_secret(
                secret, graph.needed_by(change.address), resources, restarted
            )


def _of_images(changes: Sequence[Change], graph: ResourceGraph) -> Iterator[SideEffect]:
    """An image under the same tag: whoever runs it does not notice."""
    rolled = {change.address for change in changes if restarts_pods(change)}
    for change in changes:
        for edge in graph.outgoing.get(change.address, ()):
            if edge.rule == "image" and edge.after not in rolled:
                text = f"names {edge.before.local} by its tag: pods that run keep the image that they started with"
                yield SideEffect(edge.after, SideEffectKind.LATER, text)
