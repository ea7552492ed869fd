"""Making a plan: load, order, read, predict, decide. Writes nothing outside the state's own folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

from planner.address import Address, is_own_kind
from planner.app.contents import with_contents
from planner.app.load import Stack
from planner.app.observing import Predicted, observe, preview_all
from planner.app.recorded import RecordedProvider
from planner.app.request import Request
from planner.app.session import Session, opened
from planner.drift import DriftReport
from planner.errors import ForeignPlan, ProviderError
from planner.graph import ResourceGraph, build_graph
from planner.loading.manifests import with_namespace
from planner.plan import Plan, Selection
from planner.planning import PlanInputs, drift_report, make_plan, moved_on
from planner.ports import Absent, Effect, Present, Preview, ReadResult, Unreadable
from planner.redaction import GUARD
from planner.resource import APPLIED, Resource
from planner.snapshot import Record, Snapshot
from providers.kubernetes.cluster import KindInfo
from providers.kubernetes.placing import coming_kinds, is_crd, served

Only: TypeAlias = Callable[[Resource], bool]
Prune: TypeAlias = Callable[[Address], bool]


@dataclass(frozen=True, slots=True)
class Made:
    """A plan, and what those need who explain or apply it.

    `owned_live` counts the live objects of the owned sets, for the guards; `notes` are for the reader.
    """

    plan: Plan
    graph: ResourceGraph
    snapshot: Snapshot
    owned_live: int
    notes: Mapping[Address, str]
    inputs: PlanInputs

    def drift(self) -> DriftReport:
        """The same reading, judged as drift."""
        return drift_report(self.inputs, self.snapshot)


@contextmanager
def made(request: Request, *, only: Only | None = None, prune: Prune | None = None) -> Iterator[tuple[Made, Session]]:
    """Open a session and make the plan of `request`; the session stays open for those who apply it."""
    with opened(request) as session:
        yield make(session, only=only, prune=prune), session


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything read and predicted, before any decision."""

    inputs: PlanInputs
    seen: ReadResult
    snapshot: Snapshot


def make(session: Session, *, destroy: bool = False, only: Only | None = None, prune: Prune | None = None) -> Made:
    """Make the plan; with `only` of just those resources, without what they depend on, and without pruning but for what
    `prune` says yes to.

    Raises GraphError, SelectionError and ProviderError.
    """
    gathered = inputs_of(session, destroy=destroy, only=only, prune=prune)
    inputs, seen, snapshot = gathered.inputs, gathered.seen, gathered.snapshot
    live = owned_live(seen, session.stack.owned)
    return Made(make_plan(inputs), inputs.graph, snapshot, live, notes_of(inputs, snapshot), inputs)


def inputs_of(
    session: Session, *, destroy: bool = False, only: Only | None = None, prune: Prune | None = None
) -> Gathered:
    """Read and predict everything that is selected."""
    request, stack, world = session.request, session.stack, session.world
    identity = world.identity()
    GUARD.publish([identity.server])
    if stack.cluster_uid and stack.cluster_uid != identity.uid:
        raise ForeignPlan(
            f"the configuration insists on cluster {stack.cluster_uid[:8]}, this is {identity.uid[:8]}",
            where=identity.server,
            remedy="choose the cluster with --kubeconfig and --context",
        )
    placed = _placed(session)
    whole = build_graph(placed)
    chosen = _chosen(request, whole) - frozenset(one.address for one in placed if only and not only(one))
    resources = {resource.address: resource for resource in placed if resource.address in chosen}
    graph = whole if len(resources) == len(placed) else whole.subset(chosen)
    snapshot = world.store.snapshot(stack.owned)
    places = [place for place in snapshot.places() if not is_own_kind(place.api_version)]
    seen, homeless = observe(world.providers, list(resources.values()), stack.owned, places)
    lost = {**stack.unsourced, **homeless}
    readable = {
        address: resource
        for address, resource in resources.items()
        if address not in lost and not isinstance(seen.observations.get(address), Unreadable)
    }
    predicted = Predicted() if destroy else preview_all(world.providers, readable, seen.observations, graph)
    observations = {**seen.observations, **predicted.observations}
    inputs = PlanInputs(
        selection=_selection(request, stack, tuple(map(str, sorted(chosen))) if only else request.targets),
        cluster=identity,
        config_digest=stack.digest,
        graph=graph,
        resources={**resources, **predicted.resources},
        observations=observations,
        previews=predicted.previews,
        strays=_prunable(request, stack, seen, declared=whole, prune=prune),
        unsourced=lost,
        warnings=(*stack.warnings, *seen.warnings, *_unlisted(seen)),
        prune=prune is not None or not (request.targets or request.exclude or only),
        destroy=destroy,
    )
    inputs = with_contents(inputs, world.cluster)
    told = _no_longer_declared(session, inputs)
    return Gathered(replace(inputs, warnings=(*inputs.warnings, *told)) if told else inputs, seen, snapshot)


