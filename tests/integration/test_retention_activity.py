"""Runners on the real API server: a heartbeat of a pod counts for its Job; one that comes late saves the runner."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from planner.errors import PreconditionError
from planner.ports import PreviewEffect
from planner.values import JsonObject
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from tests.e2e.hwplan import Hwplan
from tests.integration.retention_world import JOB, NOW, POD, Stage, ago
from tests.testbed.cluster import TestCluster

BEAT = "x.dev/heartbeat"
RULE = """\
apiVersion: hwplan.dev/v1
kind: Retention
metadata: {{name: old}}
spec:
  selector: {{apiVersion: batch/v1, kind: Job, namespace: {ns}, matchLabels: {{role: runner}}}}
  keep: 0
  activity: {{heartbeat: {beat}, window: 5m}}
"""


@pytest.fixture
def stage(api_server: TestCluster, api_namespace: str) -> Stage:
    """The real API server; no controller makes pods of the Jobs."""
    cluster = LiveCluster(resolve_connection_settings(str(api_server.kubeconfig), environ={}))
    return Stage(lambda: cluster, api_namespace, api_server)


def _put(stage: Stage, kind: str, name: str, hours: float, **metadata: Any) -> JsonObject:
    stage.put(kind, name, {}, labels={"role": "runner"}, annotations={BEAT: ago(hours)}, **metadata)
    return stage.live(kind)[name]


def _rule(stage: Stage) -> Any:
    rule = stage.rule(JOB, keep=0, activity={"heartbeat": BEAT, "window": "5m"})
    rule.manifest["spec"]["selector"]["matchLabels"] = {"role": "runner"}
    return rule


def _beat(stage: Stage, kind: str, name: str) -> None:
    assert stage.api is not None
    path = f"{stage._collection(kind)}/{name}"
    now = datetime.now(UTC) if kind == POD else NOW
    stage.api.api().merge(path, {"metadata": {"annotations": {BEAT: now.strftime("%Y-%m-%dT%H:%M:%SZ")}}})


def test_a6_the_heartbeat_of_a_pod_counts_for_its_job(stage: Stage) -> None:
    _put(stage, JOB, "idle", 3)
    job = _put(stage, JOB, "busy", 3)
    owner = {"apiVersion": "batch/v1", "kind": JOB, "name": "busy", "uid": job["metadata"]["uid"], "controller": True}
    _put(stage, POD, "busy-1", 0.01, ownerReferences=[owner])
    change = stage.planned(_rule(stage))
    assert [str(one.path[0]) for one in change.fields] == ["idle"]
    stage.provider().apply(change, {})
    assert set(stage.live(JOB)) == {"busy"}
    assert stage.look(_rule(stage))[1].effect is PreviewEffect.NONE


@pytest.mark.parametrize("kind", [JOB, POD])
def test_a8_a_sign_of_life_after_the_plan_refuses_it(stage: Stage, kind: str) -> None:
    job = _put(stage, JOB, "idle", 3)
    owner = {"apiVersion": "batch/v1", "kind": JOB, "name": "idle", "uid": job["metadata"]["uid"], "controller": True}
    _put(stage, POD, "idle", 4, ownerReferences=[owner])
    change = stage.planned(_rule(stage))
    _beat(stage, kind, "idle")
    with pytest.raises(PreconditionError, match="changed since the plan was made: idle"):
        stage.provider().apply(change, {})
    assert set(stage.live(JOB)) == {"idle"}


def test_what_may_not_be_read_is_no_empty_list(stage: Stage, tmp_path: Path) -> None:
    """By the command, of one who may list Jobs and no pods: nothing is known, and nobody is said to be safe."""
    assert stage.api is not None
    _put(stage, JOB, "busy", 0.01)
    _let_alice(stage)
    file = tmp_path / "runners.yaml"
    file.write_text(RULE.format(ns=stage.node_lane, beat=BEAT))
    who = ("--kubeconfig", str(stage.api.kubeconfig_of("alice")), "--state", str(tmp_path / "state.db"))
    seen = Hwplan(tmp_path, who)("cleanup", "runners", "-f", str(file), "--name", "r", "--json", code=1)
    assert seen.out, seen.err
    ran = seen.json
    assert ran["managerFacts"] == [] and 'list resource "pods"' in ran["unreadable"]["Retention/old"]
    text = Hwplan(tmp_path, who)("cleanup", "runners", "-f", str(file), "--name", "r", code=1).out
    assert "nothing is known" in text and "no runner" not in text


def _let_alice(stage: Stage) -> None:
    """Rights to get namespaces, and to list Jobs."""
    assert stage.api is not None
    rules = [
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list"]},
    ]
    name, rbac = f"runners-{stage.node_lane}", "/apis/rbac.authorization.k8s.io/v1"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}
    api = stage.api.api()
    api.create(f"{rbac}/clusterroles", {"metadata": {"name": name}, "rules": rules})
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
    api.create(f"{rbac}/clusterrolebindings", binding)
