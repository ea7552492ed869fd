"""The contract suite over real servers, on a network that tests make worse."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.contract.plan_and_apply import apply_changes_until_stopped, change_of_preview
from planner.contract.suite import SOON, RemoteContract
from planner.events import ChangeResult, ChangeWaiting
from planner.ports import PresentObject
from tests.contract.real_cases import LiveImages, LiveObjects, RemoteRefs, refs_over_http, refs_over_ssh
from tests.testbed import image_registry
from tests.testbed.cluster import TestCluster
from tests.testbed.fixtures import part
from tests.testbed.git_server import GitSsh, http_server
from tests.testbed.http_proxy import HttpFaultProxy
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.proxy import FaultProxy


class TestKubernetes(RemoteContract):
    @pytest.fixture
    def case(self, api_server: TestCluster, api_namespace: str, tmp_path: Path) -> Iterator[LiveObjects]:
        pair = api_server.authority.server(tmp_path, "proxy")
        with (
            HttpFaultProxy(api_server.server, pair, api_server.ca) as proxy,
            FaultProxy("127.0.0.1", proxy.port) as before,
        ):
            made = LiveObjects(api_server, api_namespace, proxy, before)
            yield made
            made.close()

    def test_a_run_that_is_told_to_stop_waits_for_no_workload(self, case: LiveObjects) -> None:
        wanted, provider = case.never_ready(), case.provider()
        seen = provider.read([wanted], (), ()).observations[wanted.address]
        change = change_of_preview(wanted, seen, provider.preview([(wanted, seen)])[wanted.address])
        assert change is not None
        began = time.monotonic()
        result = apply_changes_until_stopped(
            [change], provider, case.vault, lambda event: isinstance(event, ChangeWaiting)
        )
        assert time.monotonic() - began < SOON and result.interrupted
        assert result.outcomes[wanted.address].result is ChangeResult.PENDING
        assert isinstance(case.provider().read([wanted], (), ()).observations[wanted.address], PresentObject)


class TestGitOverHttp(RemoteContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Iterator[RemoteRefs]:
        with http_server(tmp_path) as server:
            yield refs_over_http(tmp_path, server)


class TestGitOverSsh(RemoteContract):
    @pytest.fixture
    def case(self, tmp_path: Path, sshd: GitSsh) -> Iterator[RemoteRefs]:
        with FaultProxy("127.0.0.1", sshd.port) as proxy:
            yield refs_over_ssh(tmp_path, sshd, proxy)


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ImageRegistry, ImageRegistry]]:
    with (
        part(),
        image_registry.running(tmp_path_factory.mktemp("source")) as source,
        image_registry.running(tmp_path_factory.mktemp("target")) as target,
    ):
        yield source, target


class TestImages(RemoteContract):
    @pytest.fixture
    def case(self, tmp_path: Path, registries: tuple[ImageRegistry, ImageRegistry]) -> Iterator[LiveImages]:
        source, target = registries
        with FaultProxy("127.0.0.1", target.port) as proxy:
            yield LiveImages(tmp_path, f"contract-{uuid.uuid4().hex[:8]}", source, target, proxy)
