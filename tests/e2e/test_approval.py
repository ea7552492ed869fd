"""Approve by id: a job without credentials plans against a snapshot, the operator applies that plan and no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan, changes
from tests.testbed.cluster import TestCluster

MORE = """\
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {ns}}}
spec:
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: 8080}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: new, namespace: {ns}}}
data: {{a: "1"}}
"""
SIDECAR = """\
          image: registry.example/web:2
        - name: side
          image: registry.example/side:1
          ports: [{{containerPort: 90}}]
          resources: {{limits: {{memory: 1024Mi}}}}
"""


@pytest.fixture
def words(real: Hwplan, unique: str) -> tuple[str, ...]:
    """An application that is live and was changed since: by us in every way, by somebody else in one field."""
    group = unique.replace("-", "")
    live = manifests.APP.format(ns=unique) + "---\n" + manifests.WIDGETS.format(ns=group, size=3)
    gone = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: old, namespace: {unique}}}\n"
    words = ("-f", manifests.write(real.folder, "app.yaml", live + gone), "--name", unique)
    real("apply", *words, "--confirm", "--no-wait")
    new = live.replace("          image: registry.example/web:1\n", SIDECAR.format())
    new = new.replace("echo two", "echo three").replace("{size: 3}", "{size: 4}") + MORE.format(ns=unique)
    manifests.write(real.folder, "app.yaml", new)
    return words


def _job(real: Hwplan, live: str, *state: str) -> Hwplan:
    """The command where there is no cluster to ask."""
    return Hwplan(real.folder, ("--live", live, *state), env={"KUBECONFIG": "/dev/null"})


@pytest.mark.parametrize("saved", ["saved.json", "saved"])
def test_the_job_and_the_operator_make_one_plan(
    real: Hwplan, api_server: TestCluster, unique: str, words: tuple[str, ...], saved: str
) -> None:
    deployment = f"/apis/apps/v1/namespaces/{unique}/deployments/web?fieldManager=night-shift"
    api_server.api().merge(deployment, {"spec": {"replicas": 7, "paused": True}})
    real("snapshot", saved, *words)
    job = _job(real, saved, "--state", real.where[-1])
    there, here = job.plan(*words), real.plan(*words)
    assert there["cluster"]["simulated"] and not here["cluster"]["simulated"]
    assert {change["verified"] for change in here["changes"] if change["action"] in ("update", "create")} == {"server"}
    assert changes(there) == changes(here) and set(changes(here).values()) == {"create", "update", "delete"}
    assert there["id"] == here["id"]
    command = job("plan", *words).out.splitlines()[-1]
    assert "--live" not in command and f"--plan-id {here['id'][:39]}" in command
    assert "cannot be written" in job("apply", *words, "--confirm", code=3).err
    assert len(job("state", "history", "--json").json["runs"]) == 1, "the run that was before, and no other"
    assert real("apply", *words, "--plan-id", there["id"], "--confirm", "--no-wait").code == 0
    real.empty(*words)


def test_a_job_without_the_state_cannot_compare_values_in_manifests(
    real: Hwplan, unique: str, words: tuple[str, ...]
) -> None:
    real("snapshot", "saved.json", *words)
    job = _job(real, "saved.json", "--state", "another.db")
    plan = job.plan(*words)
    secret, deployment = plan["blocked"]
    assert secret["address"] == f"Secret/{unique}/login" and "another key" in secret["reason"]
    assert deployment["reason"] == f"needs Secret/{unique}/login, which is blocked"
    assert plan["drift"] == [], "what cannot be compared is not said to be changed"
    others = (*words, "--exclude", "Secret/*")
    assert job.plan(*others)["id"] == real.plan(*others)["id"]
    assert b"hunter2-canary" not in (real.folder / "saved.json").read_bytes()


def test_anything_else_is_refused_by_its_first_difference(
    real: Hwplan, api_server: TestCluster, unique: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    real("snapshot", "saved.json", *words)
    job = _job(real, "saved.json", "--state", real.where[-1])
    job("plan", *words, "--out", "approved.json")
    approved = json.loads((real.folder / "approved.json").read_text())["id"]
    settings = f"/api/v1/namespaces/{unique}/configmaps/settings"
    api_server.api().merge(f"{settings}?fieldManager=night-shift", {"data": {"level": "debug"}})

    reported = f"ConfigMap/{unique}/settings: another field: data.level"
    assert reported in real("apply", *words, "--plan-id", "approved.json", "--confirm", code=3).err
    assert reported in real("apply", *words, "--plan-id", approved, "--confirm", code=3).err, "this machine showed it"
    (real.folder / "plans").rename(real.folder / "forgotten")
    unknown = real("apply", *words, "--plan-id", approved[:39], "--confirm", code=3).err
    assert "name the file of the approved plan" in unknown
    now = real("plan", *words, "--out", "now.json", "--json").json
    refused = real("apply", "now.json", "--plan-id", "approved.json", "--confirm", code=3)
    assert reported in refused.err
    real("apply", *words, "--plan-id", "", "--confirm", code=1)
    assert api_server.api().get(settings)["data"]["level"] == "debug", "nothing was written"
    short = real("apply", *words, "--plan-id", now["id"][:38], "--confirm", code=3)
    assert "31 digits are too few" in short.err
    real("apply", "now.json", "--plan-id", now["id"][:39], "--confirm", "--no-wait")
    real.empty(*words)


_WITHOUT_NAMESPACE = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: lost, namespace: {ns}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: after, namespace: default, annotations: {{hwplan.dev/depends-on: ConfigMap/{ns}/lost}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: "{ns}", namespace: default}}
---
apiVersion: v1
kind: Service
metadata: {{name: "{ns}", namespace: default}}
spec: {{ports: [{{port: 80}}], clusterIP: 203.0.113.9}}
"""


