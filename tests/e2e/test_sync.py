"""`hwplan sync` on the real Argo CD and API server: each stuck state is made for real, and mended in one command (S13).

R- and B-numbers are the rules of a rollout. Pods are kwok's: their label says what becomes of them.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, changes
from tests.testbed import audit
from tests.testbed.argocd import APPLICATIONS, ArgoCd
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.git_server import GitHttp

_MAIN = "refs/heads/main"
_CONTAINERS = [{"name": "c", "image": "registry.example/c:1"}]


def _template(labels: dict[str, str], pod: str, **spec: Any) -> dict[str, Any]:
    behaviour = {"testbed.hwplan/pod": pod} if pod else {}
    return {"metadata": {"labels": {**labels, **behaviour}}, "spec": {"containers": _CONTAINERS, **spec}}


def hook(name: str, pod: str) -> dict[str, str]:
    """A PreSync hook Job; `pod` is what becomes of its pod."""
    template = _template({}, pod, restartPolicy="Never")
    policy = {"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"}
    spec = {"backoffLimit": 0, "template": template}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "annotations": policy}, "spec": spec}
    return {f"app/{name}.yaml": json.dumps(body)}


def store(name: str, pod: str = "") -> dict[str, str]:
    """A StatefulSet with one pod."""
    labels = {"app": name}
    spec = {"serviceName": name, "replicas": 1, "selector": {"matchLabels": labels}, "template": _template(labels, pod)}
    return {f"app/{name}.yaml": json.dumps({"apiVersion": "apps/v1", "kind": "StatefulSet",
                                            "metadata": {"name": name}, "spec": spec})}  # fmt: skip


def settings(text: str) -> dict[str, str]:
    """Something that is new in each commit."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"text": text}}
    return {"app/settings.yaml": json.dumps(body)}


@dataclass
class Lane:
    """An Application of a GitOps repository in a namespace, and a stack of plain manifests with its repairs."""

    hwplan: Hwplan
    argo: ArgoCd
    repository: BareRepository
    name: str
    password: str = field(default_factory=lambda: uuid.uuid4().hex)

    def sync(self, *words: str, code: int | None = 0, stuck_after: str = "2s") -> Any:
        """`hwplan sync` of the Application, to the tip of its branch."""
        path = self.hwplan.folder / "stack.yaml"
        path.write_text(self._stack(stuck_after))
        return self.hwplan("sync", "-f", str(path), "--name", self.name, *words, code=code)

    def plan(self, **how: Any) -> Any:
        """What it would do."""
        return self.sync("--json", **how).json

    def _stack(self, stuck_after: str) -> str:
        return f"""
apiVersion: hwplan.dev/v1
kind: GitHead
metadata: {{name: promoted}}
spec: {{remote: "{self.repository.url}", branch: main}}
---
apiVersion: v1
kind: Secret
metadata: {{name: bootstrap, namespace: {self.name}}}
stringData: {{PASSWORD: {self.password}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: not-of-argo, namespace: {self.name}}}
---
apiVersion: hwplan.dev/v1
kind: ArgoRepair
metadata:
  name: mend
  annotations: {{hwplan.dev/depends-on: Secret/{self.name}/bootstrap}}
spec: {{application: {self.name}, stuckAfter: {stuck_after}}}
---
apiVersion: hwplan.dev/v1
kind: ArgoSync
metadata:
  name: shop
  annotations: {{hwplan.dev/depends-on: ArgoRepair/mend}}
spec: {{application: {self.name}, revision: !ref GitHead/promoted#commit, wait: 60s}}
"""

    def push(self, *files: dict[str, str]) -> str:
        """Exactly these files, as the next commit."""
        merged = {path: text for one in files for path, text in one.items()}
        return self.repository.write(_MAIN, {**merged, **settings(uuid.uuid4().hex)}, exactly=True)

    def ask(self, revision: str, phase: str = "Succeeded") -> None:
        """Somebody else syncs; waits until that very operation is in this phase, since a next one would replace it."""
        operation = {"sync": {"revision": revision, "syncStrategy": {"hook": {}}}}
        self.argo.api.merge(f"{APPLICATIONS}/{self.name}", {"operation": operation})
        self.until(lambda: self.operation() == (revision, phase))

    def operation(self) -> tuple[str, str]:
        """What the last operation was asked to sync to, and its phase."""
        status = self.argo.application(self.name).get("status") or {}
        state = status.get("operationState") or {"operation": {"sync": {"revision": ""}}, "phase": ""}
        return state["operation"]["sync"]["revision"], state["phase"]

    def synced(self) -> tuple[str, str, str]:
        """Where it is."""
        status = self.argo.application(self.name)["status"]
        return status["sync"]["status"], status["sync"].get("revision"), status["health"]["status"]

    def get(self, path: str) -> Any:
        """An object of the namespace, None where there is none."""
        collection, _, name = path.rpartition("/")
        found = self.argo.api.get(collection.format(n=self.name))["items"]
        return next((one for one in found if one["metadata"]["name"] == name), None)

    def until(self, check: Callable[[], bool], seconds: float = 45.0) -> None:
        """Wait for something."""
        end = time.monotonic() + seconds
        while not check():
            assert time.monotonic() < end, self.argo.application(self.name).get("status")
            time.sleep(0.2)


