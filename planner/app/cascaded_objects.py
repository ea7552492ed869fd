"""What a Namespace, or the definition of a kind, takes along when it is deleted: looked for before a plan says so.

A plan deletes nothing that it does not name (spec 06, Security). Whatever else lives inside such a container keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from planner.address import address_of_document, group_of_api_version
from planner.errors import ProviderError
from planner.planning import PlanInputs, decide_leaving_objects
from planner.ports import PresentObject
from planner.values import JsonObject
from providers.cluster_interface import Cluster, KubernetesListScope, ServedKubernetesKind

_DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")
# What controllers put into every namespace, and what passes by itself.
_MADE = frozenset({("", "ConfigMap", "kube-root-ca.crt"), ("", "ServiceAccount", "default")})
_PASSING = frozenset({("", "Event"), ("events.k8s.io", "Event"), ("", "Endpoints"), ("coordination.k8s.io", "Lease")})


def with_cascaded_objects(inputs: PlanInputs, cluster: Cluster) -> PlanInputs:
    """The plan inputs with the objects that Kubernetes would delete together with each Namespace or
    CustomResourceDefinition that is to be deleted. Asks only when there is one."""
    going = decide_leaving_objects(inputs).going
    places = {one.address: places for one in going if (places := _places(one, cluster))}
    if not places:
        return inputs
    uids = frozenset(one.uid for one in going)
    inside = {address: tuple(sorted(_staying(cluster, where, uids))) for address, where in places.items()}
    return replace(inputs, inside={address: found for address, found in inside.items() if found})


def _places(container: PresentObject, cluster: Cluster) -> tuple[KubernetesListScope, ...]:
    """Where what is inside stands; empty for what contains nothing."""
    address = container.address
    if (address.group, address.kind) == ("", "Namespace"):
        return tuple(
            KubernetesListScope(kind, address.name) for kind in listable_and_deletable_kinds(cluster) if kind.namespaced
        )
    if (address.group, address.kind) == _DEFINITION:
        spec = (container.value or {}).get("spec") or {}
        made = (str(spec.get("group")), str((spec.get("names") or {}).get("kind")))
        return tuple(
            KubernetesListScope(kind, "")
            for kind in listable_and_deletable_kinds(cluster)
            if (group_of_api_version(kind.api_version), kind.kind) == made
        )
    return ()


def listable_and_deletable_kinds(cluster: Cluster) -> Iterator[ServedKubernetesKind]:
    """The kinds that the API server can list and delete, each once; what passes by itself (such as Events) is left
    out."""
    known = set(_PASSING)
    for kind in cluster.kinds():
        identity = (group_of_api_version(kind.api_version), kind.kind)
        if identity not in known and (not kind.verbs or kind.verbs >= {"list", "delete"}):
            known.add(identity)
            yield kind


def _staying(cluster: Cluster, places: Collection[KubernetesListScope], going: frozenset[str]) -> Iterator[str]:
    """What is not planned to go, nor belongs to something that is; a kind that cannot be looked at stays as a whole."""
    found: dict[str, JsonObject] = {}
    for place, answer in cluster.list(sorted(places)).items():
        if isinstance(answer, ProviderError):
            yield f"{place.kind.plural} ({answer.message})"
        else:
            found |= {str(one["metadata"]["uid"]): one for one in answer}
    gone = _with_dependents(found, going)
    for uid, one in found.items():
        address = address_of_document(one)
        if uid not in gone and (address.group, address.kind, address.name) not in _MADE:
            yield address.local


def _with_dependents(found: Mapping[str, JsonObject], going: frozenset[str]) -> set[str]:
    """The uids that go, and those of everything that garbage collection takes after them."""
    gone, before = set(going), -1
    while before != len(gone):
        before = len(gone)
        gone |= {uid for uid, one in found.items() if any(owner.get("uid") in gone for owner in _owners(one))}
    return gone


def _owners(live: JsonObject) -> list[JsonObject]:
    return live["metadata"].get("ownerReferences") or []
