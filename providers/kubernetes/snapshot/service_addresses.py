"""What a server gives a new Service, cluster addresses and their families, and what it refuses. Pure.

A snapshot has one family, IPv4, unless a Service in it shows another. Source: the allocation (`alloc.go` of the storage
of Services) and the validation of Services of Kubernetes 1.36.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from planner.field_path import FieldPath, render_path
from planner.values import JsonObject
from providers.kubernetes.errors import Invalid, InvalidField

_HEADLESS: Final = "None"
_FAMILIES: Final = ("IPv4", "IPv6")
_ONE_CLUSTER_FIELDS: Final = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")


def with_service_addresses(document: JsonObject, services: Iterable[JsonObject]) -> JsonObject:
    """A new object as a server stores it: a Service with its cluster address; all others as they are.

    `services` are those that the cluster has. Raises Invalid with every field that a server would refuse.
    """
    if (document.get("apiVersion"), document.get("kind")) != ("v1", "Service"):
        return document
    spec = document.get("spec") or {}
    if found := tuple(_refused(spec, services)):
        metadata = document["metadata"]
        causes = tuple(InvalidField(render_path(("spec", *path)), "FieldValueInvalid", words) for path, words in found)
        raise Invalid(causes, where=f"Service/{metadata.get('namespace')}/{metadata.get('name')}")
    if spec.get("type") == "ExternalName":
        return document
    address = spec.get("clusterIP") or _address(document["metadata"])
    families = list(spec.get("ipFamilies") or ("IPv6" if ":" in address else "IPv4",))
    policy = spec.get("ipFamilyPolicy") or ("RequireDualStack" if _names_its_endpoints(spec) else "SingleStack")
    if _names_its_endpoints(spec) and policy != "SingleStack":
        families += [one for one in _FAMILIES if one not in families]
    made = {"clusterIP": address, "clusterIPs": spec.get("clusterIPs") or [address]}
    return {**document, "spec": {**spec, **made, "ipFamilies": families, "ipFamilyPolicy": policy}}


def _names_its_endpoints(spec: JsonObject) -> bool:
    """Headless and without pods of its own: whoever writes its endpoints has the families, whatever the cluster has."""
    return spec.get("clusterIP") == _HEADLESS and not spec.get("selector")


def _refused(spec: JsonObject, services: Iterable[JsonObject]) -> Iterator[tuple[FieldPath, str]]:
    if spec.get("type") == "ExternalName":
        asked = {**spec, "clusterIPs": spec.get("clusterIPs") or spec.get("clusterIP")}
        yield from (
            ((name,), "Forbidden: may not be set for ExternalName services")
            for name in _ONE_CLUSTER_FIELDS
            if asked.get(name)
        )
        return
    addresses, families = spec.get("clusterIPs") or (), spec.get("ipFamilies") or ()
    if addresses and not spec.get("clusterIP"):
        yield ("clusterIPs",), "must be empty when `clusterIP` is not specified"
    elif addresses and addresses[0] != spec["clusterIP"]:
        yield ("clusterIPs",), "first value must match `clusterIP`"
    policy = spec.get("ipFamilyPolicy")
    asked_for = _asked_for_two(addresses, families)
    if asked_for and (policy == "SingleStack" or not (policy or _names_its_endpoints(spec))):
        words = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {asked_for} are specified"
        yield ("ipFamilyPolicy",), words
    elif not _names_its_endpoints(spec) and not any(map(_shows_two_families, services)):
        yield from _refused_in_one_family(policy, families, addresses or (spec.get("clusterIP") or "",))


def _asked_for_two(addresses: Iterable[str], families: Iterable[str]) -> str:
    if len(tuple(families)) > 1:
        return "IP families"
    return "cluster IPs" if len(tuple(addresses)) > 1 else ""


def _refused_in_one_family(
    policy: str | None, families: Iterable[str], addresses: Iterable[str]
) -> Iterator[tuple[FieldPath, str]]:
    if policy == "RequireDualStack":
        yield ("ipFamilyPolicy",), "this cluster is not configured for dual-stack services"
    for index, family in enumerate(families):
        if family == "IPv6":
            yield ("ipFamilies", index), "not configured on this cluster"
    for index, address in enumerate(addresses):
        if ":" in address:
            yield ("clusterIPs", index), "IPv6 is not configured on this cluster"


def _shows_two_families(service: JsonObject) -> bool:
    """Whether a Service could only be in a cluster with IPv6."""
    spec = service.get("spec") or {}
    return not _names_its_endpoints(spec) and "IPv6" in (spec.get("ipFamilies") or ())


def _address(metadata: JsonObject) -> str:
    seed = hashlib.sha256(f"{metadata.get('namespace')}/{metadata.get('name')}".encode()).digest()
    return f"10.{96 + seed[0] % 16}.{seed[1]}.{1 + seed[2] % 254}"
