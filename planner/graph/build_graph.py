"""From resources to their graph: a list of named steps, each adding one family of edges over every resource."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import GraphError, Problem
from planner.graph.edge import Edge
from planner.graph.edge_collector import EdgeCollector, Missing
from planner.graph.resource_graph import ResourceGraph, closest_name, graph_of_edges
from planner.graph.resource_index import ResourceIndex, index_resources
from planner.graph.rules import (
    action_targets,
    argo,
    crds,
    explicit,
    helm_hooks,
    namespaces,
    pods,
    rbac,
    rest_secrets,
    secret_refs,
    services,
    storage,
    tekton,
    webhooks,
)
from planner.resource import Resource


@dataclass(frozen=True, slots=True)
class EdgeRule:
    """A named rule that adds edges to a graph. `kinds` are the only ones that it can say anything about; none given
    means any."""

    name: str
    add_edges: Callable[[EdgeCollector], None]
    kinds: frozenset[str] = frozenset()


# Edges of images are added where pods and Tekton steps name them; every other family is a step of its own.
STEPS = (
    EdgeRule("namespaces", namespaces.add_namespace_edges),
    EdgeRule("custom resource definitions", crds.add_crd_edges),
    EdgeRule("roles and accounts", rbac.add_rbac_edges, rbac.KINDS),
    EdgeRule("pod specifications and images", pods.add_pod_edges),
    EdgeRule("services and routes", services.add_traffic_route_edges, services.KINDS),
    EdgeRule("storage", storage.add_storage_edges, storage.KINDS),
    EdgeRule("tekton", tekton.add_tekton_edges, tekton.KINDS),
    EdgeRule("argo", argo.add_argo_edges, argo.KINDS),
    EdgeRule("webhooks", webhooks.add_webhook_edges, webhooks.KINDS),
    EdgeRule("targets of our own kinds", action_targets.add_action_target_edges, action_targets.KINDS),
    EdgeRule("secrets of REST objects", rest_secrets.add_rest_secret_edges, rest_secrets.KINDS),
    EdgeRule("secrets of plug-ins", secret_refs.add_secret_ref_edges),
    EdgeRule("depends-on", explicit.add_depends_on_edges),
    EdgeRule("references", explicit.add_output_ref_edges),
)


def build_graph(resources: Sequence[Resource]) -> ResourceGraph:
    """The graph of all `resources` with every edge between them, independent of the order they come in.

    Raises GraphError for two resources with one address, a reference written for hwplan that leads to nothing declared
    (with the closest name), and a cycle (with the field of each edge).
    """
    index, edges, missing = _collect(resources)
    if len(index.resources) != len(resources):
        _refuse_twins(resources)
    if missing:
        _refuse_missing(_problems(missing, index))
    return graph_of_edges(index.resources, edges)


def references_to_deleted(gone: Collection[Address], resources: Sequence[Resource]) -> tuple[Edge, ...]:
    """The edges from `gone` to what stays: the fields of other resources that name what goes. `resources` are both."""
    _, edges, _ = _collect(resources)
    return tuple(edge for edge in edges if edge.before in gone and edge.after not in gone)


def undeclared_reference_problems(resources: Sequence[Resource]) -> tuple[Problem, ...]:
    """Every reference written for hwplan that leads to nothing declared, for a report of all problems at once."""
    index, _, missing = _collect(resources)
    return _problems(missing, index)


def collect_edges(resources: Sequence[Resource]) -> tuple[Edge, ...]:
    """Every edge between `resources`; what leads to nothing among them is no error. They may form a cycle."""
    return tuple(_collect(resources)[1])


def undeclared_references(resources: Sequence[Resource]) -> tuple[Missing, ...]:
    """Every reference written for hwplan that leads to nothing declared: who refers, to what, in which field."""
    return tuple(_collect(resources)[2])


def _collect(resources: Sequence[Resource]) -> tuple[ResourceIndex, list[Edge], list[Missing]]:
    index = index_resources(resources)
    edges: list[Edge] = []
    missing: list[Missing] = []
    collectors = [EdgeCollector(resource, index, edges, missing) for resource in resources]
    for step in STEPS:
        for collector in collectors:
            if not step.kinds or collector.resource.address.kind in step.kinds:
                step.add_edges(collector)
    edges += helm_hooks.helm_hook_edges(index, edges)
    return index, edges, missing


def _problems(missing: Sequence[Missing], index: ResourceIndex) -> tuple[Problem, ...]:
    found = {_problem(resource, address, field, index) for resource, address, field in missing}
    return tuple(sorted(found, key=lambda problem: (problem.source, problem.message)))


def _problem(resource: Resource, address: Address, field: str, index: ResourceIndex) -> Problem:
    message = f"{resource.address}: {field} names {address}, which is not declared"
    return Problem(resource.source, message, closest_name(address, index.resources, resource.address.node_lane))


def _refuse_missing(problems: Sequence[Problem]) -> None:
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise GraphError(first.message + more, where=str(first.source), remedy=first.suggestion)


def _refuse_twins(resources: Sequence[Resource]) -> None:
    seen: dict[Address, Resource] = {}
    for resource in resources:
        first = seen.setdefault(resource.address, resource)
        if first is not resource:
            message = f"{resource.address} is declared twice, first in {first.source}"
            raise GraphError(message, where=str(resource.source), remedy="remove or rename one of the two")
