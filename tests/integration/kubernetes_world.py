"""What the tests of the Kubernetes provider share."""

from __future__ import annotations

from planner.values import SecretValue
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from tests.testbed.cluster import TestCluster
from tests.unit.kubernetes.world import (
    World,
)

VAULT = {"file:a#P": SecretValue(b"first value"), "file:b#P": SecretValue(b"second value")}


def live_world(cluster: TestCluster) -> World:
    return World(LiveCluster(resolve_connection_settings(str(cluster.kubeconfig), environ={})), dict(VAULT))


def is_settled(world: World, *resources: object) -> bool:
    effects = world.look(list(resources)).effects  # type: ignore[arg-type]
    return set(effects.values()) == {"none"}
