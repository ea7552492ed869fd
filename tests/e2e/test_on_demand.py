"""Restart, refresh, clean-up and detached applies: due because a person says so, and planned all the same."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, changes
from tests.e2e.rollout_box import RolloutBox

_OPENFGA = ("--target", "Deployment/hwlab-v03/openfga")


@pytest.fixture
def box(lane_box: Hwplan) -> RolloutBox:
    """A sandbox whose lane is applied."""
    lane_box("apply", *LANE, "--confirm", "-q")
    return RolloutBox(lane_box, Path(lane_box.where[-1]))


def _deployment(box: RolloutBox) -> str:
    return next((box.folder / "cluster").rglob("Deployment*/openfga.yaml")).read_text()


def test_a3_a_restart_is_planned_and_due_each_time(box: RolloutBox) -> None:
    """A3: shown first, bound to the plan, once for each time that it is asked for; a plan finds nothing to do after."""
    shown = box.hwplan("restart", *LANE, *_OPENFGA, "--json").json
    assert changes(shown) == {"Restart/on-demand-deployment-openfga": "run"}
    before = _deployment(box)
    bound = ("--plan-id", shown["id"], "--confirm", "--json")
    ended = box.hwplan("restart", *LANE, *_OPENFGA, *bound).json
    assert [one["result"] for one in ended["nodes"]] == ["done"] and ended["exitCode"] == 0
    once = _deployment(box)
    assert once != before and "restarted-for.on-demand-deployment-openfga" in once
    assert "the live world changed" in box.hwplan("restart", *LANE, *_OPENFGA, *bound[:3], code=3).err
    assert _deployment(box) == once
    box.hwplan("restart", *LANE, *_OPENFGA, "--confirm")
    assert _deployment(box) != once
    box.hwplan.empty(*LANE)


def test_a3_without_a_target_the_runtime_is_restarted(box: RolloutBox) -> None:
    """A3: what has role `runtime`; the mirror of the node is not the lane's."""
    found = changes(box.hwplan("restart", *LANE, "--json").json)
    assert set(found) == {"Restart/on-demand-deployment-openfga", "Restart/on-demand-statefulset-postgres"}
    said = box.hwplan("restart", *LANE, "--target", "Deployment/nowhere/*", code=1).err
    assert "no workload" in said and "Deployment.apps/hwlab-v03/openfga" in said


def test_a3_a_refresh_touches_the_application_alone(box: RolloutBox) -> None:
    """A3: Argo CD compares anew; no workload is patched."""
    files = {path: path.read_text() for path in (box.folder / "cluster").rglob("*.yaml")}
    shown = box.hwplan("refresh", *LANE, "--json").json
    assert changes(shown) == {"ArgoSync/on-demand-hwlab-v03": "run"}
    assert box.hwplan("refresh", *LANE, "--confirm", "--json").json["nodes"][0]["result"] == "done"
    touched = [path for path, text in files.items() if path.stem != "cluster" and path.read_text() != text]
    assert [path.stem for path in touched] == ["hwlab-v03"] and "kind: Application\n" in touched[0].read_text()
    assert "argocd.argoproj.io/refresh" not in touched[0].read_text()
    box.hwplan.empty(*LANE)


def test_s24_a_named_run_goes_and_nothing_else(box: RolloutBox) -> None:
    """S24: one that is young goes by its name only; options narrow the configuration and never widen it."""
    box.trigger("--confirm", "-q")
    (run,) = box.runs()
    assert "nothing to do" in box.hwplan("cleanup", "runs", *LANE).out
    assert "only narrow" in box.hwplan("cleanup", "runs", *LANE, "--limit", "10000", code=1).err
    assert "only narrow" in box.hwplan("cleanup", "runs", *LANE, "--min-age-minutes", "0", code=1).err
    assert "names begin with" in box.hwplan("cleanup", "runs", *LANE, "--pipeline-run", "shop-1", code=1).err
    shown = box.hwplan("cleanup", "runs", *LANE, "--pipeline-run", run)
    assert f"--pipeline-run {run}" in shown.out.splitlines()[-1] and box.runs() == [run]
    box.hwplan("cleanup", "runs", *LANE, "--pipeline-run", run, "--confirm")
    assert box.runs() == []
    assert "nothing to do" in box.hwplan("cleanup", "runs", *LANE, "--pipeline-run", run).out


