"""Finds live objects by their addresses, whatever their kind: many by lists, or one. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from planner.address import Address
from planner.errors import PermanentError, ProviderError
from planner.values import JsonObject
from providers.cluster_interface import Cluster, KubernetesListScope
from providers.kubernetes.object_location import ObjectLocation, served_kind_of_address

Seen: TypeAlias = "JsonObject | ProviderError | None"


def read_objects(cluster: Cluster, addresses: Iterable[Address]) -> Mapping[Address, Seen]:
    """The live object at each address, None where it (or its kind) is not there, or why it cannot be read.

    One LIST for each kind and namespace. Places in addresses do not count.
    """
    found: dict[Address, Seen] = {}
    locations: dict[Address, ObjectLocation] = {}
    for address in addresses:
        try:
            location = _location(cluster, address)
        except ProviderError as error:
            found[address] = error
            continue
        found[address] = None
        if location is not None:
            locations[address] = location
    listing = cluster.list(
        sorted({KubernetesListScope(location.kind, location.namespace) for location in locations.values()})
    )
    for address, (kind, namespace, name) in locations.items():
        answer = listing[KubernetesListScope(kind, namespace)]
        if isinstance(answer, ProviderError):
            found[address] = answer
        else:
            found[address] = next((live for live in answer if live["metadata"]["name"] == name), None)
    return found


def read_object(cluster: Cluster, address: Address) -> JsonObject | None:
    """The live object at an address, whatever its kind, or None. Raises ProviderError."""
    location = _location(cluster, address)
    return None if location is None else cluster.get(*location)


def _location(cluster: Cluster, address: Address) -> ObjectLocation | None:
    kind = served_kind_of_address(cluster, address)
    if kind is None:
        return None
    if kind.namespaced != bool(address.namespace):
        wrong = "stands in a namespace, and none is given" if kind.namespaced else "stands in no namespace"
        raise PermanentError(
            f"a {kind.kind} {wrong}", where=address.local, remedy="write Kind[.group]/[namespace/]name"
        )
    return ObjectLocation(kind, address.namespace, address.name)
