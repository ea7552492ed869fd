"""Worlds with planted secrets: a sandbox, and the real API server behind a proxy that records what it is sent."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canaries.planting import origin, plant
from tests.canaries.world import World, watch_children
from tests.testbed.cluster import TestCluster
from tests.testbed.http_proxy import HttpFaultProxy

COUNT = int(os.environ.get("HWPLAN_CANARIES", "120"))


@pytest.fixture
def name() -> str:
    """A namespace of the test's own."""
    return f"c-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def sandbox(tmp_path: Path, name: str) -> World:
    """A sandbox of the planted stack, with the planted secrets in the place of its made-up ones."""
    planted = plant(tmp_path, name, COUNT)
    watch_children(tmp_path, ("git", "ssh", "buildah"), shutil.which)
    world = World(planted, ())
    box = tmp_path / "box"
    world.run("sandbox", "create", str(box))
    shutil.rmtree(box / "secrets")
    (box / "secrets").symlink_to(planted.sources)
    world.where = ("--live", str(box))
    return world


@pytest.fixture
def proxy(api_server: TestCluster, tmp_path: Path) -> Iterator[HttpFaultProxy]:
    """Before the API server: records every request, and answers what it is reported to."""
    folder = tmp_path / "pki"
    folder.mkdir()
    pair = api_server.authority.server(folder, "proxy")
    with HttpFaultProxy(api_server.server, pair, api_server.ca) as running:
        yield running


@pytest.fixture
def real(api_server: TestCluster, proxy: HttpFaultProxy, tmp_path: Path, name: str) -> Iterator[World]:
    """The planted stack against the API server, where the Secret that another one copies lives already."""
    planted = plant(tmp_path, name, COUNT, git=True)
    watch_children(tmp_path, ("git", "ssh", "buildah"), shutil.which)
    api = api_server.api()
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    api.create(f"/api/v1/namespaces/{name}/secrets", origin(planted))
    seen = api_server.through(proxy.port)
    kubeconfig = shutil.copy(seen.kubeconfig, tmp_path / "pki" / "kubeconfig")
    yield World(planted, ("--kubeconfig", str(kubeconfig), "--state", str(tmp_path / "work" / "state.db")))
    api.delete(f"/api/v1/namespaces/{name}")
