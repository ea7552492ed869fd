"""Reads what a plan does not touch, and what may read or name what it takes away or changes: for its effects.

Asked only where a plan deletes something or changes a ConfigMap or Secret, and only in the namespaces of those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from planner.address import Address, address_of_document, group_of_api_version
from planner.errors import ConfigError, ProviderError
from planner.graph.resource_index import map_or_empty
from planner.loading.yaml.load_documents import MANIFEST, load_documents
from planner.planning import PlanInputs, decide_leaving_objects
from planner.ports import Effect, Present
from planner.resource import Resource
from planner.side_effects import UntouchedObjects
from planner.source_ref import SourceRef
from planner.values import JsonObject
from providers.cluster import Cluster, KindInfo, ObjectCollection
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
_TEXTS = (".yaml", ".yml", ".json")
_LIVE = SourceRef("(live)")
_MOST = 512 << 10  # characters of a text that is read as manifests


def with_untouched_objects(inputs: PlanInputs, cluster: Cluster) -> PlanInputs:
    """The inputs with the objects beside them. What cannot be listed is named, and no error: effects are for the reader
    of a plan."""
    going = [] if inputs.destroy else [one.address for one in decide_leaving_objects(inputs).going]
    changed = [address for address in inputs.previews if _is_changed(inputs, address)]
    places = {one.namespace: one.node_lane for one in (*changed, *going) if one.namespace}
    if not places:
        return inputs
    known = {one.local for one in (*inputs.resources, *going)}
    live, unlisted = _live(cluster, places, known)
    delivered, before = {}, {}
    for address, resource in inputs.resources.items():
        if (address.kind, address.group) != ("ConfigMap", ""):
            continue
        seen = inputs.observations.get(address)
        if after := tuple(_manifests(address, resource.manifest)):
            delivered[address] = after
        if isinstance(seen, Present) and (old := tuple(_manifests(address, seen.value or {}))):
            before[address] = old
    return replace(inputs, others=UntouchedObjects(live, delivered, before, unlisted, looked_at=True))


def _is_changed(inputs: PlanInputs, address: Address) -> bool:
    effect = inputs.previews[address].effect
    return address.kind in _CONFIGURATION and not address.group and effect in (Effect.UPDATE, Effect.REPLACE)


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
        wanted += [ObjectCollection(kind, namespace) for namespace in places] if kind and _can_list(kind) else []
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


def _can_list(kind: KindInfo) -> bool:
    return not kind.verbs or "list" in kind.verbs


def _placed(one: JsonObject, kind: KindInfo, places: Mapping[str, str]) -> Address:
    metadata = one["metadata"]
    namespace = metadata.get("namespace", "")
    return Address(
        places.get(namespace, ""), kind.kind, group_of_api_version(kind.api_version), namespace, metadata["name"]
    )


def _is_controlled(one: JsonObject) -> bool:
    owners = one["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") for owner in owners)


def _manifests(holder: Address, document: JsonObject) -> Iterator[Resource]:
    """The manifests in a ConfigMap. A text that is none, or a template of one, holds nothing that could be named."""
    for name, text in map_or_empty(document.get("data")).items():
        if not (name.endswith(_TEXTS) and isinstance(text, str) and len(text) <= _MOST and "kind" in text):
            continue
        try:
            found = [one.value for one in load_documents(text.encode(), name, MANIFEST)]
        except ConfigError:
            continue
        for one in found:
            if isinstance(one, dict) and one.get("apiVersion") and isinstance(one.get("metadata"), dict):
                address = replace(address_of_document(one), node_lane=holder.node_lane)
                yield Resource(address, str(one["apiVersion"]), one, "", "", SourceRef(f"{holder.local}: {name}"))
