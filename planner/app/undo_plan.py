"""Undo: the plan that takes back what a run did, from the pre-images in the state. A plan like any other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field, replace

from planner.address import Address, is_hwplan_kind
from planner.app.cascaded_objects import with_cascaded_objects
from planner.app.foreign_autoscaling import warn_of_autoscaled_replicas
from planner.app.load_desired import DesiredStack, load_desired, stack_without_resources
from planner.app.plan_remarks import remarks_from_state
from planner.app.plan_with_inputs import PlanWithInputs, count_owned_live_objects, make_redacted_plan
from planner.app.read_and_preview import preview_with_all_providers, read_with_all_providers
from planner.app.request import Request, request_of_earlier_plan
from planner.app.runtime import open_state_store
from planner.app.secrets_in_clear import learn_secrets_in_clear
from planner.app.session import Session, open_session_of_loaded_stack
from planner.dataclass import dataclass
from planner.errors import HwplanError, SelectionError
from planner.graph import ResourceGraph, graph_of_edges, graph_of_live_and_declared
from planner.loading.annotation_options import parse_annotation_options
from planner.plan import LEAVING, Action, Selection
from planner.plan_bytes import load_plan
from planner.planning import PlanInputs
from planner.planning.reversed_document import parse_field_pre_image, reversed_document
from planner.ports import Observation, PresentObject, UnreadableObject
from planner.resource import SET_LABEL, Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, document_digest
from providers.kubernetes.object_content_digest import is_server_set_field
from state.applied_records import AppliedResourceVersion
from state.state_store import StateStore


@dataclass(slots=True)
class _Reverse:
    """What has to stand again, what has to go (with the uid it was made with), and what cannot be taken back."""

    wanted: dict[Address, Resource] = field(default_factory=dict)
    to_delete: dict[Address, tuple[Resource, str]] = field(default_factory=dict)
    stuck: dict[Address, str] = field(default_factory=dict)


@contextmanager
def open_undo_plan(request: Request, number: int) -> Iterator[tuple[PlanWithInputs, Session]]:
    """Open a session and plan the reverse of run `number`. Raises SelectionError when the state has no such run."""
    with open_state_store(request) as store:
        run = store.run(number)
        if run is None:
            raise SelectionError(f"there is no run {number}", where="RUN", remedy="hwplan state history lists them")
        chosen = request_of_earlier_plan(request, run.selection)
        with open_session_of_loaded_stack(chosen, store, _stack(chosen, store)) as session:
            reverse = _reverse(store, number)
            _learn_what_was_repeated(store, {*reverse.wanted, *reverse.to_delete})
            yield _made(session, reverse, run.selection, number), session


def _learn_what_was_repeated(store: StateStore, addresses: Iterable[Address]) -> None:
    """The values of secrets that runs wrote in clear into these objects: undo reads no secret itself."""
    runs = {version.record.run for address in addresses for version in store.versions(address=address)}
    for number in sorted(runs):
        document = store.run_plan(number)
        if b'"inClear"' in document:
            with suppress(HwplanError):  # of another version: its plan says nothing of it
                learn_secrets_in_clear(load_plan(document))


def _stack(request: Request, store: StateStore) -> DesiredStack:
    """For the sources of secrets and the kube context; a configuration that is gone is none of undo's business."""
    try:
        return load_desired(request, store.fingerprinter())
    except HwplanError:
        return stack_without_resources(request)


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


def _take_back(reverse: _Reverse, version: AppliedResourceVersion, earlier: Sequence[AppliedResourceVersion]) -> None:
    address = version.record.address
    if is_hwplan_kind(version.record.api_version) or version.action is Action.RUN:
        reverse.wanted[address] = _resource(version, version.document or _bare(version))
        reverse.stuck[address] = _NOT_REVERSIBLE
    elif version.action is Action.CREATE:
        document = version.document or _bare(version)
        reverse.to_delete[address] = (_resource(version, document), version.record.uid)
    elif version.action in LEAVING:
        last = next((one for one in reversed(earlier) if one.document is not None), None)
        found = last.document if last else None
        reverse.wanted[address] = _resource(last or version, found or _bare(version))
        if last is None:
            reverse.stuck[address] = "the state keeps no document of it: it was never applied from here"
    else:
        applied = version.document or _bare(version)
        fields = (parse_field_pre_image(row) for row in version.before)
        undone = reversed_document(applied, [one for one in fields if not is_server_set_field(one.path)])
        resource = _resource(version, undone or applied)
        if version.action is Action.REPLACE:  # the run was allowed to; the way back is the same
            resource = replace(resource, options=replace(resource.options, replace_allowed=True))
        reverse.wanted[address] = resource
        if undone is None:
            reverse.stuck[address] = (
                "a secret value before the run is not retained: put it back at its source, then apply"
            )


