"""What the tests of simulated clusters share."""

from __future__ import annotations

from planner.values import JsonObject
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster


def apply(cluster: SnapshotCluster, document: JsonObject, *, force: bool = False, **metadata: str) -> JsonObject:
    kind = cluster.kind(document["apiVersion"], document["kind"])
    assert kind is not None
    body = {**document, "metadata": {**document["metadata"], **metadata}}
    return cluster.apply(kind, body, force=force)
