"""Restart and Retention by the command, in a sandbox: the plan shows them, apply makes them, the next plan is empty."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.testbed.cluster import TestCluster

WEB, SETTINGS, RESTART = "Deployment.apps/shop/web", "ConfigMap/shop/settings", "Restart/web"
MARK = "hwplan.dev/restarted-for.web"
APP = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {ns}}}
data: {{level: {level}}}
---
apiVersion: hwplan.dev/v1
kind: Restart
metadata: {{name: web}}
spec: {{target: Deployment.apps/{ns}/web, {when}}}
"""
FOLLOWING = '"on": [ConfigMap/{ns}/settings]'


def _app(hwplan: Hwplan, level: str, image: int = 1, when: str = FOLLOWING, ns: str = "shop") -> tuple[str, ...]:
    """Words of the application with these settings."""
    text = (manifests.WORKLOAD + APP).replace("{when}", when).format(level=level, image=image, ns=ns)
    return ("-f", manifests.write(hwplan.folder, "app.yaml", text), "--name", ns)


def _live(hwplan: Hwplan) -> Any:
    """The Deployment as the sandbox keeps it."""
    found = (Path(hwplan.where[1]) / "cluster").rglob("web.yaml")
    (path,) = [one for one in found if "kind: Deployment" in one.read_text()]
    return YAML(typ="safe").load(path)


def _template_mark(hwplan: Hwplan) -> str:
    metadata = _live(hwplan)["spec"]["template"]["metadata"]
    return str((metadata.get("annotations") or {}).get(MARK, ""))


def test_a_restart_follows_its_settings(simulated: Hwplan) -> None:
    words = _app(simulated, "info")
    assert changes(simulated.plan(*words))[RESTART] == "run"
    simulated("apply", *words, "--confirm")
    assert not _template_mark(simulated), "new pods need no restart"
    simulated.empty(*words)

    words = _app(simulated, "debug")
    plan = simulated.plan(*words)
    assert changes(plan) == {SETTINGS: "update", RESTART: "run"}
    assert change_of(plan, RESTART)["needs"] == [SETTINGS]
    assert change_of(plan, RESTART)["fields"][1]["path"].endswith(f"spec.template.metadata.annotations[{MARK}]")
    simulated("apply", *words, "--plan-id", plan["id"], "--confirm")
    first = _template_mark(simulated)
    assert first
    simulated.empty(*words)
    simulated("drift", *words)

    words = _app(simulated, "debug", image=2)
    assert changes(simulated.plan(*words)) == {WEB: "update"}, "its own change rolls it out by itself"
    simulated("apply", *words, "--confirm")
    assert _template_mark(simulated) == first
    simulated.empty(*words)


def test_on_a_cluster_with_controllers_the_pods_are_replaced(cluster: TestCluster, unique: str, tmp_path: Path) -> None:
    real = Hwplan(tmp_path, ("--kubeconfig", str(cluster.kubeconfig), "--state", str(tmp_path / "state.db")))
    real("apply", *_app(real, "info", ns=unique), "--confirm")
    (first,) = _ready_pods(cluster, unique)
    words = _app(real, "debug", ns=unique)
    real("apply", *words, "--confirm")
    (second,) = _ready_pods(cluster, unique)
    assert first != second, "the apply ends when the rollout does"
    real.empty(*words)
    real("drift", *words)
    cluster.api().delete(f"/api/v1/namespaces/{unique}")


def _ready_pods(cluster: TestCluster, namespace: str) -> set[str]:
    pods = cluster.api().get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    assert all({"type": "Ready", "status": "True"}.items() <= _ready(pod).items() for pod in alive)
    return {pod["metadata"]["name"] for pod in alive}


def _ready(pod: Any) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in pod["status"]["conditions"] if one["type"] == "Ready")
    return found


