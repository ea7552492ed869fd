"""Replicas that nobody declares, set through the subresource `scale` of a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.hwplan import Hwplan, changes
from tests.testbed.cluster import TestCluster

DEPLOYMENT = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {ns}, annotations: {{hwplan.dev/wait: none}}}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: registry.example.org/web:1}}]}}
"""
AUTOSCALER = """\
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: web, namespace: {ns}}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
  minReplicas: 2
  maxReplicas: 5
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 80}}}}}}]
"""


class _Scaled:
    """The application, applied, with its Deployment scaled by kubectl."""

    def __init__(self, real: Hwplan, server: TestCluster, ns: str, text: str) -> None:
        self.real, self.server, self.ns, self.text = real, server, ns, text.format(ns=ns)
        self.words = ("-f", "-", "--name", ns)
        real("apply", *self.words, "--confirm", stdin=self.text)

    def kubectl(self, *words: str) -> None:
        done = self.server.run_kubectl("-n", self.ns, *words)
        assert done.returncode == 0, done.stderr

    def scale(self, replicas: int) -> None:
        self.kubectl("scale", "deployment", "web", f"--replicas={replicas}")

    def set_by(self, manager: str, replicas: int) -> None:
        """Somebody sets the field itself: from then on the server records who scales."""
        patch = f'{{"spec":{{"replicas":{replicas}}}}}'
        self.kubectl("patch", "deployment", "web", "--type=merge", f"--field-manager={manager}", "-p", patch)

    def live(self) -> Any:
        return self.server.api().find(f"/apis/apps/v1/namespaces/{self.ns}/deployments/web")

    def scale_entries(self) -> list[Any]:
        return [one for one in self.live()["metadata"]["managedFields"] if one.get("subresource") == "scale"]

    def row(self, code: int) -> Any:
        report = self.real("drift", *self.words, "--json", stdin=self.text, code=code).json
        (row,) = (one for one in report["objects"] if one["address"] == f"Deployment.apps/{self.ns}/web")
        return row


def test_kubectl_scale_is_drift_of_nobody_where_the_server_records_nobody(
    real: Hwplan, api_server: TestCluster, unique: str
) -> None:
    app = _Scaled(real, api_server, unique, DEPLOYMENT)
    app.scale(3)
    assert app.scale_entries() == [], "the server records no manager"
    (field,) = app.row(code=2)["undeclared"]
    assert (field["path"], field["after"], field.get("manager", "")) == ("spec.replicas", 3, ""), field
    app.scale(1)
    assert app.row(code=0)["state"] == "in sync", "one is the default: an object without drift has it too"


def test_kubectl_scale_is_drift_with_the_manager_that_the_server_records(
    real: Hwplan, api_server: TestCluster, unique: str
) -> None:
    app = _Scaled(real, api_server, unique, DEPLOYMENT)
    app.set_by("shift", 2)
    app.scale(3)
    (entry,) = app.scale_entries()
    assert (entry["operation"], entry["fieldsV1"]) == ("Update", {"f:spec": {"f:replicas": {}}})
    (field,) = app.row(code=2)["undeclared"]
    assert (field["path"], field["after"]) == ("spec.replicas", 3), field
    assert (field["manager"], field["time"]) == (entry["manager"], entry.get("time", "")), field


@pytest.mark.parametrize("option", ["--reset-undeclared", "--take-over"])
def test_what_was_scaled_goes_back(real: Hwplan, api_server: TestCluster, unique: str, option: str) -> None:
    app = _Scaled(real, api_server, unique, DEPLOYMENT)
    app.set_by("shift", 2)
    app.scale(3)
    (entry,) = app.scale_entries()
    words = (*app.words, option, f"Deployment/{unique}/web" if option == "--reset-undeclared" else entry["manager"])
    assert changes(real("plan", *words, "--json", stdin=app.text).json) == {f"Deployment.apps/{unique}/web": "update"}
    real("apply", *words, "--confirm", stdin=app.text)
    assert app.live()["spec"]["replicas"] == 1 and app.scale_entries() == []
    assert app.row(code=0)["state"] == "in sync"