def notes_of(inputs: PlanInputs, snapshot: Snapshot) -> Mapping[Address, str]:
    """What this machine's memory adds for the reader. Never part of the plan: it must not change its bytes."""
    records = snapshot.records
    gone = {
        address: f"applied by run {records[address].run}, gone since"
        for address, seen in inputs.observations.items()
        if isinstance(seen, Absent) and address in records and _is_gone(inputs.previews.get(address), records[address])
    }
    left = {
        address: f"applied by run {record.run}, no longer declared; it is left alone"
        for address, record in records.items()
        if is_own_kind(record.api_version) and _is_left_out(inputs, address, record.scope)
    }
    other = {
        address: f"declared otherwise than in run {records[address].run}"
        for address, resource in inputs.resources.items()
        if is_own_kind(resource.api_version)
        and address in records
        and not _stays(inputs.previews.get(address))
        and resource.manifest["metadata"]["annotations"].get(APPLIED) != records[address].applied
    }
    return gone | left | other


def _is_gone(preview: Preview | None, record: Record) -> bool:
    return _stays(preview) and (preview is None or not moved_on(preview, record))


def _stays(preview: Preview | None) -> bool:
    """Whether what was done to a resource is something that stays, and could be gone: a run ends."""
    return preview is None or preview.effect not in (Effect.RUN, Effect.NONE)


def _is_left_out(inputs: PlanInputs, address: Address, scope: str) -> bool:
    """Whether a resource of another system belongs to what is planned here, and is not declared any more. Only objects
    of the cluster are pruned: a gate that is taken away would go unnoticed."""
    scopes = inputs.selection.scopes
    return inputs.prune and address not in inputs.resources and (not scopes or scope in scopes)


def _no_longer_declared(session: Session, inputs: PlanInputs) -> tuple[str, ...]:
    """The same, as far as a snapshot knows it."""
    recorded = session.world.providers.recorded
    if not isinstance(recorded, RecordedProvider):
        return ()
    left = (address for address, scope in recorded.declared() if _is_left_out(inputs, address, scope))
    return tuple(f"{address}: declared when the snapshot was saved, no longer; it is left alone" for address in left)


def _placed(session: Session) -> list[Resource]:
    """Every resource in the namespace that it will really stand in: only discovery knows which kinds are namespaced."""
    resources = session.stack.resources
    coming = coming_kinds(one.manifest for one in resources if is_crd(one.manifest))
    keys = {(one.api_version, one.address.kind) for one in resources if not is_own_kind(one.api_version)}
    kinds = {key: coming.get(key) or _served(session, *key) for key in sorted(keys)}
    found = []
    for resource in resources:
        kind = kinds.get((resource.api_version, resource.address.kind))
        namespace = session.request.namespace
        found.append(with_namespace(resource, kind.namespaced, namespace) if kind else resource)
    return found


def _served(session: Session, api_version: str, kind: str) -> KindInfo | None:
    """The kind, or None where it cannot be told: reading its objects says why, and only they are in trouble."""
    try:
        return served(session.world.cluster, api_version, kind)
    except ProviderError:
        return None


def _chosen(request: Request, graph: ResourceGraph) -> frozenset[Address]:
    """The selected addresses: targets with what they depend on, less what is excluded."""
    chosen = graph.select(request.targets) if request.targets else frozenset(graph.order())
    return frozenset(address for address in chosen if not any(address.matches(pattern) for pattern in request.exclude))


def _prunable(
    request: Request, stack: Stack, seen: ReadResult, *, declared: ResourceGraph, prune: Prune | None
) -> tuple[Present, ...]:
    """Strays within the selection: a plan of one scope must not delete what another declares, nor a part of a plan
    what another part does."""
    names = set(declared.order())
    return tuple(
        stray
        for stray in seen.strays
        if stray.address not in names
        and (not request.scopes or stray.scope in stack.scopes)
        and (prune is None or prune(stray.address))
    )


def _selection(request: Request, stack: Stack, targets: tuple[str, ...]) -> Selection:
    return Selection(
        product=stack.product,
        name=request.name,
        nodes=stack.nodes,
        lanes=stack.lanes,
        scopes=stack.scopes,
        targets=targets,
        exclude=request.exclude,
        files=request.files,
    )


def _unlisted(seen: ReadResult) -> tuple[str, ...]:
    return tuple(f"{place.address}: not looked at for objects to prune ({place.reason})" for place in seen.unlisted)


def owned_live(seen: ReadResult, owned: Collection[str]) -> int:
    """How many live objects of the owned sets were seen, for the guards."""
    declared = sum(isinstance(one, Present) and one.owned_by in owned for one in seen.observations.values())
    return declared + len(seen.strays)
