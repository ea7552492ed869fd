"""Undo: the plan that takes back what a run did, from the pre-images in the state. A plan like any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from planner.address import Address, is_own_kind
from planner.app.contents import with_contents
from planner.app.load import Stack, empty, load
from planner.app.make import Made, notes_of, owned_live
from planner.app.observing import observe, preview_all
from planner.app.request import Request, as_selected
from planner.app.session import Session, opened_with
from planner.app.world import open_store
from planner.errors import HwplanError, SelectionError
from planner.graph import build_graph
from planner.loading.options import parse_options
from planner.plan import Action, Selection
from planner.planning import PlanInputs, make_plan
from planner.planning.reversing import before_of, reversed_document
from planner.ports import Observation, Present, Unreadable
from planner.resource import SET_LABEL, Resource
from planner.source import SourceRef
from planner.values import JsonObject, digest
from state.records import Version
from state.store import StateStore


@dataclass(slots=True)
class _Reverse:
    """What has to stand again, what has to go (with the uid it was made with), and what cannot be taken back."""

    wanted: dict[Address, Resource] = field(default_factory=dict)
    doomed: dict[Address, tuple[Resource, str]] = field(default_factory=dict)
    stuck: dict[Address, str] = field(default_factory=dict)


@contextmanager
def undoing(request: Request, number: int) -> Iterator[tuple[Made, Session]]:
    """Open a session and plan the reverse of run `number`. Raises SelectionError when the state has no such run."""
    with open_store(request) as store:
        run = store.run(number)
        if run is None:
            raise SelectionError(f"there is no run {number}", where="RUN", remedy="hwplan state history lists them")
        chosen = as_selected(request, run.selection)
        with opened_with(chosen, store, _stack(chosen, store)) as session:
            yield _made(session, _reverse(store, number), run.selection, number), session


def _stack(request: Request, store: StateStore) -> Stack:
    """For the sources of secrets and the kube context; a configuration that is gone is none of undo's business."""
    try:
        return load(request, store.fingerprinter())
    except HwplanError:
        return empty(request)


def _reverse(store: StateStore, number: int) -> _Reverse:
    reverse = _Reverse()
    for version in store.versions(run=number):
        address = version.record.address
        history = store.versions(address=address)
        if (newest := history[-1].record.run) != number:
            reverse.wanted[address] = _resource(version, version.document or _bare(version))
            reverse.stuck[address] = f"changed again by run {newest}: undo that one first"
        else:
            _take_back(reverse, version, [one for one in history if one.record.run < number])
    return reverse


def _take_back(reverse: _Reverse, version: Version, earlier: Sequence[Version]) -> None:
    address = version.record.address
    if is_own_kind(version.record.api_version) or version.action is Action.RUN:
        reverse.wanted[address] = _resource(version, version.document or _bare(version))
        reverse.stuck[address] = "an effect outside the cluster, or one that ended, is not taken back"
    elif version.action is Action.CREATE:
        document = version.document or _bare(version)
        reverse.doomed[address] = (_resource(version, document), version.record.uid)
    elif version.action is Action.DELETE:
        last = next((one for one in reversed(earlier) if one.document is not None), None)
        found = last.document if last else None
        reverse.wanted[address] = _resource(last or version, found or _bare(version))
        if last is None:
            reverse.stuck[address] = "the state keeps no document of it: it was never applied from here"
    else:
        applied = version.document or _bare(version)
        undone = reversed_document(applied, [before_of(row) for row in version.before])
        resource = _resource(version, undone or applied)
        if version.action is Action.REPLACE:  # the run was allowed to; the way back is the same
            resource = replace(resource, options=replace(resource.options, replace_allowed=True))
        reverse.wanted[address] = resource
        if undone is None:
            reverse.stuck[address] = "a secret value before the run is not kept: put it back at its source, then apply"


def _bare(version: Version) -> JsonObject:
    address = version.record.address
    metadata = {"name": address.name, **({"namespace": address.namespace} if address.namespace else {})}
    return {"apiVersion": version.record.api_version, "kind": address.kind, "metadata": metadata}


def _resource(version: Version, document: JsonObject) -> Resource:
    record = version.record
    metadata = document.get("metadata") or {}
    owned_by = str((metadata.get("labels") or {}).get(SET_LABEL, record.owned_by))
    options = parse_options(metadata.get("annotations") or {}, lambda *_: None)
    source = SourceRef(f"(run {record.run})")
    return Resource(record.address, record.api_version, document, owned_by, record.scope, source, options)


def _made(session: Session, reverse: _Reverse, selection: Selection, number: int) -> Made:
    world = session.world
    doomed = [resource for resource, _ in reverse.doomed.values()]
    seen, _ = observe(world.providers, [*reverse.wanted.values(), *doomed], (), ())
    strays = _same_as_made(reverse, seen.observations)
    graph = build_graph(tuple(reverse.wanted.values()))
    readable = {
        address: resource
        for address, resource in reverse.wanted.items()
        if address not in reverse.stuck and not isinstance(seen.observations.get(address), Unreadable)
    }
    predicted = preview_all(world.providers, readable, seen.observations, graph)
    kept = {address: found for address, found in seen.observations.items() if address in reverse.wanted}
    inputs = PlanInputs(
        selection=selection,
        cluster=world.identity(),
        config_digest=digest({"undo": number, "state": session.store.lineage}),
        graph=graph,
        resources={**reverse.wanted, **predicted.resources},
        observations={**kept, **predicted.observations},
        previews=predicted.previews,
        strays=strays,
        unsourced=reverse.stuck,
        warnings=seen.warnings,
        pruning=f"made by run {number}",
    )
    inputs = with_contents(inputs, world.cluster)
    snapshot = world.store.snapshot(session.stack.owned)
    live = owned_live(seen, session.stack.owned)
    return Made(make_plan(inputs), graph, snapshot, live, notes_of(inputs, snapshot), inputs)


def _same_as_made(reverse: _Reverse, observations: Mapping[Address, Observation]) -> tuple[Present, ...]:
    """The live objects that still are those which the run made; what is another one now is stuck, and so is what would
    take along something that stays."""
    found: list[Present] = []
    for address, (resource, uid) in reverse.doomed.items():
        match observations.get(address):
            case Present(uid=now) as seen if now == uid:
                found.append(replace(seen, scope=seen.scope or resource.scope))
            case Present():
                reverse.wanted[address], reverse.stuck[address] = resource, "was deleted and made again since that run"
            case Unreadable(reason=reason):
                reverse.wanted[address], reverse.stuck[address] = resource, f"unreadable: {reason}"
            case _:
                pass  # gone already
    staying = sorted(reverse.wanted)
    for seen in found:
        if inside := next((one for one in staying if _is_inside(one, seen)), None):
            reverse.wanted[seen.address] = reverse.doomed[seen.address][0]
            reverse.stuck[seen.address] = f"{inside.local} stays, and would go with it"
    return tuple(seen for seen in found if seen.address not in reverse.stuck)


def _is_inside(address: Address, container: Present) -> bool:
    """Whether deleting the container (a Namespace, the definition of a kind) deletes what the address names."""
    name = container.address.name
    match container.address.kind:
        case "Namespace":
            return address.namespace == name
        case "CustomResourceDefinition":
            spec = (container.value or {}).get("spec") or {}
            kind = (spec.get("names") or {}).get("kind")
            return (address.group, address.kind) == (spec.get("group"), kind)
    return False
