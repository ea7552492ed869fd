"""Storage: a class stands before volumes and claims, a volume before the claim that names it."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import map_or_empty, maps_or_empty, text_or_empty

_CLASS = ("StorageClass", "storage.k8s.io")
KINDS = frozenset(("PersistentVolumeClaim", "PersistentVolume", "StatefulSet"))


def add_storage_edges(collector: EdgeCollector) -> None:
    """StorageClass, PersistentVolume, source claim -> claim; StorageClass -> PersistentVolume, StatefulSet."""
    match collector.resource.address.kind, collector.resource.address.group:
        case "PersistentVolumeClaim", "":
            _class(collector, "spec.storageClassName", collector.spec.get("storageClassName"))
            collector.names(
                "volume", "spec.volumeName", "PersistentVolume", collector.spec.get("volumeName"), namespace=""
            )
            source = map_or_empty(collector.spec.get("dataSource"))
            group = text_or_empty(source.get("apiGroup"))
            collector.names(
                "data-source", "spec.dataSource.name", text_or_empty(source.get("kind")), source.get("name"), group
            )
        case "PersistentVolume", "":
            _class(collector, "spec.storageClassName", collector.spec.get("storageClassName"))
        case "StatefulSet", "apps":
            for at, claim in enumerate(maps_or_empty(collector.spec.get("volumeClaimTemplates"))):
                name = map_or_empty(claim.get("spec")).get("storageClassName")
                _class(collector, f"spec.volumeClaimTemplates[{at}].spec.storageClassName", name)


def _class(collector: EdgeCollector, field: str, name: object) -> None:
    collector.names("storage-class", field, _CLASS[0], name, _CLASS[1], "")
