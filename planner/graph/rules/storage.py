"""Storage: a class stands before volumes and claims, a volume before the claim that names it."""

from __future__ import annotations

from planner.graph.index import mapping, maps, text
from planner.graph.pen import Pen

_CLASS = ("StorageClass", "storage.k8s.io")
KINDS = frozenset(("PersistentVolumeClaim", "PersistentVolume", "StatefulSet"))


def draw(pen: Pen) -> None:
    """StorageClass, PersistentVolume, source claim -> claim; StorageClass -> PersistentVolume, StatefulSet."""
    match pen.resource.address.kind, pen.resource.address.group:
        case "PersistentVolumeClaim", "":
            _class(pen, "spec.storageClassName", pen.spec.get("storageClassName"))
            pen.names("volume", "spec.volumeName", "PersistentVolume", pen.spec.get("volumeName"), namespace="")
            source = mapping(pen.spec.get("dataSource"))
            group = text(source.get("apiGroup"))
            pen.names("data-source", "spec.dataSource.name", text(source.get("kind")), source.get("name"), group)
        case "PersistentVolume", "":
            _class(pen, "spec.storageClassName", pen.spec.get("storageClassName"))
        case "StatefulSet", "apps":
            for at, claim in enumerate(maps(pen.spec.get("volumeClaimTemplates"))):
                name = mapping(claim.get("spec")).get("storageClassName")
                _class(pen, f"spec.volumeClaimTemplates[{at}].spec.storageClassName", name)


def _class(pen: Pen, field: str, name: object) -> None:
    pen.names("storage-class", field, _CLASS[0], name, _CLASS[1], "")
