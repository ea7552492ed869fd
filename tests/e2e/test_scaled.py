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
