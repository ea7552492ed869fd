"""The pytest fixtures of the testbed: each part starts once per session, when a test first asks for it.

Owns scopes, isolation by namespace, and what becomes of a part that is missing: a skip with the reason on a developer's
machine, a failure where `CI=true`. With `HWPLAN_TESTBED_REUSE=1` the cluster of `python -m tests.testbed up` is used.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.testbed import argocd, detached
from tests.testbed import cluster as clusters
from tests.testbed import tekton as tektons
from tests.testbed.argocd import ArgoCd
from tests.testbed.cluster import RunningCluster, TestCluster
from tests.testbed.errors import PartMissing
from tests.testbed.git_server import ConnectProxy, GitHttp, GitSsh, connect_proxy, http_server, ssh_server
from tests.testbed.proxy import FaultProxy
from tests.testbed.tekton import Tekton


@contextmanager
def part() -> Iterator[None]:
    """Turn a missing part into a skip with the reason, or into a failure in CI; for fixtures that start one."""
    try:
        yield
    except PartMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"a part of the testbed is missing: {error}", pytrace=False)
        pytest.skip(f"a part of the testbed is missing: {error}")


@pytest.fixture(scope="session")
def cluster() -> Iterator[TestCluster]:
    """The full cluster: API server, controllers, scheduler, two nodes on which pods run."""
    if os.environ.get("HWPLAN_TESTBED_REUSE"):
        yield detached.load()
        return
    with part(), clusters.running() as running:
        yield running.value


@pytest.fixture(scope="session")
def api_server() -> Iterator[TestCluster]:
    """Only etcd and an API server: objects stay as they were written, nothing reconciles them."""
    with part(), clusters.running(controllers=False) as running:
        yield running.value


@pytest.fixture
def own_api_server() -> Iterator[RunningCluster]:
    """An API server of the test's own, to stop, kill and start again."""
    with part(), clusters.running(controllers=False) as running:
        yield running


@pytest.fixture
def namespace(cluster: TestCluster) -> Iterator[str]:
    """A new namespace of `cluster`, with what controllers put into it already there; its deletion is not awaited."""
    with _namespace(cluster) as name:
        cluster.api().wait(f"/api/v1/namespaces/{name}/serviceaccounts/default")
        cluster.api().wait(f"/api/v1/namespaces/{name}/configmaps/kube-root-ca.crt")
        yield name


@pytest.fixture
def api_namespace(api_server: TestCluster) -> Iterator[str]:
    """A new and empty namespace of `api_server`."""
    with _namespace(api_server) as name:
        yield name


@pytest.fixture
def fault_proxy(api_server: TestCluster) -> Iterator[FaultProxy]:
    """A proxy in front of `api_server`, without faults at first; `api_server.through(proxy.port)` goes through it."""
    with FaultProxy.before(api_server.server) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitSsh]:
    """A real sshd, for git."""
    with part(), ssh_server(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def web(tmp_path: Path) -> Iterator[GitHttp]:
    """An HTTP server of the bare repositories in `tmp_path`."""
    with http_server(tmp_path) as server:
        yield server
        for failure in server.failures:  # in the report of a test that failed
            print(f"git server: {failure}")


@pytest.fixture(scope="session")
def gitops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHttp]:
    """An HTTP server of the session, for repositories that Argo CD reads: each test makes one of its own below
    `root`."""
    with http_server(tmp_path_factory.mktemp("gitops"), lasting=True) as server:
        yield server


@pytest.fixture(scope="session")
def argo(cluster: TestCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCd]:
    """The real Argo CD on `cluster`."""
    with part(), argocd.running(cluster, tmp_path_factory.mktemp("argocd")) as running:
        yield running


@pytest.fixture(scope="session")
def tekton(cluster: TestCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tekton]:
    """The stand-in for Tekton on `cluster`: a test enables it for its namespace."""
    with part(), tektons.running(cluster, tmp_path_factory.mktemp("tekton")) as running:
        yield running


@pytest.fixture
def tunnel() -> Iterator[ConnectProxy]:
    """An HTTP CONNECT proxy, for ssh through it."""
    with connect_proxy() as proxy:
        yield proxy


@contextmanager
def _namespace(value: TestCluster) -> Iterator[str]:
    name = f"t-{uuid.uuid4().hex[:12]}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    value.api().create("/api/v1/namespaces", body)
    try:
        yield name
    finally:
        value.api().delete(f"/api/v1/namespaces/{name}")