_NOT_REVERSIBLE = "an effect outside the cluster, or one that ended, is not taken back"


def _bare(version: AppliedResourceVersion) -> JsonObject:
    address = version.record.address
    metadata = {"name": address.name, **({"namespace": address.namespace} if address.namespace else {})}
    return {"apiVersion": version.record.api_version, "kind": address.kind, "metadata": metadata}


def _resource(version: AppliedResourceVersion, document: JsonObject) -> Resource:
    record = version.record
    metadata = document.get("metadata") or {}
    owned_by = str((metadata.get("labels") or {}).get(SET_LABEL, record.owned_by))
    options = parse_annotation_options(metadata.get("annotations") or {}, lambda *_: None)
    source = SourceRef(f"run {record.run}")
    return Resource(record.address, record.api_version, document, owned_by, record.scope, source, options)


def _made(session: Session, reverse: _Reverse, selection: Selection, number: int) -> PlanWithInputs:
    world = session.world
    to_delete = [resource for resource, _ in reverse.to_delete.values()]
    seen, _ = read_with_all_providers(world.providers, [*reverse.wanted.values(), *to_delete], (), ())
    strays = _same_as_made(reverse, seen.observations)
    graph = _graph(reverse)
    readable = {
        address: resource
        for address, resource in reverse.wanted.items()
        if address not in reverse.stuck and not isinstance(seen.observations.get(address), UnreadableObject)
    }
    predicted = preview_with_all_providers(world.providers, readable, seen.observations, graph)
    retained = {address: found for address, found in seen.observations.items() if address in reverse.wanted}
    inputs = PlanInputs(
        selection=selection,
        cluster=world.identity(),
        config_digest=document_digest({"undo": number, "state": session.store.lineage}),
        graph=graph,
        resources={**reverse.wanted, **predicted.resources},
        observations={**retained, **predicted.observations},
        previews=predicted.previews,
        strays=strays,
        unsourced=reverse.stuck,
        warnings=seen.warnings,
        pruning=f"made by run {number}",
    )
    inputs = with_cascaded_objects(inputs, world.cluster)
    inputs = replace(inputs, warnings=(*inputs.warnings, *warn_of_autoscaled_replicas(inputs, world.cluster)))
    snapshot = world.store.snapshot(session.stack.owned)
    live = count_owned_live_objects(seen, session.stack.owned)
    notes = {
        address: note for address, note in remarks_from_state(inputs, snapshot).items() if address not in reverse.stuck
    }
    return PlanWithInputs(make_redacted_plan(inputs), graph, snapshot, live, notes, inputs)


def _graph(reverse: _Reverse) -> ResourceGraph:
    """The order of what can be taken back. What cannot be stays as it is, and holds nothing up; names that lead to
    nothing here are of objects that go, or that the run did not touch."""
    possible = [resource for address, resource in reverse.wanted.items() if address not in reverse.stuck]
    return graph_of_edges(reverse.wanted, graph_of_live_and_declared(possible).edges)


def _same_as_made(reverse: _Reverse, observations: Mapping[Address, Observation]) -> tuple[PresentObject, ...]:
    """The live objects that still are those which the run made; what is another one now is stuck, and so is what would
    take along something that stays."""
    found: list[PresentObject] = []
    for address, (resource, uid) in reverse.to_delete.items():
        match observations.get(address):
            case PresentObject(uid=now) as seen if now == uid:
                found.append(replace(seen, scope=seen.scope or resource.scope))
            case PresentObject():
                reverse.wanted[address], reverse.stuck[address] = resource, "was deleted and made again since that run"
            case UnreadableObject(reason=reason):
                reverse.wanted[address], reverse.stuck[address] = resource, f"unreadable: {reason}"
            case _:
                pass  # gone already
    staying = sorted(reverse.wanted)
    for seen in found:
        if inside := next((one for one in staying if _is_inside(one, seen)), None):
            reverse.wanted[seen.address] = reverse.to_delete[seen.address][0]
            reverse.stuck[seen.address] = f"{inside.local} stays, and would go with it"
    return tuple(seen for seen in found if seen.address not in reverse.stuck)


def _is_inside(address: Address, container: PresentObject) -> bool:
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
