"""Worlds for the command: a sandbox cluster in a folder, and the real API server. Most tests run on both."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.e2e.hwplan import Hwplan
from tests.testbed.cluster import TestCluster

REPOSITORY = Path(__file__).parent.parent.parent
LANE = ("--config", str(REPOSITORY / "config"), "--node", "D601", "--lane", "v03")


@pytest.fixture
def real(api_server: TestCluster, tmp_path: Path) -> Hwplan:
    """The command against the real API server; nothing reconciles there, so waiting is for those with controllers."""
    return Hwplan(tmp_path, ("--kubeconfig", str(api_server.kubeconfig), "--state", str(tmp_path / "state.db")))


@pytest.fixture
def simulated(tmp_path: Path) -> Hwplan:
    """The command against a sandbox that is made for nothing in particular."""
    box = tmp_path / "box"
    Hwplan(tmp_path, ())("sandbox", "create", str(box))
    return Hwplan(tmp_path, ("--live", str(box)))


@pytest.fixture
def lane_box(tmp_path: Path) -> Hwplan:
    """The command against the sandbox of D601/v03."""
    box = tmp_path / "lane"
    Hwplan(tmp_path, ())("sandbox", "create", str(box), *LANE)
    return Hwplan(tmp_path, ("--live", str(box)))


@pytest.fixture(params=["real", "simulated"])
def hwplan(request: pytest.FixtureRequest) -> Hwplan:
    """Both, in turn: what holds on one must hold on the other."""
    found: Hwplan = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def unique() -> str:
    """A name that no other test uses: for the namespace and the owned set."""
    return f"e-{uuid.uuid4().hex[:10]}"