def test_killed_before_the_restart_the_next_plan_makes_it(simulated: Hwplan) -> None:
    simulated("apply", *_app(simulated, "info"), "--confirm")
    words = _app(simulated, "debug")
    simulated("apply", *words, "--confirm", code=-signal.SIGKILL, env={"HWPLAN_FAILPOINT": "node.ended=kill@1"})
    assert not _template_mark(simulated)
    plan = simulated.plan(*words)
    assert changes(plan) == {RESTART: "run"}
    simulated("apply", *words, "--confirm", code=-signal.SIGKILL, env={"HWPLAN_FAILPOINT": "node.effected=kill@1"})
    mark, generation = _template_mark(simulated), _live(simulated)["metadata"]["generation"]
    assert mark
    simulated("apply", "--resume", "--confirm")
    resumed, first, *_ = simulated("state", "history", "--json").json["runs"]
    assert (resumed["resumes"], first["resumedBy"]) == (first["run"], resumed["run"])
    assert f"resumed as run {resumed['run']}" in simulated("state", "history").out
    assert (_template_mark(simulated), _live(simulated)["metadata"]["generation"]) == (mark, generation), "once"
    simulated.empty(*words)


def test_always_follows_every_change_and_nothing_else(simulated: Hwplan) -> None:
    words = _app(simulated, "info", when="when: always")
    assert RESTART not in changes(simulated.plan(*words))
    simulated("apply", *words, "--confirm")
    words = _app(simulated, "info", image=2, when="when: always")
    assert changes(simulated.plan(*words)) == {WEB: "update", RESTART: "run"}
    simulated("apply", *words, "--confirm")
    assert _template_mark(simulated)
    simulated.empty(*words)


def test_a_workload_that_nobody_declares_and_that_is_not_there_blocks(simulated: Hwplan) -> None:
    _, file, *_ = _app(simulated, "info")
    path = simulated.folder / file
    path.write_text(path.read_text().split("---\n")[-1])
    plan = simulated.plan("-f", file, "--name", "r")
    (blocked,) = plan["blocked"]
    assert (blocked["address"], blocked["reason"]) == (RESTART, f"{WEB} is not there")

    words = _app(simulated, "info", when='"on": [ConfigMap/{ns}/setings]')
    (blocked,) = simulated.plan(*words)["blocked"]
    assert blocked["reason"] == "ConfigMap/shop/setings is not there", "a name that is wrong follows nothing"


RUNS = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ci}\n" + "".join(
    f"---\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: build-{n}, namespace: ci}}\n"
    "spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: 'registry.example/c:1'}]}}}\n"
    for n in range(4)
)
RETENTION = """\
apiVersion: hwplan.dev/v1
kind: Retention
metadata: {name: builds}
spec:
  selector: {apiVersion: batch/v1, kind: Job, namespace: ci, namePrefix: build-}
  minAge: 0s
  keep: 1
  neverTouch: [build-2]
"""


def test_a_clean_up_names_what_goes_and_is_over(simulated: Hwplan) -> None:
    simulated("apply", "-f", manifests.write(simulated.folder, "runs.yaml", RUNS), "--name", "ci", "--confirm")
    words = ("-f", manifests.write(simulated.folder, "clean.yaml", RETENTION), "--name", "clean")
    plan = simulated.plan(*words)
    assert changes(plan) == {"Retention/builds": "run"}
    fields = change_of(plan, "Retention/builds")["fields"]
    assert [(one["path"], one["op"]) for one in fields] == [("build-0", "remove"), ("build-1", "remove")]
    assert all(one["before"].startswith("Succeeded (CompletionsReached), finished 20") for one in fields)
    simulated("plan", *words, "--out", "clean.json")
    text = simulated("plan", *words).out
    assert "build-0" in text and "build-2" not in text
    simulated("apply", "clean.json", "--confirm")
    left = [path.stem for path in Path(simulated.where[1]).rglob("build-*.yaml")]
    assert sorted(left) == ["build-2", "build-3"]
    simulated.empty(*words)


def test_both_kinds_explain_themselves(simulated: Hwplan) -> None:
    plain = Hwplan(simulated.folder, ())
    assert "restarted for last is retained in an annotation" in plain("explain", "Restart").out
    assert "`always`" in plain("explain", "Restart.spec.when").out
    assert "never deleted" in plain("explain", "Retention.spec.neverTouch").out
