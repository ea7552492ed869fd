"""AgentRun v02 beside HWLAB v03 in one sandbox: each plan touches only its own, and a trigger makes it aligned."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.conftest import LANE, REPOSITORY
from tests.e2e.hwplan import Hwplan, changes

CONFIG = ("--config", str(REPOSITORY / "config"))
AGENTRUN = (*CONFIG, "--node", "D601", "--lane", "v02")


@pytest.mark.timeout(900)  # ten commands, each a process of its own
def test_s26_from_empty_to_aligned_beside_another_product(tmp_path: Path) -> None:
    box = tmp_path / "box"
    Hwplan(tmp_path, ())("sandbox", "create", str(box), *CONFIG, "--product", "all", "--node", "D601")
    hwplan = Hwplan(tmp_path, ("--live", str(box)))
    hwplan("apply", *LANE, "--confirm", "-q")
    planned = changes(hwplan.plan(*AGENTRUN))
    assert planned and all("agentrun" in address for address in planned)
    hwplan("apply", *AGENTRUN, "--confirm", "-q")
    assert changes(hwplan.plan(*LANE)) == {}
    node = (*CONFIG, "--node", "D601", "--product")
    others = {**changes(hwplan.plan(*node, "platform-infra")), **changes(hwplan.plan(*node, "web-probe-sentinel"))}
    assert changes(hwplan.plan(*node, "all")) == others, "what is left are the products that nobody applied yet"
    shown = hwplan("trigger", *AGENTRUN, "--json").json
    waiting = hwplan("status", *AGENTRUN, "--json", code=None).json["data"]["summary"]
    assert waiting["expectedPipelineRun"] == f"agentrun-v02-ci-{waiting['sourceCommit'][:12]}"
    assert waiting["ci"]["pipelineRun"]["status"] is None
    assert "PipelineRun/agentrun-v02-ci" in changes(shown) and "GitCommit/agentrun-v02-ci" in changes(shown)  # A2
    stage = shown["sourceStageRef"]
    assert stage.startswith("refs/unidesk/snapshots/agentrun-yaml-lane/v0.2/")  # A14: a dry run shows it
    done = hwplan("trigger", *AGENTRUN, "--confirm", "--wait")
    assert "all 4 done" in done.out and "githubInSync=true" in done.out
    found = hwplan("status", *AGENTRUN, "--json").json
    assert found["source"]["sourceStageRef"] == stage
    status = found["data"]
    commit, run = status["summary"]["sourceCommit"], status["summary"]["expectedPipelineRun"]
    assert run == f"agentrun-v02-ci-{commit[:12]}"
    assert status["alignment"] == {"aligned": True, "blockers": [], "branchDrift": False}
    assert status["summary"]["runtimeAlignment"]["argoSyncedToGitops"] is True
    assert hwplan("trigger", *AGENTRUN, "--confirm").out.endswith("nothing to do\n")
    job = hwplan("trigger", *AGENTRUN, "--confirm", "--detach").json["job"]["id"]
    while (named := hwplan("job", "status", job, "--json", code=None).json["job"])["ended"] is None:
        time.sleep(0.2)
    assert named["name"] == "agentrun-yaml-lane-trigger"  # A14: the progress that operators look for


@pytest.mark.timeout(300)
def test_s27_the_v01_line_alone_in_a_sandbox(tmp_path: Path) -> None:
    """S27, S28: its sandbox needs no other product: what they make on the node is there."""
    v01 = (*CONFIG, "--node", "G14", "--lane", "v01")
    Hwplan(tmp_path, ())("sandbox", "create", "box", *v01)
    hwplan = Hwplan(tmp_path, ("--live", "box"))
    hwplan("apply", *v01, "--confirm", "-q")
    hwplan("trigger", *v01, "--confirm", "--wait", "-q")
    data = hwplan("status", *v01, "--json").json["data"]
    assert data["alignment"]["aligned"] is True
    assert data["summary"]["expectedPipelineRun"] == f"agentrun-v01-ci-{data['summary']['sourceCommit'][:12]}"
    mirror = hwplan("mirror", "status", *v01, "--json").json
    assert mirror["localV01"] == mirror["githubV01"] == data["summary"]["sourceCommit"]
    assert mirror["localGitops"] == mirror["githubGitops"] and mirror["githubInSync"] is True
