"""D601/v03 as an operator runs it: from an empty cluster to converged, in the sandbox and on the real API server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.e2e.nearby import Places, make_volumes, nearby_config
from tests.testbed import crds
from tests.testbed.api import Api
from tests.testbed.cluster import TestCluster
from tests.testbed.fixtures import part
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.image_registry import running as registry


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


def test_a_saved_plan_is_the_first_that_is_applied(lane_box: Hwplan) -> None:
    """What is only read (a branch, a clean-up with nothing to do) is not taken for objects of a state that is lost."""
    saved = str(lane_box.folder / "plan.json")
    lane_box("plan", *LANE, "--out", saved)
    done = lane_box("apply", saved, "--confirm")
    assert "hwplan plan --product hwlab --node D601 --lane v03" in done.out
    lane_box.empty(*LANE)
    Path(lane_box.where[1], ".hwplan", "state.db").unlink()
    box = lane_box.where[1]
    Hwplan(lane_box.folder, ())("sandbox", "delete", box, "ConfigMap/hwlab-v03/hwlab-notifier")
    lane_box("plan", *LANE, "--target", "ConfigMap/hwlab-v03/hwlab-notifier", "--out", saved)
    assert "missing-state" in lane_box("apply", saved, "--confirm", code=3).err


def test_a_sandbox_in_the_current_folder(tmp_path: Path) -> None:
    here = Hwplan(tmp_path, ())
    here("sandbox", "create", ".sandbox", *LANE)
    assert (tmp_path / ".sandbox" / "git" / "hwlab.git" / "HEAD").is_file()
    assert here("plan", *LANE, "--live", ".sandbox", "-q").out.split()[1] == "changes:"
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
def test_on_real_systems(cluster: TestCluster, tmp_path: Path) -> None:
    """From empty to converged on real parts: an API server with controllers (kinds of Tekton and Argo CD, pods on kwok,
    volumes that bind), bare repositories, two registries and buildah. The public address is not asked: it is not ours.
    """
    api = cluster.api()
    crds.install(api, [*crds.tekton_crds(), *crds.argo_crds()], deadline=90)
    make_volumes(api)
    box = tmp_path / "box"
    Hwplan(tmp_path, ())("sandbox", "create", str(box), *LANE)
    secrets = tmp_path / ".config" / "hwplan" / "secrets"
    secrets.mkdir(parents=True)
    (box / "secrets").rename(secrets / "D601")  # made-up values, where the node's configuration looks for them
    (box / "git" / "mirror").mkdir()
    (box / "git" / "git-mirror-hwlab.git").rename(box / "git" / "mirror" / "hwlab.git")
    context = cluster.run_kubectl("config", "current-context").stdout.strip()
    where = ("--kubeconfig", str(cluster.kubeconfig), "--context", context, "--state", str(tmp_path / "state.db"))
    hwplan = Hwplan(tmp_path, where, env={"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    with part(), registry(tmp_path / "public") as public, registry(tmp_path / "local") as local:
        git = f"file://{box}/git"
        places = Places("file", f"{git}/hwlab.git", f"{git}/mirror", public, local)
        lane = ("--config", str(nearby_config(tmp_path, places)), *LANE[2:], "--exclude", "HttpProbe/*")
        _whole_picture(hwplan.plan(*lane))
        _agrees_without_credentials(hwplan, lane)
        hwplan("apply", *lane, "--confirm", "--timeout", "5m")
        hwplan.empty(*lane)
        pushed = [path for method, path, _ in local.requests() if method == "PUT" and "/manifests/" in path]
        assert {path.split("/manifests/")[0] for path in pushed} >= {"/v2/hwlab/node", "/v2/hwlab/ci-node-tools"}
        refs = box / "git" / "mirror" / "hwlab.git" / "refs" / "unidesk" / "snapshots" / "hwlab-node-runtime" / "v0.3"
        assert len(list(refs.iterdir())) == 1
        before = [len(one.requests()) for one in (public, local)]
        hwplan.empty(*lane)
        asked = [len(one.requests()) - count for one, count in zip((public, local), before, strict=True)]
        assert asked[1] <= 5 and asked[0] <= 4, f"one look per image and side, {asked}"
        _somebody_else(api, box, secrets)
        _agrees_without_credentials(hwplan, lane)


def _agrees_without_credentials(hwplan: Hwplan, lane: tuple[str, ...]) -> None:
    """A job with nothing but a snapshot, no cluster, repository, registry or secret, makes the plan of the operator."""
    saved = hwplan.folder / "saved.json"
    hwplan("snapshot", str(saved), *lane)
    job = hwplan.folder / "job"
    job.mkdir(exist_ok=True)
    nothing = {"HOME": str(job), "KUBECONFIG": "/dev/null", "PATH": ""}
    there = Hwplan(job, ("--live", str(saved)), env=nothing).plan(*lane)
    here = hwplan.plan(*lane)
    assert there["blocked"] == here["blocked"] == []
    assert changes(there) == changes(here) != {}
    assert (there["id"], there["cluster"]["simulated"]) == (here["id"], True)


def _somebody_else(api: Api, box: Path, secrets: Path) -> None:
    """Something to do in each system: an object changed by hand, a commit, a rotated secret."""
    api.merge("/api/v1/namespaces/devops-infra/configmaps/git-mirror?fieldManager=night-shift", {"data": {"x": "1"}})
    openfga = "/apis/apps/v1/namespaces/hwlab-v03/deployments/openfga?fieldManager=night-shift"
    api.merge(openfga, {"spec": {"replicas": 3}})
    BareRepository(box / "git" / "hwlab.git").grow("refs/heads/v0.3", "more")
    path = secrets / "D601" / "hwlab-v03.env"
    path.write_text(re.sub("=.*", "=rotated", path.read_text(), count=1))
