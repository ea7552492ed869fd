"""Storage: a class stands before volumes and claims, a volume before the claim that names it."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import as_mapping, as_mappings, as_text

_CLASS = ("StorageClass", "storage.k8s.io")
KINDS = frozenset(("PersistentVolumeClaim", "PersistentVolume", "StatefulSet"))


def draw(pen: EdgeCollector) -> None:
    """StorageClass, PersistentVolume, source claim -> claim; StorageClass -> PersistentVolume, StatefulSet."""
    match pen.resource.address.kind, pen.resource.address.group:
        case "PersistentVolumeClaim", "":
            _class(pen, "spec.storageClassName", pen.spec.get("storageClassName"))
            pen.names("volume", "spec.volumeName", "PersistentVolume", pen.spec.get("volumeName"), namespace="")
            source = as_mapping(pen.spec.get("dataSource"))
            group = as_text(source.get("apiGroup"))
            pen.names("data-source", "spec.dataSource.name", as_text(source.get("kind")), source.get("name"), group)
        case "PersistentVolume", "":
            _class(pen, "spec.storageClassName", pen.spec.get("storageClassName"))
        case "StatefulSet", "apps":
            for at, claim in enumerate(as_mappings(pen.spec.get("volumeClaimTemplates"))):
                name = as_mapping(claim.get("spec")).get("storageClassName")
                _class(pen, f"spec.volumeClaimTemplates[{at}].spec.storageClassName", name)


def _class(pen: EdgeCollector, field: str, name: object) -> None:
    pen.names("storage-class", field, _CLASS[0], name, _CLASS[1], "")