def test_a_straight_apply_decides_as_the_plan_and_records_its_id(hwplan: Hwplan, unique: str) -> None:
    """What only the server can refuse (a namespace, an address outside of its range) is refused before it begins."""
    words = ("-f", manifests.write(hwplan.folder, "a.yaml", _WITHOUT_NAMESPACE.format(ns=unique)), "--name", unique)
    plans = [hwplan(verb, *words, "--json", code=1).json for verb in ("plan", "plan", "apply")]
    blocked = {one["address"] for one in plans[0]["blocked"]}
    assert {f"ConfigMap/{unique}/lost", "ConfigMap/default/after"} <= blocked
    done = hwplan("apply", *words, "--json", "--confirm", code=1).json
    assert {one["id"] for one in plans} == {done["plan"]}
    assert {one["address"] for one in done["blocked"]} == blocked
    assert all(one["result"] == "done" for one in done["nodes"])
    (run,) = hwplan("state", "history", "--json").json["runs"]
    assert done["plan"] in run.values()


_LEVEL = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: default}}
data: {{level: {level}}}
"""


def test_two_plans_are_compared(simulated: Hwplan) -> None:
    words = ("-f", manifests.write(simulated.folder, "a.yaml", _LEVEL.format(level="info")), "--name", "c")
    simulated("apply", *words, "--confirm")
    for level in ("debug", "trace"):
        manifests.write(simulated.folder, "a.yaml", _LEVEL.format(level=level))
        simulated("plan", *words, "--out", f"{level}.json")
    same = simulated("plan", "trace.json", "--against", "trace.json", "--detailed-exitcode")
    assert "the same effect" in same.out
    found = simulated("plan", "trace.json", "--against", "debug.json", "--json", "--detailed-exitcode", code=2).json
    (row,) = found["differences"]
    assert (row["address"], row["before"], row["after"]) == ("ConfigMap/default/settings", "update", "update")
    assert '"info" -> "debug"' in row["difference"] and not found["sameEffect"]
    run = simulated("plan", "trace.json", "--against", "1")
    assert "ConfigMap/default/settings: create became update" in run.out
    now = simulated("plan", *words, "--against", "trace.json")
    assert "the same effect" in now.out
    assert "there is no plan of run 9" in simulated("plan", "--against", "9", *words, code=1).err
    assert "--against" in simulated("plan", "trace.json", code=None).err
