"""Making the plan of a destroy: what is selected with what depends on it, seen beside everything that stays.

A lane is what the configuration declares with it, and does not without it: its own scopes, and what the scopes of the
node declare for it. Reads everything that the node declares; predicts nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from planner.address import Address, is_hwplan_kind
from planner.app.cascaded_objects import listable_and_deletable_kinds, with_cascaded_objects
from planner.app.load_desired import load_configuration, load_desired
from planner.app.plan_remarks import remarks_from_state
from planner.app.plan_with_inputs import (
    PlanWithInputs,
    count_owned_live_objects,
    make_redacted_plan,
    resolve_resource_namespaces,
    resolved_selection,
    warnings_of_unlisted_kinds,
)
from planner.app.read_and_preview import read_with_all_providers
from planner.app.session import Session, identify_cluster
from planner.app.undeclared_owned_sets import suggest_similar_owned_set
from planner.app.unlabelled_objects import unlabelled_objects
from planner.applied_state import AppliedState, KindInNamespace
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.graph import ResourceGraph, build_graph, graph_of_live_and_declared
from planner.planning import PlanInputs, select_teardown_addresses
from planner.planning.deletes import resource_of_live_object
from planner.ports import Observation, PresentObject, ReadResult
from planner.resource import Resource


@dataclass(frozen=True, slots=True)
class _Declared:
    """Everything that the node declares, with its owned sets, and the addresses that the selection means. `lanes` are
    those that were named."""

    resources: Mapping[Address, Resource]
    owned: tuple[str, ...]
    selected: frozenset[Address]
    lanes: tuple[str, ...] = ()


def make_destroy_plan(session: Session) -> PlanWithInputs:
    """The plan to take away what `session` selects. Raises SelectionError, GraphError and ProviderError."""
    request, stack, world = session.request, session.stack, session.world
    identity = identify_cluster(session)
    declared = _declared(session)
    whole = build_graph(tuple(declared.resources.values()))
    snapshot = world.store.snapshot(declared.owned)
    places = [place for place in snapshot.places() if not is_hwplan_kind(place.api_version)]
    seen, unsupported = read_with_all_providers(
        world.providers, list(declared.resources.values()), declared.owned, places
    )
    order = _live(seen, whole)
    strays = {stray.address: stray for stray in seen.strays}
    within = declared.selected.union(
        one for one, stray in strays.items() if _is_selected(stray, session, declared.lanes)
    )
    chosen = select_teardown_addresses(order, within, request.targets, request.exclude)
    resources = {address: one for address, one in declared.resources.items() if address in chosen}
    inputs = PlanInputs(
        selection=resolved_selection(request, stack, request.targets),
        cluster=identity,
        config_digest=stack.digest,
        graph=whole.subset(resources),
        resources=resources,
        observations={address: one for address, one in seen.observations.items() if address in resources},
        previews={},
        strays=tuple(stray for address, stray in strays.items() if address in chosen),
        unsourced={**stack.unsourced, **unsupported},
        warnings=(*stack.warnings, *seen.warnings, *warnings_of_unlisted_kinds(seen)),
        prune=not (request.targets or request.exclude or declared.lanes),
        destroy=True,
        bystanders=_bystanders(seen, declared, chosen),
        scopes_beside={address: one.scope for address, one in declared.resources.items() if address not in chosen},
        live=order,
    )
    inputs = with_cascaded_objects(inputs, world.cluster)
    records = {one: record for one, record in snapshot.records.items() if one not in declared.resources}
    mine = replace(snapshot, records=records)  # nothing is predicted: nothing can be gone, or declared otherwise
    live = count_owned_live_objects(seen, declared.owned)
    notes = {**remarks_from_state(inputs, mine), **_unlabelled(session, inputs, snapshot, chosen, declared.resources)}
    return PlanWithInputs(make_redacted_plan(inputs), inputs.graph, snapshot, live, notes, inputs)


def make_owned_set_destroy_plan(session: Session) -> PlanWithInputs:
    """The plan to take away everything of the set that `session` names, wherever it stands in the cluster.

    Raises SelectionError when neither the cluster nor the state knows the set.
    """
    request, stack, world = session.request, session.stack, session.world
    identity = identify_cluster(session)
    kinds = {
        KindInNamespace("", kind.api_version, kind.kind, "") for kind in listable_and_deletable_kinds(world.cluster)
    }
    seen, _ = read_with_all_providers(world.providers, (), stack.owned, kinds)
    if not seen.strays and not any(one.record.owned_by == request.name for one in session.store.versions()):
        near = suggest_similar_owned_set(request.name, session, seen)
        raise SelectionError(f"there is no set {request.name}, nor a record of one", where="--set", remedy=near)
    order = graph_of_live_and_declared([resource_of_live_object(stray) for stray in seen.strays])
    chosen = select_teardown_addresses(order, order.order(), request.targets, request.exclude)
    inputs = PlanInputs(
        selection=resolved_selection(request, stack, request.targets),
        cluster=identity,
        config_digest=stack.digest,
        graph=order.subset(chosen),
        resources={},
        observations={},
        previews={},
        strays=tuple(stray for stray in seen.strays if stray.address in chosen),
        warnings=(*seen.warnings, *warnings_of_unlisted_kinds(seen)),
        destroy=True,
        bystanders={stray.address: stray for stray in seen.strays if stray.address not in chosen},
        live=order,
    )
    inputs = with_cascaded_objects(inputs, world.cluster)
    snapshot = world.store.snapshot(stack.owned)
    notes = {**remarks_from_state(inputs, snapshot), **_unlabelled(session, inputs, snapshot, chosen, {})}
    return PlanWithInputs(
        make_redacted_plan(inputs), inputs.graph, snapshot, count_owned_live_objects(seen, stack.owned), notes, inputs
    )


def _unlabelled(
    session: Session,
    inputs: PlanInputs,
    snapshot: AppliedState,
    chosen: Collection[Address],
    declared: Mapping[Address, Resource],
) -> Mapping[Address, str]:
    """What was to go as well, and does not say that it is ours: what is chosen, and where all goes what nobody
    declares."""
    request = session.request
    everything = not (request.targets or request.exclude or request.lanes or request.scopes)
    strays = {one.address for one in inputs.strays}
    asked = {
        address: record
        for address, record in snapshot.records.items()
        if address not in strays and (address in chosen if address in declared else everything)
    }
    return unlabelled_objects(session, asked)


def _declared(session: Session) -> _Declared:
    from planner.loading.selection import ALL  # brings the models, which plain manifests do without

    request, stack = session.request, session.stack
    lanes = tuple(lane for lane in request.lanes if lane != ALL)
    if request.plain or not (lanes or request.scopes):
        found = {one.address: one for one in resolve_resource_namespaces(session, stack.resources)}
        return _Declared(found, stack.owned, frozenset(found))
    config, print_of = load_configuration(request), session.store.fingerprinter()
    with_them = config.switched(lanes, enabled=True)
    whole = replace(request, lanes=(), scopes=())
    everything = load_desired(whole, print_of, with_them)
    selected: Collection[Resource] = load_desired(request, print_of, with_them).resources
    shared = load_desired(whole, print_of, config.switched(lanes, enabled=False)).resources if lanes else ()
    found, wanted, staying = (
        {one.address: one for one in resolve_resource_namespaces(session, part)}
        for part in (everything.resources, selected, shared)
    )
    return _Declared(found, everything.owned, frozenset(wanted).difference(staying).intersection(found), lanes)


def _live(seen: ReadResult, whole: ResourceGraph) -> ResourceGraph:
    present = [one for one in seen.observations.values() if isinstance(one, PresentObject) and one.value is not None]
    return graph_of_live_and_declared([resource_of_live_object(one) for one in (*present, *seen.strays)], whole)


def _is_selected(stray: PresentObject, session: Session, lanes: tuple[str, ...]) -> bool:
    """Whether an object of ours that nobody declares goes with the selection: with its set, and with its scope."""
    request, stack = session.request, session.stack
    ends = tuple(f".{node}.{lane}" for node in stack.nodes for lane in lanes)
    of_lane = not lanes or stray.owned_by.endswith(ends)
    return of_lane and (not request.scopes or stray.scope in stack.scopes)


def _bystanders(seen: ReadResult, declared: _Declared, chosen: frozenset[Address]) -> Mapping[Address, Observation]:
    """What is there, or may be, and is not chosen. Effects outside the cluster hold nothing."""
    own = {address for address, one in declared.resources.items() if is_hwplan_kind(one.api_version)}
    everything = {**seen.observations, **{stray.address: stray for stray in seen.strays}}
    return {address: one for address, one in everything.items() if address not in chosen and address not in own}
