"""D601/v03 as an operator runs it: from an empty cluster to converged, in the sandbox and on the real API server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.testbed import crds
from tests.testbed.api import Api
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


def test_a_sandbox_in_the_current_folder(tmp_path: Path) -> None:
    here = Hwplan(tmp_path, ())
    here("sandbox", "create", ".sandbox", *LANE)
    assert (tmp_path / ".sandbox" / "git" / "hwlab.git" / "HEAD").is_file()
    assert here("plan", *LANE, "--live", ".sandbox", "-q").out.startswith("99 changes")
    assert "exists already" in here("sandbox", "create", ".sandbox", *LANE, code=1).err


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


@pytest.mark.timeout(900)
def test_on_the_real_cluster(cluster: TestCluster, tmp_path: Path) -> None:
    """From an empty cluster (with Tekton's and Argo CD's kinds) to converged: pods run on kwok, volumes bind."""
    api = cluster.api()
    crds.install(api, [*crds.tekton_crds(), *crds.argo_crds()], deadline=90)
    _volumes(api)
    box = tmp_path / "box"
    Hwplan(tmp_path, ())("sandbox", "create", str(box), *LANE)
    secrets = tmp_path / ".config" / "hwplan" / "secrets"
    secrets.mkdir(parents=True)
    (box / "secrets").rename(secrets / "D601")  # made-up values, where the node's configuration looks for them
    context = cluster.run_kubectl("config", "current-context").stdout.strip()
    where = ("--kubeconfig", str(cluster.kubeconfig), "--context", context, "--state", str(tmp_path / "state.db"))
    hwplan = Hwplan(tmp_path, where, env={"HOME": str(tmp_path)})
    _whole_picture(hwplan.plan(*LANE))
    hwplan("apply", *LANE, "--confirm", "--timeout", "5m")
    hwplan.empty(*LANE)


def _volumes(api: Api) -> None:
    """What the local-path provisioner of k3s would do, by hand: a class that binds late, and volumes to bind."""
    name = "local-path"
    storage_class = {
        "metadata": {"name": name},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    api.create("/apis/storage.k8s.io/v1/storageclasses", storage_class)
    for number in range(10):
        spec = {
            "capacity": {"storage": "500Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "storageClassName": name,
            "hostPath": {"path": f"/volumes/{number}"},
        }
        api.create("/api/v1/persistentvolumes", {"metadata": {"name": f"volume-{number}"}, "spec": spec})