def test_s24_a_named_run_that_is_not_over_is_refused(box: RolloutBox) -> None:
    """S24: never a running one, and the exit code says that it was not done."""
    box.trigger("--confirm", "-q")
    (run,) = box.runs()
    path = next((box.folder / "cluster").rglob(f"PipelineRun*/{run}.yaml"))
    text = path.read_text()
    assert text.count("status: 'True'") == 1
    path.write_text(text.replace("status: 'True'", "status: Unknown"))
    said = box.hwplan("cleanup", "runs", *LANE, "--pipeline-run", run, "--confirm", code=1).out
    assert "is not over" in said and box.runs() == [run]


_VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: NAME}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: /volumes/NAME}
  claimRef: {namespace: SPACE, name: work}
"""


def test_s24_released_volumes_of_the_lane(box: RolloutBox) -> None:
    """S24: a dry run first; only volumes that claims of the lane's runs had, and that were released."""
    spaces = {"ours": "hwlab-v03-ci", "bound": "hwlab-v03-ci", "foreign": "hwlab-v03"}
    documents = [_VOLUME.replace("NAME", name).replace("SPACE", space) for name, space in spaces.items()]
    box.hwplan("apply", "-f", "-", "--name", "volumes", "--confirm", "-q", stdin="---".join(documents))
    folder = box.folder / "cluster" / "_cluster" / "PersistentVolume"
    for name in ("ours", "foreign"):
        text = (folder / f"{name}.yaml").read_text()
        released = "phase: Released\n  lastPhaseTransitionTime: '2026-01-01T00:00:00Z'"
        (folder / f"{name}.yaml").write_text(text.replace("phase: Available", released))
    shown = box.hwplan("cleanup", "pvs", *LANE)
    assert "ours" in shown.out and "foreign" not in shown.out and (folder / "ours.yaml").exists()
    assert shown.out.splitlines()[-1].lstrip().startswith("hwplan cleanup pvs --node D601 --lane v03")
    box.hwplan("cleanup", "pvs", *LANE, "--confirm")
    assert sorted(path.stem for path in folder.iterdir()) == ["bound", "foreign"]


def _ended(box: RolloutBox, identifier: str) -> Any:
    for _ in range(600):
        found = box.hwplan("job", "status", identifier, "--json", code=None).json
        if found["job"]["status"] not in ("queued", "running"):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_s29_an_apply_as_a_job(lane_box: Hwplan) -> None:
    """S29, B7: an id at once, the end by the id; without --confirm there is nothing to detach."""
    box = RolloutBox(lane_box, Path(lane_box.where[-1]))
    scope = ("--scope", "runtime", "--scope", "infra", "--scope", "secrets")
    assert "--confirm" in lane_box("apply", *LANE, *scope, "--detach", code=1).err
    identifier = lane_box("apply", *LANE, *scope, "--detach", "--confirm").json["job"]["id"]
    found = _ended(box, identifier)
    assert (found["job"]["ok"], found["job"]["name"]) == (True, "apply-D601-v03"), found["tail"]
    lane_box.empty(*LANE, *scope)


def test_s29_an_apply_as_a_job_of_a_plan_that_is_stale(lane_box: Hwplan) -> None:
    """S29, A14: what a job refuses is no success."""
    box = RolloutBox(lane_box, Path(lane_box.where[-1]))
    scope = ("--scope", "infra")
    stale = ("--plan-id", "sha256:" + "0" * 32)
    identifier = lane_box("apply", *LANE, *scope, *stale, "--detach", "--confirm").json["job"]["id"]
    found = _ended(box, identifier)
    assert (found["job"]["status"], found["job"]["ok"], found["job"]["exitCode"]) == ("refused", False, 3), found[
        "tail"
    ]
    lane_box("job", "status", identifier, code=1)