JOB, POD = "/apis/batch/v1/namespaces/{n}/jobs/", "/api/v1/namespaces/{n}/pods/"


def _waits(pod: Any, reason: str) -> bool:
    entries = ((pod or {}).get("status") or {}).get("containerStatuses") or ()
    return any(((one.get("state") or {}).get("waiting") or {}).get("reason") == reason for one in entries)


@pytest.fixture
def lane(argo: ArgoCd, gitops: GitHttp, namespace: str, tmp_path: Path) -> Iterator[Lane]:
    repository = BareRepository.create(gitops.root / f"{uuid.uuid4().hex}.git")
    where = ("--kubeconfig", str(argo.cluster.kubeconfig), "--state", str(tmp_path / "state.db"))
    found = Lane(Hwplan(tmp_path, where), argo, repository, namespace)
    found.push()
    source = {"repoURL": gitops.url(repository.path.name), "path": "app", "targetRevision": "main"}
    argo.create(namespace, source, namespace)
    yield found
    argo.delete(namespace)


@pytest.mark.timeout(240)
def test_s13_every_stuck_state_is_mended_by_one_command(lane: Lane) -> None:
    """S13, R16, B15: a failed hook, a pod of an old revision, a stuck operation; the Secret first, then one sync."""
    lane.ask(lane.push(store("bad", "image-pull-backoff"), store("good")))
    lane.until(lambda: _waits(lane.get(POD + "bad-0"), "ImagePullBackOff") and bool(lane.get(POD + "good-0")))
    lane.ask(lane.push(store("bad"), store("good")))  # the controller waits for a pod that will never be ready
    lane.ask(lane.push(store("bad"), store("good"), hook("migrate", "fail")), "Failed")
    lane.ask(lane.push(store("bad"), store("good"), hook("seed", "image-pull-backoff")), "Running")
    lane.until(lambda: _waits_for_image(lane))
    before = {name: lane.get(POD + name)["metadata"]["uid"] for name in ("bad-0", "good-0")}
    tip = lane.push(store("bad"), store("good"))
    time.sleep(2.5)

    plan = lane.plan()
    repairs = [one for one in changes(plan) if one.startswith("ArgoRepair/")]
    ours = f"{lane.name}.migrate", f"{lane.name}.bad-0"
    assert repairs == ["ArgoRepair/mend.operation", f"ArgoRepair/mend.hook.{ours[0]}", f"ArgoRepair/mend.pod.{ours[1]}"]
    found = {one["address"]: one for one in plan["changes"]}
    assert list(found) == [f"Secret/{lane.name}/bootstrap", *repairs, "ArgoSync/shop"]
    assert "Running since" in found[repairs[0]]["reason"] and "Failed" in found[repairs[1]]["reason"]
    assert "ImagePullBackOff, not ready since" in found[repairs[2]]["reason"], found[repairs[2]]
    assert all(f"Secret/{lane.name}/bootstrap" in found[one]["needs"] for one in repairs)
    assert set(found["ArgoSync/shop"]["needs"]) >= set(repairs)

    since = audit.mark(lane.argo.cluster)
    lane.sync("--confirm")
    assert lane.synced() == ("Synced", tip, "Healthy")
    assert lane.get(POD + "bad-0")["metadata"]["uid"] != before["bad-0"]
    assert lane.get(POD + "good-0")["metadata"]["uid"] == before["good-0"]
    made = audit.requests(lane.argo.cluster, since, user_agent="hwplan/")
    deleted = sorted((one.resource, one.name) for one in made if one.verb == "delete")
    assert deleted == [("jobs", "migrate"), ("pods", "bad-0")], deleted
    assert "nothing to do" in lane.sync("--confirm").out


