"""A benchmark that requires what nobody counts could never pass: refused with its line (B19, S22)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from planner.errors import ConfigError
from planner.loading.config import load_config
from tests.unit.loading.fakes import ROOT

FILE = "hwlab-node-control-plane.yaml"
COUNTER = "      traffic: {counter: egress_proxy_client_bytes_total, clientLabel: client}\n"


def test_b19_evidence_that_nobody_counts(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    whole = load_config(folder, ROOT / "templates")
    required = {name: one.spec.benchmarks["no-mirror-full"] for name, one in whole.nodes.items() if one.spec.benchmarks}
    assert {name for name, one in required.items() if one.require_proxy_evidence} == {"D601"}
    text = (folder / FILE).read_text()
    assert COUNTER in text
    (folder / FILE).write_text(text.replace(COUNTER, ""))
    with pytest.raises(ConfigError) as caught:
        load_config(folder, ROOT / "templates")
    (found,) = caught.value.problems
    assert found.message == (
        "benchmarks.no-mirror-full requires evidence of the proxy, and the node has no egressProxy.traffic"
    )
    line = (folder / FILE).read_text().split("\n")[found.source.line - 1]
    assert "requireProxyEvidence: true" in line and "nothing is claimed" in found.suggestion
