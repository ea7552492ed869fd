"""What is on its way in the plan at hand: namespaces and kinds that are declared and not there yet.

A plan is previewed in rounds (a resource that takes an output of another comes later), so this outlives one call: a
read begins it anew, and every preview adds to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from planner.address import Address
from planner.dataclass import dataclass
from planner.ports import AbsentObject, Observation, Preview, PreviewEffect
from planner.resource import Resource
from planner.values import JsonObject
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.kubernetes.cluster_merge_types import ClusterMergeTypes, group_kind_of_crd
from providers.kubernetes.object_location import is_crd, kinds_of_planned_crds


@dataclass(slots=True)
class PlannedPrerequisites:
    """Namespaces to be created, kinds of the declared CRDs, and which of those CRDs are about to change."""

    namespaces: set[str] = field(default_factory=set)
    kinds: dict[tuple[str, str], ServedKubernetesKind] = field(default_factory=dict)
    moving: set[tuple[str, str]] = field(default_factory=set)
    crds: dict[Address, JsonObject] = field(default_factory=dict)
    _schemas: ClusterMergeTypes | None = None

    def look(self, items: Iterable[tuple[Resource, Observation]]) -> None:
        """Take note of resources and of what was seen of them."""
        for resource, seen in items:
            address = resource.address
            if (address.kind, address.group) == ("Namespace", "") and isinstance(seen, AbsentObject):
                self.namespaces.add(address.name)
            if is_crd(resource.manifest) and address not in self.crds:
                self.crds[address] = resource.manifest
                self.kinds |= kinds_of_planned_crds([resource.manifest])
                self._schemas = None

    def settle(self, previews: Mapping[Address, Preview]) -> None:
        """Take note of what will become of CRDs."""
        changing = (self.crds[address] for address, p in previews.items() if address in self.crds and _changes(p))
        self.moving |= {group_kind_of_crd(crd) for crd in changing}

    def schemas(self, cluster: Cluster) -> ClusterMergeTypes:
        """Types that count the declared CRDs before the live ones."""
        if self._schemas is None:
            self._schemas = ClusterMergeTypes(cluster, self.crds.values())
        return self._schemas


def _changes(preview: Preview) -> bool:
    return preview.effect is not PreviewEffect.NONE
