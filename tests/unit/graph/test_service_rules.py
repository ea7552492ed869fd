"""What routes traffic comes after the Service it goes to, its class and its certificate."""

from __future__ import annotations

from pathlib import Path

from planner.graph import build_graph
from tests.unit.loading.fakes import manifests

TEXT = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: demo}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: rest, namespace: other}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: fast}
spec: {controller: example.org/fast}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a, namespace: demo}
spec:
  ingressClassName: fast
  defaultBackend: {service: {name: web, port: {number: 80}}}
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: demo}
spec: {gatewayClassName: c, listeners: [{name: l, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: a-route, namespace: demo}
spec:
  parentRefs: [{name: g}]
  rules: [{backendRefs: [{name: web, port: 80}, {name: rest, namespace: other, port: 80}]}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.a.example.org}
spec:
  {group: a.example.org, version: v1, groupPriorityMinimum: 1, versionPriority: 1,
   service: {name: rest, namespace: other}}
"""


def test_routes_come_after_their_services(tmp_path: Path) -> None:
    graph = build_graph(manifests(TEXT, tmp_path).resources)
    needs = {address.local: {one.local for one in graph.needs(address)} for address in graph.order()}
    assert needs["Ingress.networking.k8s.io/demo/a"] == {"Service/demo/web", "IngressClass.networking.k8s.io/fast"}
    assert needs["HTTPRoute.gateway.networking.k8s.io/demo/a-route"] == {
        "Service/demo/web", "Service/other/rest", "Gateway.gateway.networking.k8s.io/demo/g",
    }  # fmt: skip
    assert needs["APIService.apiregistration.k8s.io/v1.a.example.org"] == {"Service/other/rest"}
