"""`PodExec` as its users see it: plan, apply with its log, an empty plan; a failure, and what may have run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.canaries.world import rows_of
from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.e2e.manifests import WORKLOAD, write
from tests.testbed.cluster import TestCluster

STACK = """\
---
apiVersion: hwplan.dev/v1
kind: PodExec
metadata: {{name: migrate}}
spec:
  target: Deployment.apps/{ns}/web
  container: main
  command: {command}
  oncePer: {key}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: after, namespace: {ns}, annotations: {{hwplan.dev/depends-on: PodExec/migrate}}}}
data: {{code: "!sub"}}
"""


def _stack(folder: Path, ns: str, command: list[str], key: str = "sha256:1") -> tuple[str, ...]:
    text = (
        (WORKLOAD + STACK)
        .format(ns=ns, image=1, command=json.dumps(command), key=key)
        .replace('code: "!sub"', 'code: !sub "ended with ${PodExec/migrate#exitCode}"')
    )
    return ("-f", write(folder, "stack.yaml", text), "--name", ns)


def test_a_sandbox_plays_the_command_and_marks_it(simulated: Hwplan, unique: str) -> None:
    words = _stack(simulated.folder, unique, ["migrate", "up"])
    plan = simulated.plan(*words)
    change = change_of(plan, "PodExec/migrate")
    assert change["action"] == "run" and f"Deployment.apps/{unique}/web" in change["needs"]
    assert [field["path"] for field in change["fields"]] == ["target", "container", "command", "oncePer"]
    assert change_of(plan, f"ConfigMap/{unique}/after")["fields"]
    assert "simulated: exit code 0" in simulated("apply", *words, "--confirm").out
    simulated.empty(*words)

    answers = simulated.folder / "box" / "probes.yaml"
    answers.write_text(answers.read_text() + "execs: [{command: [migrate, up], exitCode: 3, output: no table}]\n")
    words = _stack(simulated.folder, unique, ["migrate", "up"], key="sha256:2")
    assert changes(simulated.plan(*words)) == {"PodExec/migrate": "run"}
    report = simulated("drift", *words, "--json", code=None).json
    (row,) = [one for one in report["objects"] if one["address"] == "PodExec/migrate"]
    assert row["state"] == "pending", "another value is nothing that somebody deleted"
    failed = simulated("apply", *words, "--confirm", code=1)
    assert "simulated: exit code 3" in failed.out and "       | no table" in failed.out
    assert "8 bytes of output, hmac-sha256:" in _stored(simulated) and "no table" not in _stored(simulated)
    plan = simulated.plan(*words)
    field = change_of(plan, "PodExec/migrate")["fields"][-1]
    assert (field["path"], field["before"], field["after"]) == ("exitCode", 3, 0)
    answers.write_text(answers.read_text().replace("exitCode: 3", "exitCode: 0"))
    document = simulated("apply", *words, "--confirm", "--json").json
    (node,) = [one for one in document["nodes"] if one["address"] == "PodExec/migrate"]
    assert node["message"].startswith("simulated: exit code 0") and node["message"].endswith("\nno table")
    simulated.empty(*words)


def _stored(simulated: Hwplan) -> str:
    """What the state holds of all runs."""
    states = list(simulated.folder.rglob("*.db"))
    assert states
    return "\n".join(text for state in states for table, text in rows_of(state) if table != "records")


@pytest.fixture
def live(cluster: TestCluster, tmp_path: Path) -> Hwplan:
    return Hwplan(tmp_path, ("--kubeconfig", str(cluster.kubeconfig), "--state", str(tmp_path / "state.db")))


def test_a_real_cluster_runs_it_once_and_forgets_nothing(live: Hwplan, unique: str, tmp_path: Path) -> None:
    witness = tmp_path / "runs"
    words = _stack(tmp_path, unique, ["sh", "-c", f"echo x >> {witness}; echo 12 migrations; exit 0"])
    ran = live("apply", *words, "--confirm")
    assert "exit code 0 in web-" in ran.out and "       | 12 migrations" in ran.out
    live.empty(*words)
    (tmp_path / "state.db").unlink()
    assert "PodExec/migrate" not in changes(live.plan(*words)), "what was done is known without any state"
    assert witness.read_text() == "x\n"

    words = _stack(tmp_path, unique, ["sh", "-c", f"echo x >> {witness}; echo no table >&2; exit 3"], key="sha256:2")
    failed = live("apply", *words, "--allow", "missing-state", "--confirm", code=1)
    assert "exit code 3 in web-" in failed.out and "       | no table" in failed.out
    assert changes(live.plan(*words)) == {"PodExec/migrate": "run"}


def test_a_killed_command_is_blocked_by_the_next_plan(live: Hwplan, unique: str, tmp_path: Path) -> None:
    witness = tmp_path / "runs"
    words = _stack(tmp_path, unique, ["sh", "-c", f"echo x >> {witness}"])
    live("apply", *words, "--confirm", code=-9, env={"HWPLAN_FAILPOINT": "exec.ended=kill"})
    plan = live.plan(*words)
    (blocked,) = [one for one in plan["blocked"] if one["address"] == "PodExec/migrate"]
    assert "may have run" in blocked["reason"] and "no end on record" in blocked["evidence"]
    assert "ConfigMap/" in blocked["remedy"] and "idempotent" in blocked["remedy"]
    resumed = live("apply", "--resume", *words, "--confirm", code=1)
    assert "unknown" in resumed.out and "may have run" in resumed.out
    assert witness.read_text() == "x\n"


def test_wrong_words_are_found_before_anything_is_read(simulated: Hwplan) -> None:
    words = _stack(simulated.folder, "demo", ["a"])
    path = simulated.folder / "stack.yaml"
    path.write_text(path.read_text().replace("Deployment.apps/demo/web", "Deployment/web"))
    assert "expected a workload with its group and namespace" in simulated("plan", *words, code=1).err
