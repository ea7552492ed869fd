"""Objects that nobody wrote for us, through an apply and a change on a real API server: afterwards nothing is left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.e2e.hwplan import Hwplan
from tests.fidelity.drawn_manifests import Drawn, changed_manifest, drawn_manifests
from tests.fidelity.server import Server
from tests.testbed.cluster import RunningCluster, running
from tests.testbed.fixtures import part

COUNT = int(os.environ.get("HWPLAN_DRAWN", "150"))
SEED = int(os.environ.get("HWPLAN_SEED", "2"))


@pytest.fixture
def cluster() -> Iterator[RunningCluster]:
    """One of its own: objects of the whole cluster are among the drawn ones."""
    with part(), running(controllers=False) as found:
        yield found


def test_a_second_plan_is_empty(cluster: RunningCluster, tmp_path: Path) -> None:
    create_empty_snapshot(tmp_path / "sandbox", name="sandbox")
    where, file = cluster.value, tmp_path / "objects.json"
    hwplan = Hwplan(tmp_path, ("--kubeconfig", str(where.kubeconfig), "--state", str(tmp_path / "state.db")))
    with Server(where.server, where.token, where.ca) as server:
        drawn = list(drawn_manifests(server, open_snapshot(tmp_path / "sandbox"), COUNT, SEED))
        assert len(drawn) > COUNT / 4
        blocked = _apply(hwplan, file, drawn)
        assert all("does not fit into 32 bits" in reason for reason in blocked.values()), blocked
        _apply(hwplan, file, [changed_manifest(server, one, SEED) for one in drawn])


def _apply(hwplan: Hwplan, file: Path, drawn: list[Drawn]) -> dict[str, str]:
    """Apply, and plan again; what is blocked, before and after, with the reason. Nothing else may be left."""
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [one.document for one in drawn]}))
    words = ("-f", str(file), "--name", "drawn", "-n", "default")
    before = hwplan("plan", *words, "--json", code=None).json
    done = hwplan("apply", *words, "--confirm", "--no-wait", code=None)
    assert " failed" not in done.out, done.out
    after = hwplan("plan", *words, "--json", code=None).json
    left = [one for one in after["changes"] if one["action"] != "no-op" and not _adds_empty_maps(one)]
    assert not left, left
    blocked = {one["address"]: one["reason"] for one in after["blocked"]}
    assert blocked.keys() == {one["address"] for one in before["blocked"]}
    return blocked


def _adds_empty_maps(change: dict[str, Any]) -> bool:
    """A server that takes the content out of a map drops the map; the next apply, also kubectl's, adds it empty."""
    return all((field["op"], field["after"]) == ("add", {}) for field in change["fields"] or [{"op": "", "after": ""}])
