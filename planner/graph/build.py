"""From resources to their graph: a list of named steps, each drawing one family of edges over every resource."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from planner.address import Address
from planner.errors import GraphError, Problem
from planner.graph.edge import Edge
from planner.graph.index import Index, make_index
from planner.graph.pen import Missing, Pen
from planner.graph.resource_graph import ResourceGraph, closest, make_graph
from planner.graph.rules import (
    argo,
    crds,
    explicit,
    namespaces,
    pods,
    rbac,
    rest,
    secret_refs,
    storage,
    targets,
    tekton,
    webhooks,
)
from planner.resource import Resource


@dataclass(frozen=True, slots=True)
class Step:
    """One family of edges. `kinds` are the only ones that it can say anything about; none given means any."""

    name: str
    draw: Callable[[Pen], None]
    kinds: frozenset[str] = frozenset()


# Images are drawn where pods and Tekton steps name them; every other family is a step of its own.
STEPS = (
    Step("namespaces", namespaces.draw),
    Step("custom resource definitions", crds.draw),
    Step("roles and accounts", rbac.draw, rbac.KINDS),
    Step("pod specifications and images", pods.draw),
    Step("storage", storage.draw, storage.KINDS),
    Step("tekton", tekton.draw, tekton.KINDS),
    Step("argo", argo.draw, argo.KINDS),
    Step("webhooks", webhooks.draw, webhooks.KINDS),
    Step("targets of our own kinds", targets.draw, targets.KINDS),
    Step("secrets of REST objects", rest.draw, rest.KINDS),
    Step("secrets of plug-ins", secret_refs.draw),
    Step("depends-on", explicit.draw_depends_on),
    Step("references", explicit.draw_refs),
)


def build_graph(resources: Sequence[Resource]) -> ResourceGraph:
    """The graph of all `resources` with every edge between them, independent of the order they come in.

    Raises GraphError for two resources with one address, a reference written for hwplan that leads to nothing declared
    (with the closest name), and a cycle (with the field of each edge).
    """
    index, edges, missing = _draw(resources)
    if len(index.resources) != len(resources):
        _refuse_twins(resources)
    if missing:
        _refuse_missing(_problems(missing, index))
    return make_graph(index.resources, edges)


def missing_references(resources: Sequence[Resource]) -> tuple[Problem, ...]:
    """Every reference written for hwplan that leads to nothing declared, for a report of all problems at once."""
    index, _, missing = _draw(resources)
    return _problems(missing, index)


def _draw(resources: Sequence[Resource]) -> tuple[Index, list[Edge], list[Missing]]:
    index = make_index(resources)
    edges: list[Edge] = []
    missing: list[Missing] = []
    pens = [Pen(resource, index, edges, missing) for resource in resources]
    for step in STEPS:
        for pen in pens:
            if not step.kinds or pen.resource.address.kind in step.kinds:
                step.draw(pen)
    return index, edges, missing


def _problems(missing: Sequence[Missing], index: Index) -> tuple[Problem, ...]:
    found = {_problem(resource, address, field, index) for resource, address, field in missing}
    return tuple(sorted(found, key=lambda problem: (problem.source, problem.message)))


def _problem(resource: Resource, address: Address, field: str, index: Index) -> Problem:
    message = f"{resource.address}: {field} names {address}, which is not declared"
    return Problem(resource.source, message, closest(address, index.resources, resource.address.place))


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
