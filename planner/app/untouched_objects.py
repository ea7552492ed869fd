"""Reads what a plan does not touch, and what may read or name what it takes away or changes: for its effects.

Asked only where a plan deletes something or changes a ConfigMap or Secret, and only in the namespaces of those. What a
ConfigMap delivers is looked at also where pods restart, and needs no question.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from planner.address import Address, group_of_api_version
from planner.app.manifests_in_config_maps import manifests_in_config_map
from planner.errors import ProviderError
from planner.planning import PlanInputs, decide_leaving_objects
from planner.ports import PresentObject, PreviewEffect
from planner.resource import Resource
from planner.side_effects import UntouchedObjects
from planner.side_effects.pod_disruptions import ROLLED
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from providers.cluster_interface import Cluster, KubernetesListScope, ServedKubernetesKind
from providers.kubernetes.object_location import served_kind

# What names others: workloads, routes, bindings, and what runs in pipelines.
_KINDS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
    ("networking.k8s.io/v1", "Ingress"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("tekton.dev/v1", "Pipeline"),
    ("tekton.dev/v1", "Task"),
)
_CONFIGURATION = ("ConfigMap", "Secret")
_LIVE = SourceRef("(live)")


def with_untouched_objects(inputs: PlanInputs, cluster: Cluster) -> PlanInputs:
    """The plan inputs with the live objects that the plan does not touch. What cannot be listed is named, and no
    error: effects are for the reader of a plan."""
    going = [] if inputs.destroy else [one.address for one in decide_leaving_objects(inputs).going]
    changed = [address for address in inputs.previews if _is_changed(inputs, address)]
    places = {one.namespace: one.node_lane for one in (*changed, *going) if one.namespace}
    if not places:
        return _with_delivered_callers(inputs)
    known = {one.local for one in (*inputs.resources, *going)}
    live, unlisted = _live(cluster, places, known)
    delivered, before = {}, {}
    for address, resource in inputs.resources.items():
        if (address.kind, address.group) != ("ConfigMap", ""):
            continue
        seen = inputs.observations.get(address)
        if after := tuple(manifests_in_config_map(address, resource.manifest)):
            delivered[address] = after
        if isinstance(seen, PresentObject) and (old := tuple(manifests_in_config_map(address, seen.value or {}))):
            before[address] = old
    return replace(inputs, others=UntouchedObjects(live, delivered, before, unlisted, looked_at=True))


def _with_delivered_callers(inputs: PlanInputs) -> PlanInputs:
    """The inputs with what ConfigMaps deliver, where pods restart: it may call them. Asks nobody."""
    if not any(address.kind in ROLLED and _is_written(inputs, address) for address in inputs.previews):
        return inputs
    holders = ((one, each) for one, each in inputs.resources.items() if (one.kind, one.group) == ("ConfigMap", ""))
    delivered = {one: found for one, each in holders if (found := tuple(manifests_in_config_map(one, each.manifest)))}
    return replace(inputs, others=UntouchedObjects(delivered=delivered)) if delivered else inputs


def _is_changed(inputs: PlanInputs, address: Address) -> bool:
    return address.kind in _CONFIGURATION and not address.group and _is_written(inputs, address)


def _is_written(inputs: PlanInputs, address: Address) -> bool:
    return inputs.previews[address].effect in (PreviewEffect.UPDATE, PreviewEffect.REPLACE)


def _live(
    cluster: Cluster, places: Mapping[str, str], known: Collection[str]
) -> tuple[tuple[Resource, ...], tuple[str, ...]]:
    """Live objects of these namespaces that are not `known`, without what a controller made; what was not listed."""
    wanted, unlisted = [], []
    for version, name in _KINDS:
        try:
            kind = served_kind(cluster, version, name)
        except ProviderError as error:
            unlisted.append(f"{name} ({error.message})")
            continue
        wanted += [KubernetesListScope(kind, namespace) for namespace in places] if kind and _can_list(kind) else []
    found: dict[Address, Resource] = {}
    for place, answer in cluster.list(sorted(wanted)).items():
        if isinstance(answer, ProviderError):
            unlisted.append(f"{place.kind.plural} of {place.namespace} ({answer.message})")
            continue
        for one in answer:
            address = _placed(one, place.kind, places)
            if address.local not in known and not _is_controlled(one):
                found[address] = Resource(address, place.kind.api_version, one, "", "", _LIVE)
    return tuple(found[address] for address in sorted(found)), tuple(sorted(unlisted))


def _can_list(kind: ServedKubernetesKind) -> bool:
    return not kind.verbs or "list" in kind.verbs


def _placed(one: JsonObject, kind: ServedKubernetesKind, places: Mapping[str, str]) -> Address:
    metadata = one["metadata"]
    namespace = metadata.get("namespace", "")
    return Address(
        places.get(namespace, ""), kind.kind, group_of_api_version(kind.api_version), namespace, metadata["name"]
    )


def _is_controlled(one: JsonObject) -> bool:
    owners = one["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") for owner in owners)
