"""The platform services (S19 to S22, A18) from empty to validated: in a sandbox, and on a real cluster."""

from __future__ import annotations

import http.server
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.e2e.local_volumes import add_local_volumes
from tests.e2e.observed_node import PROMETHEUS, copied_config
from tests.testbed import prometheus as testbed
from tests.testbed.cluster import TestCluster
from tests.testbed.fixtures import part
from tests.testbed.listening import http_listening
from tests.testbed.processes import free_ports
from tests.testbed.rest_server import rest_server

NAMESPACE = "platform-infra"
KEYS = {
    "SUB2API_ADMIN_TOKEN": "tok-canary-77",
    "SUB2API_TUNNEL_TOKEN": "tunnel-canary-77",
    "CODEX_ACCOUNT_1_KEY": "key-canary-71",
    "CODEX_ACCOUNT_2_KEY": "key-canary-72",
}


@dataclass(frozen=True)
class Platform:
    """A node of the product on one cluster; `folder` holds its copied configuration."""

    hwplan: Hwplan
    folder: Path
    node: str
    namespace: str = NAMESPACE

    @property
    def words(self) -> tuple[str, ...]:
        """What selects it."""
        return ("--config", str(self.folder / "config"), "--product", NAMESPACE, "--node", self.node)

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file of its configuration."""
        file = self.folder / "config" / NAMESPACE / f"{name}.yaml"
        text = file.read_text()
        assert old in text, old
        file.write_text(text.replace(old, new))

    def applied(self, *words: str) -> None:
        """Apply, and see that nothing is left to do."""
        self.hwplan("apply", *self.words, *words, "--timeout", "3m", "--confirm", "-q")
        self.hwplan.empty(*self.words, *words)


def _sandbox(folder: Path, node: str, replaced: dict[str, str]) -> Platform:
    config = copied_config(folder, replaced)
    words = ("--config", str(config), "--product", NAMESPACE, "--node", node)
    Hwplan(folder, ())("sandbox", "create", str(folder / "box"), *words)
    return Platform(Hwplan(folder, ("--live", str(folder / "box"))), folder, node)


def _real(folder: Path, node: str, cluster: TestCluster, replaced: dict[str, str], secrets: dict[str, str]) -> Platform:
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    for name, text in secrets.items():
        (keys / name).write_text(text)
        (keys / name).chmod(0o600)
    add_local_volumes(cluster.api(), 2)
    namespace = f"e-{uuid.uuid4().hex[:10]}"
    own = {f"~/.config/hwplan/secrets/{node}": str(keys), f"{{name: {NAMESPACE}": f"{{name: {namespace}"}
    copied_config(folder, {**own, **replaced})
    context = cluster.run_kubectl("config", "current-context").stdout.strip()
    where = ("--kubeconfig", str(cluster.kubeconfig), "--context", context, "--state", str(folder / "state.db"))
    return Platform(Hwplan(folder, where), folder, node, namespace)


@contextmanager
def _healthy() -> Iterator[int]:
    """A host that answers /health; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with http_listening(Handler) as port:
        yield port


def _stopped(platform: Platform) -> None:
    """S21: the collector is stopped by one field, and what it has written stays."""
    kept = {f"{kind}/{NAMESPACE}/{name}" for kind, name in (
        ("Secret", "wechat-archive"), ("ConfigMap", "wechat-archive"), ("PersistentVolumeClaim", "wechat-archive-data"),
    )}  # fmt: skip
    platform.edit("wechat-archive", "replicas: 1", "replicas: 0")
    words = (*platform.words, "--lane", "wechat-archive")
    plan, collector = platform.hwplan.plan(*words), f"Deployment.apps/{NAMESPACE}/wechat-archive-collector"
    assert changes(plan) == {collector: "update"}
    assert [(one["path"], one["after"]) for one in change_of(plan, collector)["fields"]] == [("spec.replicas", 0)]
    platform.applied("--lane", "wechat-archive")
    rows = platform.hwplan("state", "list", "--json", *platform.words[:2]).json["resources"]
    assert kept <= {row["address"] for row in rows}


def test_s21_wechat_archive_in_a_sandbox(tmp_path: Path) -> None:
    platform = _sandbox(tmp_path, "D601", {})
    plan = platform.hwplan.plan(*platform.words, "--lane", "wechat-archive", "--scope", "wechat-archive")
    assert f"Namespace/{NAMESPACE}" not in changes(plan), "createNamespace: false"
    platform.applied()
    _stopped(platform)


