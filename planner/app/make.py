"""Making a plan: load, order, read, predict, decide. Writes nothing outside the state's own folder."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from planner.address import Address
from planner.app.load import Stack
from planner.app.observing import observe, preview_all
from planner.app.request import Request
from planner.app.session import Session, opened
from planner.graph import ResourceGraph, build_graph
from planner.plan import Plan, Selection
from planner.planning import PlanInputs, make_plan
from planner.ports import Present, ReadResult, Unreadable
from planner.resource import Resource
from planner.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Made:
    """A plan, and what it was made from for those who explain or apply it.

    `owned_live` counts the live objects of the owned sets, for the guards.
    """

    plan: Plan
    stack: Stack
    graph: ResourceGraph
    resources: Mapping[Address, Resource]
    seen: ReadResult
    snapshot: Snapshot
    owned_live: int


@contextmanager
def made(request: Request) -> Iterator[tuple[Made, Session]]:
    """Open a session and make the plan of `request`; the session stays open for those who apply it."""
    with opened(request) as session:
        yield make(session), session


def make(session: Session, *, destroy: bool = False) -> Made:
    """Make the plan. Raises GraphError, SelectionError and ProviderError."""
    request, stack, world = session.request, session.stack, session.world
    placed = [world.kubernetes.placed(resource) for resource in stack.resources]
    whole = build_graph(placed)
    chosen = _chosen(request, whole)
    resources = {resource.address: resource for resource in placed if resource.address in chosen}
    graph = whole if len(resources) == len(placed) else whole.subset(chosen)
    snapshot = world.store.snapshot(stack.owned)
    seen, homeless = observe(world.providers, list(resources.values()), stack.owned, snapshot.places())
    readable = {
        address: resource
        for address, resource in resources.items()
        if address not in homeless and not isinstance(seen.observations.get(address), Unreadable)
    }
    previews, filled = ({}, readable) if destroy else preview_all(world.providers, readable, seen.observations, graph)
    plan = make_plan(
        PlanInputs(
            selection=_selection(request, stack),
            cluster=world.identity(),
            config_digest=stack.digest,
            graph=graph,
            resources={**resources, **filled},
            observations=seen.observations,
            previews=previews,
            strays=_prunable(request, stack, seen),
            unsourced={**stack.unsourced, **homeless},
            warnings=(*stack.warnings, *seen.warnings, *_unlisted(seen)),
            prune=not (request.targets or request.exclude),
            destroy=destroy,
        )
    )
    return Made(plan, stack, graph, resources, seen, snapshot, _owned_live(seen, stack.owned))


def _chosen(request: Request, graph: ResourceGraph) -> frozenset[Address]:
    """The selected addresses: targets with what they depend on, less what is excluded."""
    chosen = graph.select(request.targets) if request.targets else frozenset(graph.order())
    return frozenset(address for address in chosen if not any(address.matches(pattern) for pattern in request.exclude))


def _prunable(request: Request, stack: Stack, seen: ReadResult) -> tuple[Present, ...]:
    """Strays within the selection: a plan of one scope must not delete what another scope declares."""
    if not request.scopes:
        return seen.strays
    return tuple(stray for stray in seen.strays if stray.scope in stack.scopes)


def _selection(request: Request, stack: Stack) -> Selection:
    return Selection(
        product=stack.product,
        name=request.name,
        nodes=stack.nodes,
        lanes=stack.lanes,
        scopes=stack.scopes,
        targets=request.targets,
        exclude=request.exclude,
        files=request.files,
    )


def _unlisted(seen: ReadResult) -> tuple[str, ...]:
    return tuple(f"{place.address}: not looked at for objects to prune ({place.reason})" for place in seen.unlisted)


def _owned_live(seen: ReadResult, owned: Collection[str]) -> int:
    declared = sum(isinstance(one, Present) and one.owned_by in owned for one in seen.observations.values())
    return declared + len(seen.strays)
