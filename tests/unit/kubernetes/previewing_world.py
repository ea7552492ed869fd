"""What the tests of previews share."""

from __future__ import annotations

from planner.ports import PreviewEffect
from planner.values import JsonObject
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from tests.unit.kubernetes.world import (
    World,
)

DEPLOYMENT = "Deployment.apps/demo/api"
CONFIG = "ConfigMap/demo/c"


def is_settled(world: World, *resources: object) -> bool:
    look = world.look(list(resources))  # type: ignore[arg-type]
    return all(preview.effect is PreviewEffect.NONE and not preview.awaiting for preview in look.previews.values())


def foreign(world: World, document: JsonObject, manager: str = "helm") -> None:
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    cluster.add(document, manager=manager)
