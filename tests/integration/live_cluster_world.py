"""What the tests of the live cluster share: connections, objects, and servers with faults in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.errors import ProviderError
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings, Credentials, resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.client.transport import Transport
from tests.testbed.cluster import TestCluster
from tests.testbed.http_proxy import HttpFaultProxy

CONFIG_MAP = ServedKubernetesKind("v1", "ConfigMap", "configmaps", True)
SECRET = ServedKubernetesKind("v1", "Secret", "secrets", True)
DEPLOYMENT = ServedKubernetesKind("apps/v1", "Deployment", "deployments", True)


def live(cluster: TestCluster, **patience: Any) -> LiveCluster:
    connection = resolve_connection_settings(str(cluster.kubeconfig), environ={})
    return LiveCluster(connection, transport=Transport(connection, **patience))


def config_map(namespace: str, name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def bound(body: dict[str, Any], **metadata: str) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], **metadata}}


def deployment(namespace: str, name: str, **labels: str) -> dict[str, Any]:
    labels = {"app": name, **labels}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "example/app:1"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


@pytest.fixture
def server(api_server: TestCluster) -> Iterator[LiveCluster]:
    found = live(api_server)
    yield found
    found.close()


@pytest.fixture
def http_faults(api_server: TestCluster, tmp_path: Path) -> Iterator[HttpFaultProxy]:
    pair = api_server.authority.server(tmp_path, "proxy")
    with HttpFaultProxy(api_server.server, pair, api_server.ca) as proxy:
        yield proxy


def objects_in(found: tuple[dict[str, Any], ...] | ProviderError) -> tuple[dict[str, Any], ...]:
    assert isinstance(found, tuple), found
    return found


def eventually(holds: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.1)


def connection_with(cluster: TestCluster, credentials: Credentials, **more: Any) -> ApiServerConnectionSettings:
    return ApiServerConnectionSettings(cluster.server, cluster.ca.read_bytes(), credentials, **more)