def _waits_for_image(lane: Lane) -> bool:
    pods = lane.argo.api.get(f"/api/v1/namespaces/{lane.name}/pods")["items"]
    return any(_waits(one, "ImagePullBackOff") for one in pods if one["metadata"]["name"].startswith("seed"))


@pytest.mark.timeout(120)
def test_r16_a_running_hook_and_a_fresh_operation_are_never_touched(lane: Lane) -> None:
    """S13, R16: the operation is older than `stuckAfter` and its hook runs; or the operation is young."""
    slow = lane.push(hook("slow", "never-ready"))
    lane.ask(slow, "Running")
    lane.until(lambda: bool(lane.get(JOB + "slow")))
    lane.until(lambda: any("running" in (one.get("state") or {}) for one in _statuses(lane)))
    time.sleep(2.5)
    plan = lane.plan()
    assert not [one for one in changes(plan) if one.startswith("ArgoRepair/")], plan["changes"]
    assert any(f"the sync waits for Job/{lane.name}/slow, which runs: not touched" in one for one in plan["warnings"])
    plan = lane.plan(stuck_after="1h")
    assert any("not touched before" in one for one in plan["warnings"]), plan["warnings"]
    since = audit.mark(lane.argo.cluster)
    assert lane.sync("--confirm", "--timeout", "3s", code=4).code == 4
    made = audit.requests(lane.argo.cluster, since, user_agent="hwplan/")
    assert not [one for one in made if one.verb == "delete"] and lane.operation() == (slow, "Running")


def _statuses(lane: Lane) -> list[Any]:
    pods = lane.argo.api.get(f"/api/v1/namespaces/{lane.name}/pods")["items"]
    return [one for pod in pods for one in (pod.get("status") or {}).get("containerStatuses") or ()]


def test_s13_a_sync_that_hangs_in_a_sandbox(lane_box: Hwplan) -> None:
    """S13 without a cluster: what somebody made hang is terminated with evidence, then there is nothing to do."""
    lane_box("apply", *LANE, "--confirm", "-q")
    lane_box("trigger", *LANE, "--confirm", "-q")
    assert lane_box("sync", *LANE).out.count("nothing to do") == 1
    hangs = {"phase": "Running", "startedAt": "2026-11-20T00:00:00Z", "message": "waiting for a hook"}
    words = ('operation={"sync":{}}', f"status.operationState={json.dumps(hangs)}", "--manager", "argocd")
    box = lane_box.where[-1]
    Hwplan(lane_box.folder, ())("sandbox", "set", box, "Application.argoproj.io/argocd/hwlab-v03", *words)
    shown = lane_box("sync", *LANE, "--json").json
    assert changes(shown) == {"ArgoRepair/hwlab-v03.operation": "run", "ArgoSync/hwlab-v03": "run"}
    Hwplan(lane_box.folder, ())("sandbox", "fail", box, "ArgoSync/hwlab-v03")
    ran = lane_box("sync", *LANE, "--confirm", "--plan-id", shown["id"], code=1)
    assert f"mended: hwplan sync --confirm --node D601 --lane v03 --live {box}" in ran.out, ran.out
    Hwplan(lane_box.folder, ())("sandbox", "fail", box, "ArgoSync/hwlab-v03", "--undo")
    assert changes(lane_box("sync", *LANE, "--json").json) == {"ArgoSync/hwlab-v03": "run"}
    ran = lane_box("sync", *LANE, "--confirm")
    assert "to see that nothing is left: hwplan sync --node D601 --lane v03" in ran.out, ran.out
    assert lane_box("sync", *LANE, "--confirm").out.endswith("nothing to do\n")
