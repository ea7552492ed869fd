"""Values and rules of custom kinds as the API server judges them: its dry run is the oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from providers.kubernetes.ssa.merge_types import MergeTypeTable
from tests.fidelity.__main__ import wait_served
from tests.fidelity.customs_compared import cases
from tests.fidelity.published_crds import published_crds
from tests.fidelity.server import APPLY, Server
from tests.fidelity.wide_crd import wide_crd
from tests.testbed.cluster import TestCluster

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def server(api_server: TestCluster) -> Iterator[Server]:
    with Server(api_server.server, api_server.token, api_server.ca) as client:
        yield client


def _installed(server: Server, crds: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those that the server takes (some published ones need an approval annotation), one after the other."""
    for name, crd in crds.items():
        if not server.request("PATCH", f"{_CRDS}/{name}?fieldManager=f&force=true", crd, APPLY).ok:
            continue
        spec = crd["spec"]
        for version in spec["versions"]:
            if version["served"]:
                wait_served(server, f"{spec['group']}/{version['name']}", spec["names"]["plural"])
        yield crd
        server.request("DELETE", f"{_CRDS}/{name}")


@pytest.mark.parametrize(
    ("crds", "count", "few"),
    [(published_crds, 20, False), (lambda: {wide_crd()["metadata"]["name"]: wide_crd()}, 800, True)],
)
def test_what_the_server_refuses_is_refused_and_nothing_else(server: Server, crds: Any, count: int, few: bool) -> None:
    totals: Counter[str] = Counter()
    wrong: list[str] = []
    for crd in _installed(server, crds()):
        for case in cases(server, MergeTypeTable.builtin().with_crds([crd]), crd, count, few=few):
            totals["refused" if case.server else "accepted"] += 1
            totals["left open"] += bool(case.left)
            wrong += [] if case.agrees else [str(case)]
    assert not wrong, f"{len(wrong)} of {totals}\n" + "\n".join(wrong[:10])
    # A run in which nothing is accepted, or everything is left to the server, proves nothing.
    assert min(totals["accepted"], totals["refused"]) > sum(totals.values()) / 5
    assert totals["left open"] < sum(totals.values()) / 50
