"""The local merge against the real API server: retained cases, then new ones. The long run is `make fidelity N=...`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.kubernetes.ssa.merge_types import MergeTypeTable
from tests.fidelity.__main__ import numbers, retained, run_all
from tests.fidelity.server import Server
from tests.testbed.cluster import TestCluster

CASES = 2000


@pytest.fixture
def server(api_server: TestCluster) -> Iterator[Server]:
    with Server(api_server.server, api_server.token, api_server.ca) as client:
        yield client


def test_predictions_equal_the_servers_dry_run(server: Server) -> None:
    counts, failed = run_all(server, [*retained(), *numbers(CASES, seed=1)])
    assert not failed, "\n".join(mismatch for verdict in failed.values() for mismatch in verdict.mismatches)
    # A run in which nothing was compared proves nothing.
    assert counts["cases"] >= CASES
    assert counts["accepted"] > counts["cases"] / 2
    assert counts["conflicts"] > 10
    assert counts["nothing to do"] > 20
    assert counts["updates compared"] > 20
    assert counts["unsure"] < counts["cases"] / 20


def test_the_shipped_table_knows_the_kinds_that_the_server_serves(server: Server) -> None:
    types = MergeTypeTable.builtin()
    for group in ("apps/v1", "batch/v1", "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1", "storage.k8s.io/v1"):
        served = server.request("GET", f"/apis/{group}").body["resources"]
        kinds = {row["kind"] for row in served if "/" not in row["name"] and "patch" in row["verbs"]}
        assert kinds
        assert not [kind for kind in kinds if not types.knows(group, kind)]
