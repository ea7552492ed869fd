"""What the page says of a real API server: the limits that it gives to a Deployment that declares none."""

from __future__ import annotations

import json
import re

from tests.e2e.hwplan import Hwplan
from tests.testbed.cluster import TestCluster

APP = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {name}, annotations: {{hwplan.dev/wait: none}}}}
spec:
  strategy: {{type: Recreate}}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: c, image: "web:{tag}"}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {name}, annotations: {{hwplan.dev/wait: none}}}}
spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: front, namespace: {name}, annotations: {{hwplan.dev/wait: none}}}}
spec:
  rules:
    - host: shop.example.org
      http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}
"""


def test_the_limits_on_the_page_are_those_of_the_server(real: Hwplan, api_server: TestCluster, unique: str) -> None:
    file = real.folder / "app.yaml"
    words = ("-f", "app.yaml", "--name", unique)
    file.write_text(APP.format(name=unique, tag=1))
    real("apply", *words, "--confirm")
    file.write_text(APP.format(name=unique, tag=2))
    page = real("plan", *words, "--format", "markdown").out
    done = api_server.run_kubectl("get", "deployment", "web", "-n", unique, "-o", "json")
    spec = json.loads(done.stdout)["spec"]
    limit, grace = spec["progressDeadlineSeconds"], spec["template"]["spec"]["terminationGracePeriodSeconds"]
    assert f"up to {grace} s to stop, then its start, given up after {limit} s without progress" in page
    assert (
        f"restarts its pod with image `web:2` and serves nobody for up to {grace} s plus its start. Nothing is deleted."
        in page
    )
    assert re.search(r"\*\*known callers\*\* .*`Ingress\.networking\.k8s\.io/\S+/front \(shop\.example\.org\)`", page)
    assert "No step is waited for" in page
