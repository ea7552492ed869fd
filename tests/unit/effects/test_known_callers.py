"""Who calls a workload that stops or restarts: each way by which it is named, and texts that only look like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.plan import SideEffectKind
from tests.unit.effects.world import set_off_with_callers, workload

SERVICE = (
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: demo, labels: {app: web}}\n"
    "spec: {selector: {app: web}, ports: [{port: 8080}]}\n"
)
RECREATE = "strategy: {type: Recreate}"


def web(image: str, spec: str = RECREATE) -> str:
    """The workload that is changed, behind its Service."""
    return workload("Deployment", image=image, spec=spec) + SERVICE


def env(value: str, namespace: str = "demo", kind: str = "Deployment") -> str:
    """A workload with one variable."""
    box = f'{{name: c, image: "web:1", env: [{{name: API, value: "{value}"}}]}}'
    return (
        f"---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: client, namespace: {namespace}}}\n"
        f"spec: {{selector: {{matchLabels: {{app: client}}}}, template: {{metadata: {{labels: {{app: client}}}}, "
        f"spec: {{containers: [{box}]}}}}}}\n"
    )


def ingress(host: str, service: str = "api") -> str:
    """A route to a Service."""
    backend = f"{{service: {{name: {service}, port: {{number: 8080}}}}}}"
    return (
        "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: front, namespace: demo}\n"
        f"spec: {{rules: [{{host: {host}, http: {{paths: [{{path: /, pathType: Prefix, backend: {backend}}}]}}}}]}}\n"
    )


def config_of(value: str) -> str:
    """A ConfigMap with an address in it, and a workload that reads it."""
    reads = "envFrom: [{configMapRef: {name: conf}}]"
    return (
        f'---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: conf, namespace: demo}}\ndata: {{url: "{value}"}}\n'
        + workload("Deployment", "reader", container=reads)
    )


def probe(url: str) -> str:
    """A probe of hwplan."""
    return (
        f'---\napiVersion: hwplan.dev/v1\nkind: HttpProbe\nmetadata: {{name: up}}\nspec: {{role: gate, url: "{url}"}}\n'
    )


MONITOR = (
    "---\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: m, namespace: demo}\n"
    "spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: http}]}\n"
)
ROUTE = (
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: demo}\n"
    "spec: {hostnames: [shop.test], rules: [{backendRefs: [{name: api, port: 8080}]}]}\n"
)
POLICY = (
    "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: demo}\n"
    "spec: {podSelector: {matchLabels: {app: SELECTED}}, ingress: [{from: [{podSelector: "
    "{matchLabels: {app: client}}}, {namespaceSelector: {matchLabels: {team: edge}}}]}]}\n"
)
CALLERS = {
    "policy": (
        POLICY.replace("SELECTED", "web") + env("x"),
        "Deployment.apps/demo/client (allowed by NetworkPolicy p), pods of namespaces with team=edge (allowed by Netw",
    ),
    "ingress": (ingress("shop.test"), "Ingress.networking.k8s.io/demo/front (shop.test)"),
    "route": (ROUTE, "HTTPRoute.gateway.networking.k8s.io/demo/r (shop.test)"),
    "monitor": (MONITOR, "ServiceMonitor.monitoring.coreos.com/demo/m (scrapes it)"),
    "url": (env("http://api:8080/x"), "Deployment.apps/demo/client ("),
    "host and port": (env("api:8080"), "Deployment.apps/demo/client ("),
    "whole name elsewhere": (env("http://api.demo.svc.cluster.local", "other"), "Deployment.apps/other/client ("),
    "user and host": (env("postgres://user@api/db"), "Deployment.apps/demo/client ("),
    "host of a connection": (env("host=api port=1"), "Deployment.apps/demo/client ("),
    "configuration": (config_of("http://api"), "ConfigMap/demo/conf (data.url) read by Deployment.apps/demo/reader"),
    "public host": (ingress("shop.test") + probe("https://shop.test/health"), "HttpProbe/up (spec.url)"),
}
NO_CALLERS = {
    "a policy of other pods": POLICY.replace("SELECTED", "other") + env("x"),
    "an image": env("x"),
    "a longer name": env("http://api-two:8080"),
    "another namespace": env("http://api:8080", "other"),
    "a word": env("the api of this"),
    "another port": env("api:9090"),
    "another service": ingress("shop.test", "other"),
    "a longer host": probe("https://api.demo2/x"),
}


def callers(before: str, after: str, tmp_path: Path) -> list[str]:
    """What is said of the callers of Deployment/web."""
    found = set_off_with_callers(before, after, tmp_path)
    return [one.text for one in found if one.kind is SideEffectKind.CALLERS and one.address.name == "web"]


@pytest.mark.parametrize("way", CALLERS)
def test_a_caller_is_named_with_the_way_by_which_it_is_known(way: str, tmp_path: Path) -> None:
    caller, words = CALLERS[way]
    [text] = callers(web("a:1") + caller, web("a:2") + caller, tmp_path)
    assert words in text


@pytest.mark.parametrize("way", NO_CALLERS)
def test_what_only_looks_like_a_caller_is_none(way: str, tmp_path: Path) -> None:
    [text] = callers(web("a:1") + NO_CALLERS[way], web("a:2") + NO_CALLERS[way], tmp_path)
    assert text.startswith("none is known") and "values of Secrets" in text


def test_of_a_restart_without_a_gap_nobody_is_no_news(tmp_path: Path) -> None:
    assert callers(web("a:1", ""), web("a:2", ""), tmp_path) == []
    [text] = callers(web("a:1", "") + CALLERS["url"][0], web("a:2", "") + CALLERS["url"][0], tmp_path)
    assert "client" in text


def test_a_workload_that_goes_has_callers_and_what_goes_with_it_is_none(tmp_path: Path) -> None:
    stays, goes = env("http://api:8080"), config_of("http://api")
    [text] = callers(web("a:1") + stays + goes, stays, tmp_path)
    assert "Deployment.apps/demo/client" in text and "conf" not in text