@pytest.mark.parametrize("recorded", [False, True])
def test_an_autoscaler_of_the_set_makes_it_harmless(
    real: Hwplan, api_server: TestCluster, unique: str, recorded: bool
) -> None:
    app = _Scaled(real, api_server, unique, DEPLOYMENT + AUTOSCALER)
    if recorded:
        app.set_by("shift", 2)
    app.scale(3)
    row = app.row(code=0)
    assert row["state"] == "ignored" and "HorizontalPodAutoscaler" in str(row["ignored"]), row
    (drift,) = real("plan", *app.words, "--json", stdin=app.text).json["drift"]
    assert drift["harmless"] == f"HorizontalPodAutoscaler.autoscaling/{unique}/web sets it"


def _with_autoscaler_of_others(real: Hwplan, server: TestCluster, ns: str) -> _Scaled:
    """Replicas were declared as 2, then as 4; somebody else's autoscaler scales them to 5."""
    declared = [
        DEPLOYMENT.replace("spec:\n  selector", f"spec:\n  replicas: {count}\n  selector", 1) for count in (2, 4)
    ]
    app = _Scaled(real, server, ns, declared[0])
    app.text = declared[1].format(ns=ns)
    real("apply", *app.words, "--confirm", stdin=app.text)
    done = server.run_kubectl("apply", "-f", "-", stdin=AUTOSCALER.format(ns=ns))
    assert done.returncode == 0, done.stderr
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/web/scale?fieldManager=kube-controller-manager"
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web", "namespace": ns}}
    server.api().request("PUT", path, {**scale, "spec": {"replicas": 5}})  # as the controller writes it
    (entry,) = app.scale_entries()
    assert (entry["manager"], entry["fieldsV1"]) == ("kube-controller-manager", {"f:spec": {"f:replicas": {}}})
    return app


def test_who_sets_replicas_back_is_told_whose_autoscaler_sets_them(
    real: Hwplan, api_server: TestCluster, unique: str
) -> None:
    """By a plan, by undo and by drift: of the autoscaler nothing is declared, and the manager does not say it."""
    app = _with_autoscaler_of_others(real, api_server, unique)
    told = (
        f"Deployment.apps/{unique}/web: HorizontalPodAutoscaler.autoscaling/{unique}/web sets spec.replicas (2 to 5),"
        " and will set it again: declare no replicas, or take the autoscaler away"
    )
    plan = real("plan", *app.words, "--json", stdin=app.text).json
    undo = real("undo", "2", "--json").json
    for document, after in ((plan, 4), (undo, 2)):
        (change,) = (one for one in document["changes"] if one["action"] == "update")
        (field,) = (one for one in change["fields"] if one["path"] == "spec.replicas")
        assert (field["before"], field["after"]) == (5, after)
        assert field["manager"] == "kube-controller-manager"
        assert document["warnings"] == [told]
    assert told in " ".join(real("undo", "2", env={"COLUMNS": "400"}).out.split())
    assert told in str(real("drift", *app.words, "--json", stdin=app.text, code=2).json)
    done = real("undo", "2", "--confirm", env={"COLUMNS": "400"})
    assert app.live()["spec"]["replicas"] == 2 and told in " ".join(done.out.split()), done.out
    app.scale(5)
    again = real("apply", *app.words, "--confirm", "--json", stdin=app.text).json
    assert again["warnings"] == [told]
    assert real("undo", str(again["run"]), "--confirm", "--json").json["warnings"] == [told]


def test_nobody_is_told_of_an_autoscaler_that_sets_nothing_of_the_plan(
    real: Hwplan, api_server: TestCluster, unique: str
) -> None:
    app = _with_autoscaler_of_others(real, api_server, unique)
    none = app.text.replace("  replicas: 4\n", "  replicas: 0\n")
    assert real("plan", *app.words, "--json", stdin=none).json["warnings"] == [], "no replicas pause an autoscaler"
    undeclared = app.text.replace("  replicas: 4\n", "")
    assert real("plan", *app.words, "--json", stdin=undeclared).json["warnings"] == []
    api_server.run_kubectl("-n", unique, "delete", "hpa", "web")
    assert real("plan", *app.words, "--json", stdin=app.text).json["warnings"] == []