def test_s21_wechat_archive_on_a_real_cluster(tmp_path: Path, cluster: TestCluster) -> None:
    """createNamespace: false takes the namespace that is there, whoever made it."""
    api = cluster.api()
    with _healthy() as port:
        replaced = {"{host: 10.42.0.20, port: 10086}": f"{{host: 127.0.0.1, port: {port}}}"}
        secrets = {"wechat-archive.env": "WECHAT_ARCHIVE_TOKEN=canary-archive-7\n"}
        platform = _real(tmp_path, "D601", cluster, replaced, secrets)
        ns = platform.namespace
        api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})
        scopes = ("--lane", "wechat-archive", "--scope", "secrets", "--scope", "wechat-archive")
        platform.applied(*scopes)
        shown = platform.hwplan("status", *platform.words, "--lane", "wechat-archive", "--scope", "wechat-archive")
        assert "as declared" in shown.out and "blocker" not in shown.out
        platform.edit("wechat-archive", "replicas: 1", "replicas: 0")
        plan = platform.hwplan.plan(*platform.words, *scopes)
        assert changes(plan) == {f"Deployment.apps/{ns}/wechat-archive-collector": "update"}
        platform.applied(*scopes)
    for kind, name in (
        ("secrets", "wechat-archive"),
        ("configmaps", "wechat-archive"),
        ("persistentvolumeclaims", "wechat-archive-data"),
    ):
        assert api.get(f"/api/v1/namespaces/{ns}/{kind}/{name}")
    live = api.get(f"/api/v1/namespaces/{ns}")
    assert "hwplan.dev/set" not in (live["metadata"].get("labels") or {})


@pytest.mark.parametrize("world", ["simulated", "real"])
def test_s20_sub2api_with_its_codex_pool(tmp_path: Path, world: str, request: pytest.FixtureRequest) -> None:
    """S20: deployment, accounts behind the API, and the client's file with mode 0600; no key in any output."""
    api_url, file = "http://sub2api.platform-infra.svc:8080\n", "~/.codex/config.toml"
    with rest_server(token=KEYS["SUB2API_ADMIN_TOKEN"], masked=("api_key",)) as server:
        if world == "real":
            cluster: TestCluster = request.getfixturevalue("cluster")
            given = {"sub2api.env": "".join(f"{key}={value}\n" for key, value in KEYS.items())}
            replaced = {api_url: f"{server.url}\n", file: str(tmp_path / "codex" / "config.toml")}
            platform = _real(tmp_path, "G14", cluster, replaced, given)
            written = tmp_path / "codex" / "config.toml"
        else:
            platform = _sandbox(tmp_path, "G14", {})
        only = ("--lane", "sub2api") if world == "simulated" else ("--lane", "sub2api", "--lane", "observability")
        only = (*only, "--exclude", "PrometheusQuery/*")
        platform.applied(*only)
        if world == "real":
            assert sorted(one["name"] for one in server.objects("accounts")) == ["codex-1", "codex-2"]
            assert stat.S_IMODE(written.stat().st_mode) == 0o600
            assert 'model = "gpt-5-codex"' in written.read_text()
            assert not any(value in written.read_text() for value in KEYS.values())
            written.chmod(0o644)
            assert changes(platform.hwplan.plan(*platform.words, *only)) == {"LocalFile/codex-config": "update"}
            platform.applied(*only)
        platform.edit("sub2api", "concurrency: 8", "concurrency: 2")
        plan = platform.hwplan.plan(*platform.words, *only)
        assert changes(plan)["RestObject/codex-account-codex-1"] == "update"


def test_s19_observability_with_the_real_prometheus(tmp_path: Path, cluster: TestCluster) -> None:
    """S19, B22: what is applied is what a real Prometheus runs with; then queries, boundary and closeout hold."""
    (port,) = free_ports(1)
    with testbed.exporting() as exporter:
        exporter.text = 'egress_proxy_client_bytes_total{client="hwlab-ci"} 5\n'
        jobs = {'["127.0.0.1:9090"]': f'["127.0.0.1:{port}"]', '["10.42.0.1:9191"]': f'["127.0.0.1:{exporter.port}"]'}
        replaced = {PROMETHEUS: f"http://127.0.0.1:{port}", "interval: 15s": "interval: 1s", **jobs}
        platform = _real(tmp_path, "D601", cluster, replaced, {})
        node = ("--lane", "observability", "--lane", "egress-proxy")
        platform.hwplan(
            "apply", *platform.words, *node, "--exclude", "PrometheusQuery/*", "--timeout", "3m", "--confirm", "-q"
        )
        live = cluster.api().get(f"/api/v1/namespaces/{platform.namespace}/configmaps/prometheus-config")
        text = live["data"]["prometheus.yml"].replace("scrape_interval: 30s", "scrape_interval: 1s")
        with part(), testbed.running_with(tmp_path / "prometheus", text, port):
            platform.applied(*node)
            words = (*platform.words, *node)
            assert "2 of 2 targets are up" in platform.hwplan("observe", "boundary", *platform.words).out
            done = platform.hwplan("observe", "closeout", *words, "--every", "500ms").out
            assert "3 of 3 rounds in a row held · 3 of 3 queries hold" in done
            platform.hwplan("observe", "status", *words)
    platform.hwplan("observe", "closeout", *words, "--within", "1s", code=2)


def test_s19_observability_in_a_sandbox(tmp_path: Path) -> None:
    platform = _sandbox(tmp_path, "D601", {})
    platform.hwplan("observe", "apply", *platform.words, "--confirm", "-q", code=None)
    platform.applied()
    assert "3 of 3 rounds in a row held" in platform.hwplan("observe", "closeout", *platform.words, "--every", "0s").out
    platform.hwplan("observe", "status", *platform.words)
