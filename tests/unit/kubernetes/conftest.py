"""A fresh simulated cluster for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.values import SecretValue
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.unit.kubernetes.world import World


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sandbox with the namespace `demo`."""
    create_empty_snapshot(tmp_path, name="sandbox", namespaces=["demo"])
    return tmp_path


@pytest.fixture
def world(folder: Path) -> World:
    """The provider over that sandbox, and two secret values."""
    vault = {"file:a#P": SecretValue(b"first value"), "file:b#P": SecretValue(b"second value")}
    return World(open_snapshot(folder), vault)
