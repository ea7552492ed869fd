"""What did not end well is asked again, by plan, drift and the next apply; what ended is not run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.testbed.cluster import TestCluster

_URL = "http://127.0.0.1:20666/healthz"
_GATE = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: before, namespace: default}}
---
apiVersion: hwplan.dev/v1
kind: HttpProbe
metadata: {{name: gate, annotations: {{hwplan.dev/depends-on: ConfigMap/default/before}}}}
spec: {{role: gate, attempts: 1, url: "{_URL}"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: after, namespace: default, annotations: {{hwplan.dev/depends-on: HttpProbe/gate}}}}
"""
_JOB = """
apiVersion: batch/v1
kind: Job
metadata: {{name: "{name}", namespace: default}}
spec:
  backoffLimit: 0
  {more}
  template: {{spec: {{restartPolicy: Never, {where} containers: [{{name: a, image: "example.org/a:1"}}]}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: "{name}", namespace: default, annotations: {{hwplan.dev/depends-on: Job.batch/default/{name}}}}}
"""
_WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: "{name}", namespace: default}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{nodeSelector: {{no-such: node}}, containers: [{{name: a, image: "example.org/a:1"}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: "{name}", namespace: default, annotations: {{hwplan.dev/depends-on: Deployment.apps/default/{name}}}}}
"""


def _answer(hwplan: Hwplan, status: int) -> None:
    (hwplan.folder / "box" / "probes.yaml").write_text(f'probes: [{{url: "{_URL}", status: {status}}}]\n')


def test_a_gate_that_failed_is_asked_again_before_what_waits_for_it(simulated: Hwplan) -> None:
    words = ("-f", manifests.write(simulated.folder, "a.yaml", _GATE), "--name", "g")
    _answer(simulated, 503)
    simulated("apply", *words, "--confirm", code=1)
    for run in (1, 2):
        plan = simulated("plan", *words, "--json").json
        assert changes(plan) == {"HttpProbe/gate": "run", "ConfigMap/default/after": "create"}
        assert change_of(plan, "HttpProbe/gate")["reason"] == f"declared, failed in run {run}"
        assert f"to be run: failed in run {run}" in simulated("drift", *words).out
        done = simulated("apply", *words, "--confirm", "--json", code=1).json
        assert [node["result"] for node in done["nodes"]] == ["failed", "skipped"]
    _answer(simulated, 200)
    simulated("apply", *words, "--confirm")
    simulated.empty(*words)


@pytest.fixture
def live(cluster: TestCluster, tmp_path: Path) -> Hwplan:
    return Hwplan(tmp_path, ("--kubeconfig", str(cluster.kubeconfig), "--state", str(tmp_path / "state.db")))


def test_a_job_that_deletes_itself_is_done_and_not_run_again(live: Hwplan, unique: str) -> None:
    text = _JOB.format(name=unique, more="ttlSecondsAfterFinished: 0", where="")
    words = ("-f", manifests.write(live.folder, "a.yaml", text), "--name", unique)
    done = live("apply", *words, "--confirm", "--timeout", "60s")
    assert "ttlSecondsAfterFinished" in done.out
    live.empty(*words)
    drift = live("drift", *words)
    assert "ran in run 1" in drift.out
    text = text.replace("example.org/a:1", "example.org/a:2")
    manifests.write(live.folder, "a.yaml", text)
    assert changes(live("plan", *words, "--json").json) == {f"Job.batch/default/{unique}": "create"}


def test_a_job_that_failed_and_deleted_itself_holds_back_what_needs_it(live: Hwplan, unique: str) -> None:
    more = "ttlSecondsAfterFinished: 0\n  activeDeadlineSeconds: 1"
    text = _JOB.format(name=unique, more=more, where="nodeSelector: {no-such: node},")
    words = ("-f", manifests.write(live.folder, "a.yaml", text), "--name", unique)
    done = live("apply", *words, "--confirm", "--json", "--timeout", "60s", code=1).json
    assert [node["result"] for node in done["nodes"]] == ["failed", "skipped"]


@pytest.mark.parametrize(("text", "code"), [(_JOB, 1), (_WEB, 4)], ids=["a failed Job", "a Deployment without pods"])
def test_what_is_not_ready_holds_back_what_needs_it_the_second_time_too(
    live: Hwplan, unique: str, text: str, code: int
) -> None:
    where = "nodeSelector: {no-such: node},"
    whole = text.format(name=unique, more="activeDeadlineSeconds: 1", where=where)
    words = ("-f", manifests.write(live.folder, "a.yaml", whole), "--name", unique)
    for _ in range(2):
        live("apply", *words, "--confirm", "--timeout", "8s", code=code)
        plan = live("plan", *words, "--json").json
        assert changes(plan)[f"ConfigMap/default/{unique}"] == "create"
        assert "not ready" in live("drift", *words, code=None).out


_FREE = """
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: "{name}-free", namespace: default}}
data: {{a: "{value}"}}
"""


def test_what_is_not_ready_and_not_needed_delays_nothing(live: Hwplan, unique: str) -> None:
    """It is waited for and named, exit 4; the rest is done meanwhile. Two plans in a row have one id."""
    text = _WEB.split("---")[0] + _FREE
    path = manifests.write(live.folder, "a.yaml", text.format(name=unique, value=1))
    words = ("-f", path, "--name", unique)
    live("apply", *words, "--confirm", "--no-wait")
    manifests.write(live.folder, "a.yaml", text.format(name=unique, value=2))
    ids = {live("plan", *words, "--json").json["id"] for _ in range(2)}
    ran = live("apply", *words, "--confirm", "--timeout", "5s", "--json", code=4).json
    assert ids == {ran["plan"]}
    nodes = {node["address"].split("/")[0]: node for node in ran["nodes"]}
    assert nodes["ConfigMap"]["result"] == "done" and nodes["ConfigMap"]["seconds"] < 4
    assert nodes["Deployment.apps"]["result"] == "pending" and "not ready after" in nodes["Deployment.apps"]["message"]
