"""AgentRun v02 from empty to aligned on real parts, beside HWLAB v03 in the same cluster (S26, A1, A2, B13, B17)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import changes
from tests.e2e.rollout import real_lane
from tests.e2e.rollout.real_lane import RealLane
from tests.testbed.fixtures import part
from tests.testbed.git_fixtures import BareRepository

pytestmark = pytest.mark.timeout(1500)
EVERYTHING = ("--config", str(REPOSITORY / "config"), "--product", "all", "--node", "D601")
CI, RUNTIME, MANAGER = "agentrun-v02-ci", "agentrun-v02", "agentrun-mgr"


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLane]:
    """HWLAB v03, applied, in a cluster whose mirror has AgentRun's repository as well."""
    with part(), real_lane.running(tmp_path_factory.mktemp("both"), EVERYTHING, ("agentrun",)) as running:
        yield running


def test_s26_from_empty_to_aligned_beside_another_product(beside: RealLane) -> None:
    hwplan, hwlab = beside.hwplan, beside.words
    node = (*hwlab[:2], "--node", "D601")
    agentrun = (*node, "--lane", "v02")
    planned = changes(hwplan.plan(*agentrun))
    assert planned and all("agentrun" in address for address in planned)
    hwplan("apply", *agentrun, "--confirm", "--timeout", "5m", "-q")
    beside.tekton.enable(CI, {"": beside.scripts})
    assert changes(hwplan.plan(*agentrun)) == {} and changes(hwplan.plan(*hwlab)) == {}

    beside.trigger("--confirm", "--wait")
    shown = hwplan("trigger", *agentrun)
    assert "GitCommit/agentrun-v02-ci" in shown.out, "A2: what is committed to the GitOps branch is a node of the plan"
    done = hwplan("trigger", *agentrun, "--confirm", "--wait", "--timeout", "5m")
    assert "githubInSync=true" in done.out, done.out
    status = hwplan("status", *agentrun, "--json").json["data"]
    summary, commit = status["summary"], status["summary"]["sourceCommit"]
    assert status["alignment"] == {"aligned": True, "blockers": [], "branchDrift": False}
    assert summary["expectedPipelineRun"] == f"agentrun-v02-ci-{commit[:12]}"
    assert summary["ci"]["pipelineRun"]["status"] == "succeeded" and summary["branchDrift"] is False
    assert summary["runtimeAlignment"] == {"argoSyncedToGitops": True, "managerSourceMatchesExpected": True}
    assert hwplan("trigger", *agentrun, "--confirm").out.endswith("nothing to do\n")

    live = beside.api.get(f"/apis/apps/v1/namespaces/{RUNTIME}/deployments/{MANAGER}")
    (container,) = live["spec"]["template"]["spec"]["containers"]
    env = {one["name"]: one.get("value") for one in container["env"]}
    assert env["AGENTRUN_SOURCE_COMMIT"] == commit and "@sha256:" in container["image"]
    assert json.loads(env["AGENTRUN_RUNNER_RETENTION"])["heartbeatAnnotation"] == "agentrun.dev/last-heartbeat"
    assert hwplan("cleanup", "runners", *agentrun, "--json").json["activeRunRisk"] == []
    hwplan("restart", *agentrun, "--confirm", "-q")

    beside.aligned()
    left = changes(hwplan.plan(*node, "--product", "all"))
    assert left and not [one for one in left if "agentrun" in one or "hwlab-v03/" in one], left


def test_the_branch_that_moved_on_is_branch_drift_and_the_old_target_superseded(beside: RealLane) -> None:
    agentrun = (*beside.words[:2], "--node", "D601", "--lane", "v02")
    before = beside.hwplan("status", *agentrun, "--json", code=None).json["data"]["summary"]["sourceCommit"]
    upstream = BareRepository(beside.upstream.path.parent / "agentrun.git")
    tip = upstream.write("refs/heads/v0.2", {"README.md": "after\n"}, "Change it")
    now = beside.hwplan("status", *agentrun, "--json", code=None).json
    assert now["data"]["summary"]["sourceCommit"] == tip and not now["data"]["alignment"]["aligned"]
    old = beside.hwplan("status", *agentrun, "--source-commit", before, "--json", code=None).json
    assert old["data"]["alignment"]["branchDrift"] is True and old["superseded"] is True
    beside.hwplan("trigger", *agentrun, "--confirm", "--wait", "--timeout", "5m", "-q")
    after = beside.hwplan("status", *agentrun, "--json").json["data"]
    assert after["alignment"]["aligned"] and after["summary"]["sourceCommit"] == tip
    assert after["summary"]["runtimeAlignment"]["managerSourceMatchesExpected"] is True
