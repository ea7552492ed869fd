"""Making a plan: load, order, read, predict, decide. Writes nothing outside the state's own folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from functools import cached_property
from typing import TypeAlias

from planner.address import Address, is_hwplan_kind
from planner.app.argo_repairs import with_argo_repairs
from planner.app.cascaded_objects import with_cascaded_objects
from planner.app.ended_kubernetes_jobs import without_rerun_of_ended_kubernetes_jobs
from planner.app.failed_checks_to_run_again import with_failed_checks_run_again
from planner.app.field_ownership_requests import resources_with_ownership_options
from planner.app.foreign_autoscaling import warn_of_autoscaled_replicas
from planner.app.load_desired import DesiredStack
from planner.app.plan_remarks import is_no_longer_declared, remarks_from_state
from planner.app.read_and_preview import preview_with_all_providers, read_with_all_providers
from planner.app.request import Request
from planner.app.secrets_declared_obsolete import SecretsDeclaredObsolete, split_off_secrets_declared_obsolete
from planner.app.secrets_in_clear import warn_of_secrets_in_clear, with_secrets_in_clear_named
from planner.app.session import Session, identify_cluster, open_session
from planner.app.undeclared_owned_sets import (
    remarks_on_undeclared_sets_only_in_state,
    warn_of_undeclared_owned_sets_in_cluster,
)
from planner.app.unlabelled_objects import unlabelled_objects
from planner.app.unselected_scopes import (
    blocked_previews_naming_unselected_scopes,
    build_graph_naming_unselected_scopes,
)
from planner.app.untouched_objects import with_untouched_objects
from planner.applied_state import AppliedRecord, AppliedState
from planner.dataclass import dataclass
from planner.drift import DriftReport
from planner.errors import GuardRefused, ProviderError
from planner.graph import ResourceGraph
from planner.loading.manifests.plain_manifests import with_effective_namespace, without_repeated_resources
from planner.loading.secrets.secret_files import NOT_IN_FOLDER
from planner.plan import Plan, Selection
from planner.plan_id import plan_id
from planner.planning import PlanInputs, drift_report, fired_guards, make_plan
from planner.ports import PresentObject, ReadResult, UnreadableObject
from planner.redaction.clean_values import clean_texts_in_value
from planner.resource import Resource
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.object_location import is_crd, kinds_of_planned_crds, served_kind
from providers.saved_observations_provider import SavedObservationsProvider

Only: TypeAlias = Callable[[Resource], bool]
Prune: TypeAlias = Callable[[Address], bool]
# What a command makes of the resources that are declared: itself, others in their place, or more.
Rewrite: TypeAlias = Callable[[Session], tuple[Resource, ...]]


@dataclass(frozen=True)
class PlanWithInputs:
    """A plan that was made now, with the inputs, graph and notes that those need who explain or apply it.

    `owned_live` counts the live objects of the owned sets, for the guards; `notes` are for the reader.
    """

    plan: Plan
    graph: ResourceGraph
    snapshot: AppliedState
    owned_live: int
    notes: Mapping[Address, str]
    inputs: PlanInputs

    @cached_property
    def identifier(self) -> str:
        """The id of the plan."""
        return plan_id(self.plan)

    def drift(self) -> DriftReport:
        """The same reading, judged as drift."""
        return clean_texts_in_value(drift_report(self.inputs, self.snapshot))

    def guards(self) -> tuple[GuardRefused, ...]:
        """The guards that an apply of this plan would be refused by; none where it has nothing to do."""
        return fired_guards(self.plan, self.snapshot, owned_live=self.owned_live) if self.plan.applyable else ()


@contextmanager
def open_session_with_plan(
    request: Request,
    *,
    only: Only | None = None,
    prune: Prune | None = None,
    named: str = "",
    rewrite: Rewrite | None = None,
) -> Iterator[tuple[PlanWithInputs, Session]]:
    """Open a session and make the plan of `request`; the session stays open for those who apply it."""
    with open_session(request) as opened:
        resources = rewrite(opened) if rewrite is not None else opened.stack.resources
        session = replace(opened, stack=replace(opened.stack, resources=resources))
        yield plan_selected_resources(session, only=only, prune=prune, named=named), session


@dataclass(frozen=True, slots=True)
class GatheredPlanInputs:
    """The inputs of a plan: everything read and predicted, before any decision. `declared` are all resources,
    selected by `only` or not."""

    inputs: PlanInputs
    seen: ReadResult
    snapshot: AppliedState
    declared: frozenset[Address] = frozenset()
    obsolete: SecretsDeclaredObsolete = field(default_factory=SecretsDeclaredObsolete)


def plan_selected_resources(
    session: Session, *, only: Only | None = None, prune: Prune | None = None, named: str = ""
) -> PlanWithInputs:
    """Make the plan; with `only` of just those resources, without what they depend on, and without pruning but for what
    `prune` says yes to. With `named` just this obsolete Secret is deleted, also where hwplan did not make it.

    Raises GraphError, SelectionError and ProviderError.
    """
    gathered = gather_plan_inputs(session, only=only, prune=prune, named=named)
    seen, snapshot = gathered.seen, gathered.snapshot
    inputs = with_untouched_objects(gathered.inputs, session.world.cluster)
    live = count_owned_live_objects(seen, session.stack.owned)
    whole = not (only or prune or named)
    notes = {
        **(unlabelled_objects(session, _left_records(gathered)) if whole else {}),
        **remarks_on_undeclared_sets_only_in_state(session, seen),
        **remarks_from_state(inputs, snapshot, gathered.declared),
        **_secrets_folders(session),
    }
    return PlanWithInputs(make_redacted_plan(inputs), inputs.graph, snapshot, live, notes, inputs)


def _left_records(gathered: GatheredPlanInputs) -> Mapping[Address, AppliedRecord]:
    """The records of what is no longer declared and was not seen as ours: it is gone, or says nothing of us."""
    inputs, strays = gathered.inputs, {one.address for one in gathered.seen.strays}
    return {
        address: record
        for address, record in gathered.snapshot.records.items()
        if address not in strays and is_no_longer_declared(inputs, address, record.scope, gathered.declared)
    }


def make_redacted_plan(inputs: PlanInputs) -> Plan:
    """The plan of `inputs`, cleaned once more: by now every secret that was read is known, whoever read it first."""
    return with_secrets_in_clear_named(clean_texts_in_value(make_plan(inputs)))


def gather_plan_inputs(
    session: Session, *, only: Only | None = None, prune: Prune | None = None, named: str = ""
) -> GatheredPlanInputs:
    """Read and predict everything that is selected: the inputs of a plan."""
    request, stack, world = session.request, session.stack, session.world
    identity = identify_cluster(session)
    placed = with_argo_repairs(world, resolve_resource_namespaces(session, stack.resources))
    whole = build_graph_naming_unselected_scopes(session, placed)
    chosen = _chosen(request, whole) - frozenset(one.address for one in placed if only and not only(one))
    resources = resources_with_ownership_options({one.address: one for one in placed if one.address in chosen}, request)
    graph = whole if len(resources) == len(placed) else whole.subset(chosen)
    snapshot = world.store.snapshot(stack.owned)
    places = [place for place in snapshot.places() if not is_hwplan_kind(place.api_version)]
    pruning = prune is not None or not (request.targets or request.exclude or only)
    leaving = stack.obsolete if pruning else ()
    read, unsupported = read_with_all_providers(world.providers, [*resources.values(), *leaving], stack.owned, places)
    seen, obsolete = split_off_secrets_declared_obsolete(leaving, read, stack.owned)
    lost = {**stack.unsourced, **unsupported}
    readable = {
        address: resource
        for address, resource in resources.items()
        if address not in lost and not isinstance(seen.observations.get(address), UnreadableObject)
    }
    predicted = preview_with_all_providers(world.providers, readable, seen.observations, graph)
    observations = {**seen.observations, **predicted.observations}
    strays = _prunable(request, stack, seen, declared=whole, prune=prune)
    if named:
        strays = _named(named, strays, obsolete, {one.address: one for one in placed})
    reported = (*seen.warnings, *warnings_of_unlisted_kinds(seen), *obsolete.warnings(strays))
    inputs = PlanInputs(
        selection=resolved_selection(request, stack, tuple(map(str, sorted(chosen))) if only else request.targets),
        cluster=identity,
        config_digest=stack.digest,
        graph=graph,
        resources={**resources, **predicted.resources},
        observations=observations,
        previews=blocked_previews_naming_unselected_scopes(session, predicted.previews),
        strays=strays,
        unsourced=lost,
        warnings=(*stack.warnings, *reported, *warn_of_undeclared_owned_sets_in_cluster(session, seen)),
        prune=pruning,
        reasons={one.address: obsolete.reason(one.address) for one in strays if one in obsolete.foreign},
        made=predicted.made,
    )
    inputs = with_failed_checks_run_again(without_rerun_of_ended_kubernetes_jobs(inputs, snapshot, session), session)
    inputs = with_cascaded_objects(inputs, world.cluster)
    declared = frozenset(one.address for one in placed)
    more = (
        *_no_longer_declared(session, inputs, declared),
        *warn_of_secrets_in_clear(inputs),
        *warn_of_autoscaled_replicas(inputs, world.cluster),
    )
    inputs = replace(inputs, warnings=(*inputs.warnings, *more)) if more else inputs
    return GatheredPlanInputs(inputs, seen, snapshot, declared, obsolete)


def _secrets_folders(session: Session) -> Mapping[Address, str]:
    """Where a secrets file was looked for that does not exist: a path of this machine, so no part of the plan."""
    folders = session.stack.secrets.folders
    reported: dict[str, Address] = {}
    for address, reason in sorted(session.stack.unsourced.items()):
        node = address.node_lane.split("/")[0] or next(iter(session.stack.nodes), "")
        if NOT_IN_FOLDER in reason and node in folders:
            reported.setdefault(node, address)
    return {address: f"the secrets folder of {node} is {folders[node]}" for node, address in reported.items()}


def _no_longer_declared(session: Session, inputs: PlanInputs, declared: Collection[Address]) -> tuple[str, ...]:
    """The same, as far as a snapshot knows it."""
    recorded = session.world.providers.recorded
    if not isinstance(recorded, SavedObservationsProvider):
        return ()
    left = (
        address for address, scope in recorded.declared() if is_no_longer_declared(inputs, address, scope, declared)
    )
    return tuple(f"{address}: declared when the snapshot was saved, no longer; it is left alone" for address in left)


def resolve_resource_namespaces(session: Session, resources: Collection[Resource]) -> list[Resource]:
    """Every resource in the namespace that it will really stand in: only discovery knows which kinds are namespaced."""
    coming = kinds_of_planned_crds(one.manifest for one in resources if is_crd(one.manifest))
    keys = {(one.api_version, one.address.kind) for one in resources if not is_hwplan_kind(one.api_version)}
    kinds = {key: coming.get(key) or _served(session, *key) for key in sorted(keys)}
    found = []
    for resource in resources:
        kind = kinds.get((resource.api_version, resource.address.kind))
        namespace = session.request.namespace
        found.append(with_effective_namespace(resource, kind.namespaced, namespace) if kind else resource)
    return without_repeated_resources(found, [resource.address for resource in resources])


def _served(session: Session, api_version: str, kind: str) -> ServedKubernetesKind | None:
    """The kind, or None where it cannot be determined: reading its objects says why, and only they are in trouble."""
    try:
        return served_kind(session.world.cluster, api_version, kind)
    except ProviderError:
        return None


def _chosen(request: Request, graph: ResourceGraph) -> frozenset[Address]:
    """The selected addresses: targets with what they depend on, less what is excluded."""
    chosen = graph.select(request.targets) if request.targets else frozenset(graph.order())
    return frozenset(address for address in chosen if not any(address.matches(pattern) for pattern in request.exclude))


def _prunable(
    request: Request, stack: DesiredStack, seen: ReadResult, *, declared: ResourceGraph, prune: Prune | None
) -> tuple[PresentObject, ...]:
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


def _named(
    name: str,
    strays: Collection[PresentObject],
    obsolete: SecretsDeclaredObsolete,
    resources: Mapping[Address, Resource],
) -> tuple[PresentObject, ...]:
    """The one object that is named, of ours or foreign; nothing where it is gone already."""
    address = obsolete.named(name, [one.address for one in strays], resources)
    return tuple(one for one in (*strays, *obsolete.foreign) if one.address == address)


def resolved_selection(request: Request, stack: DesiredStack, targets: tuple[str, ...]) -> Selection:
    """The selecting words as they were resolved."""
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


def warnings_of_unlisted_kinds(seen: ReadResult) -> tuple[str, ...]:
    """A warning for each kind that could not be listed, where objects of ours may be that nobody could look for."""
    return tuple(f"{place.address}: not looked at for objects to prune ({place.reason})" for place in seen.unlisted)


def count_owned_live_objects(seen: ReadResult, owned: Collection[str]) -> int:
    """How many live objects of the owned sets were seen in the cluster, for the guards."""
    declared = sum(isinstance(one, PresentObject) and one.owned_by in owned for one in seen.observations.values())
    return declared + len(seen.strays)
