"""Where an object stands: its served kind and the namespace that its address means. Asks only discovery.

An address without a namespace means the default one if its kind is namespaced, and a namespace on a cluster-scoped kind
means nothing; both as kubectl does it. Kinds whose CRD comes in the same plan are known from that CRD.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from planner.address import Address, group_of_api_version
from planner.values import JsonObject
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.kubernetes.custom_kinds import custom_kinds

CRD_API = "apiextensions.k8s.io/v1"
CRD = "CustomResourceDefinition"


class ObjectLocation(NamedTuple):
    """An object's place in the cluster: its served kind, namespace and name."""

    kind: ServedKubernetesKind
    namespace: str
    name: str


def locate_object(kind: ServedKubernetesKind, address: Address, default_namespace: str) -> ObjectLocation:
    """The served kind and namespace that an address means, given its kind."""
    return ObjectLocation(kind, (address.namespace or default_namespace) if kind.namespaced else "", address.name)


def served_kind(cluster: Cluster, api_version: str, kind: str) -> ServedKubernetesKind | None:
    """The kind at this version, else at any other served version of its group, else None. Raises ProviderError."""
    if found := cluster.kind(api_version, kind):
        return found
    group = group_of_api_version(api_version)
    return next(
        (info for info in cluster.kinds() if info.kind == kind and group_of_api_version(info.api_version) == group),
        None,
    )


_DECLARED_BY = frozenset(("list", "patch"))


def kind_can_be_read(kind: ServedKubernetesKind) -> bool:
    """Whether objects of the kind can be read: nothing is stored of one that only takes questions."""
    return not kind.verbs or "list" in kind.verbs


def kind_can_be_read_and_written(kind: ServedKubernetesKind) -> bool:
    """Whether objects of the kind can be read and written: questions to the API can only be created, what is computed
    for a reader only read. Where discovery names no verbs, the requests themselves tell."""
    return not kind.verbs or kind.verbs >= _DECLARED_BY


def served_kind_of_address(cluster: Cluster, address: Address) -> ServedKubernetesKind | None:
    """The kind that an address names, at the version that the cluster prefers, or None. Raises ProviderError."""
    kinds = cluster.kinds()
    return next(
        (
            info
            for info in kinds
            if info.kind == address.kind and group_of_api_version(info.api_version) == address.group
        ),
        None,
    )


def is_crd(document: JsonObject) -> bool:
    """Whether the document defines a custom kind."""
    return document.get("kind") == CRD and document.get("apiVersion") == CRD_API


def kinds_of_planned_crds(crds: Iterable[JsonObject]) -> dict[tuple[str, str], ServedKubernetesKind]:
    """Kinds by (apiVersion, kind) as these desired CRDs will serve them."""
    return {(info.api_version, info.kind): info for info in custom_kinds(crds)}


def with_resolved_namespace(document: JsonObject, location: ObjectLocation) -> JsonObject:
    """The document with the namespace that it will really stand in. Copied only where something changes."""
    metadata = document["metadata"]
    if (metadata.get("namespace") or "") == location.namespace:
        return document
    rest = {key: value for key, value in metadata.items() if key != "namespace"}
    return {**document, "metadata": {**rest, "namespace": location.namespace} if location.namespace else rest}
