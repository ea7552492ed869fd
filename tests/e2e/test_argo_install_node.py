"""A node that hwplan installs Argo CD on: the official manifest by URL, its images copied first, its parts checked."""

from __future__ import annotations

import hashlib
import http.server
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan, changes
from tests.testbed import crds, listening

IMAGES = ("argo-cd-argocd", "argo-cd-dex", "argo-cd-redis")


class _Site(listening.HttpServer):
    """A web server with one manifest behind a redirect; `asked` are the paths of all requests."""

    manifest = b""

    def __init__(self, handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        super().__init__(handler)
        self.asked: list[str] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = b"" if self.path == "/latest" else self.server.manifest
        self.send_response(302 if self.path == "/latest" else 200)
        if not body:
            self.send_header("Location", "/install.yaml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[tuple[_Site, str]]:
    server = _Site(_Handler)
    server.manifest = crds.argo_install_manifest().read_bytes()
    with listening.running(server) as port:
        yield server, f"http://127.0.0.1:{port}/latest"


def _node(folder: Path, url: str, sha256: str, **changes: str) -> tuple[str, ...]:
    """A configuration whose D601 has its Argo CD installed; the words that select its infra scope."""
    shutil.copytree(REPOSITORY / "config", folder / "config")
    shutil.copytree(REPOSITORY / "templates", folder / "templates")
    file = folder / "config" / "hwlab-node-control-plane.yaml"
    head, mark, argo = file.read_text().partition("\n  argo:\n")
    assert mark
    lines = argo.splitlines(keepends=True)
    lines = [f"      url: {url}\n" if line.startswith("      url: https://raw.") else line for line in lines]
    lines = [f"      sha256: {sha256}\n" if line.startswith("      sha256:") else line for line in lines]
    argo = "".join(lines).replace("    managed: false\n", "    managed: true\n", 1)
    for text in changes.values():
        old, new = text.split("=>")
        assert old in argo
        argo = argo.replace(old, new, 1)
    file.write_text(head + mark + argo)
    return ("--config", str(folder / "config"), "--node", "D601", "--lane", "v03", "--scope", "infra")


@pytest.mark.timeout(600)
def test_it_is_fetched_once_planned_and_applied(tmp_path: Path, site: tuple[_Site, str]) -> None:
    server, url = site
    words = _node(tmp_path, url, hashlib.sha256(server.manifest).hexdigest())
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    plain = Hwplan(tmp_path, (), env)
    offline = plain("validate", *words)
    assert server.asked == [] and "was not fetched yet" in offline.out + offline.err
    plain("sandbox", "create", str(tmp_path / "box"), *words)
    assert server.asked == ["/latest", "/install.yaml"], "the digest is pinned, so once is enough"
    hwplan = Hwplan(tmp_path, ("--live", str(tmp_path / "box")), env)
    plan = hwplan.plan(*words)
    assert plan["blocked"] == []
    made = changes(plan)
    assert {f"RegistryImage/{name}" for name in IMAGES} <= made.keys()
    server_change = next(one for one in plan["changes"] if one["address"] == "Deployment.apps/argocd/argocd-server")
    assert "RegistryImage/argo-cd-argocd" in server_change["needs"]
    image = server_change["desired"]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.startswith("127.0.0.1:5000/hwlab/argocd:v3.2.11")
    hwplan("apply", *words, "--plan-id", plan["id"], "--confirm")
    hwplan.empty(*words)
    assert len(server.asked) == 2
    checked = plain("validate", *words)
    assert "not fetched" not in checked.out + checked.err


def test_what_the_manifest_lacks_is_named_with_its_line(tmp_path: Path, site: tuple[_Site, str]) -> None:
    server, url = site
    words = _node(
        tmp_path,
        url,
        hashlib.sha256(server.manifest).hexdigest(),
        crd="applications.argoproj.io,=>applications.argoproj.io, rollouts.argoproj.io,",
        workload="deployment/argocd-redis\n=>deployment/argocd-rediss\n",
        version="version: v3.2.11=>version: v3.9.9",
    )
    refused = Hwplan(tmp_path, (), {"XDG_CACHE_HOME": str(tmp_path / "cache")})(
        "sandbox", "create", str(tmp_path / "box"), *words, code=None
    )
    assert refused.code
    for text in (
        "the manifest has no CustomResourceDefinition rollouts.argoproj.io",
        "the manifest has no workload deployment/argocd-rediss",
        'did you mean "deployment/argocd-redis"?',
        "no workload of the manifest has an image of version v3.9.9: they have v3.2.11",
        "templates/hwlab/infra/50-installs.yaml.j2:",
    ):
        assert text in refused.err


def test_another_manifest_than_the_pinned_one_is_refused(tmp_path: Path, site: tuple[_Site, str]) -> None:
    words = _node(tmp_path, site[1], "a" * 64)
    refused = Hwplan(tmp_path, (), {"XDG_CACHE_HOME": str(tmp_path / "cache")})(
        "sandbox", "create", str(tmp_path / "box"), *words, code=None
    )
    assert refused.code and "is not the manifest that sha256 pins" in refused.err
    assert not list((tmp_path / "cache").rglob("*.yaml"))
