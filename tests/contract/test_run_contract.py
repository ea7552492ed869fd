"""The contract suite for kinds that only ask, over real servers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from planner.contract.run_promises import RunContract
from tests.contract.pipelinerun_case import Pipelines
from tests.contract.run_cases import Probes, Queries, serving
from tests.testbed import prometheus as testbed
from tests.testbed.cluster import TestCluster
from tests.testbed.fixtures import part
from tests.testbed.prometheus import Prometheus
from tests.testbed.proxy import FaultProxy
from tests.testbed.tekton import Tekton


class TestProbes(RunContract):
    @pytest.fixture
    def case(self) -> Iterator[Probes]:
        with serving() as site:
            yield Probes(site)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with part(), testbed.running(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


class TestQueries(RunContract):
    @pytest.fixture
    def case(self, prometheus: Prometheus) -> Iterator[Queries]:
        with FaultProxy.before(prometheus.url) as proxy:
            yield Queries(prometheus, f"m{uuid.uuid4().hex[:8]}", proxy)


class TestPipelineRuns(RunContract):
    @pytest.fixture
    def case(self, cluster: TestCluster, tekton: Tekton, namespace: str) -> Iterator[Pipelines]:
        with FaultProxy.before(cluster.server) as proxy:
            made = Pipelines(cluster, tekton, namespace, proxy)
            yield made
            made.close()
