"""D601/v03 as an operator runs it: from an empty cluster to converged, in the sandbox and on the real API server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import LANE, REPOSITORY
from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.testbed import crds
from tests.testbed.cluster import TestCluster


def _whole_picture(plan: dict) -> None:  # type: ignore[type-arg]
    assert plan["blocked"] == []
    assert plan["summary"]["create"] >= 80
    assert len({change["namespace"] for change in plan["changes"] if change["namespace"]}) >= 3


def test_in_the_sandbox(lane_box: Hwplan) -> None:
    plan = lane_box.plan(*LANE)
    _whole_picture(plan)
    assert plan["cluster"]["simulated"]
    lane_box("apply", *LANE, "--confirm")
    lane_box.empty(*LANE)
    assert "simulated" in lane_box("plan", *LANE).out
    lane_box("drift", *LANE)


def test_somebody_else_in_the_sandbox(lane_box: Hwplan) -> None:
    lane_box("apply", *LANE, "--confirm")
    plan = lane_box.plan(*LANE)
    assert changes(plan) == {}
    box = lane_box.where[1]
    state = lane_box("state", "list", "--json").json["resources"]
    deployment = next(row["address"] for row in state if row["address"].startswith("Deployment.apps/"))
    Hwplan(lane_box.folder, ())("sandbox", "set", box, deployment, "spec.replicas=7", "--manager", "night-shift")
    changed = lane_box.plan(*LANE)
    assert changes(changed) == {deployment: "update"}
    (field,) = change_of(changed, deployment)["fields"]
    assert (field["path"], field["before"], field["manager"]) == ("spec.replicas", 7, "night-shift")
    assert lane_box("drift", *LANE, code=2).out.count("night-shift") >= 1
    lane_box("apply", *LANE, "--confirm")
    lane_box.empty(*LANE)
    Hwplan(lane_box.folder, ())("sandbox", "delete", box, deployment)
    assert changes(lane_box.plan(*LANE)) == {deployment: "create"}


@pytest.mark.timeout(600)
def test_on_the_real_cluster(cluster: TestCluster, tmp_path: Path) -> None:
    hwplan = Hwplan(tmp_path, ("--kubeconfig", str(cluster.kubeconfig), "--state", str(tmp_path / "state.db")))
    contexts = cluster.run_kubectl("config", "get-contexts", "-o", "name").stdout.split()
    here = (*LANE, "--context", contexts[0])
    crds.install(cluster.api(), [*crds.tekton_crds(), *crds.argo_crds()])
    box = tmp_path / "box"
    Hwplan(tmp_path, ())("sandbox", "create", str(box), *LANE)  # for its made-up secrets
    _use_secrets(tmp_path, box)
    here = ("--config", str(tmp_path / "config"), "--node", "D601", "--lane", "v03", "--context", contexts[0])
    plan = hwplan.plan(*here)
    _whole_picture(plan)
    hwplan("apply", *here, "--confirm", "--timeout", "4m")
    hwplan.empty(*here)


def _use_secrets(folder: Path, box: Path) -> None:
    """A configuration of one's own: the shipped one, with the secrets folder where a node looks for it."""
    subprocess.run(["cp", "-r", str(REPOSITORY / "config"), str(REPOSITORY / "templates"), str(folder)], check=True)
    subprocess.run(["cp", "-r", str(box / "secrets"), str(folder / "config" / "secrets")], check=True)
