"""Published manifests: fetched once for each digest, checked against what is declared, their images copied first."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from planner.errors import TemporaryError
from planner.graph import build_graph
from planner.loading.config import load_config
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.manifests.manifest_source import ManifestExpansionContext, expand_manifest_source
from planner.loading.resource_collector import ResourceCollector
from planner.spec.kinds.secret_and_manifest_sources import ManifestSource
from planner.spec.node import NodeConfig
from tests.unit.loading.fakes import KeyedFingerprinter

URL = "https://a.example/install.yaml"
DIGEST = "sha256:" + "c" * 64
MANIFEST = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: server, namespace: argocd}}
spec:
  template:
    spec:
      initContainers: [{{name: copy, image: "quay.io/argoproj/argocd:v3.2.11"}}]
      containers:
        - {{name: main, image: "quay.io/argoproj/argocd:v3.2.11"}}
        - {{name: by-digest, image: "quay.io/argoproj/argocd@{DIGEST}"}}
        - {{name: redis, image: "docker.io/library/redis:8@{DIGEST}"}}
        - {{name: other, image: "ghcr.io/foreign/thing:1"}}
"""
RULES = [
    {"from": "quay.io/argoproj/argocd", "to": "127.0.0.1:5000/hwlab/argocd"},
    {"from": "docker.io/library/redis", "to": "127.0.0.1:5000/hwlab/redis"},
    {"from": "ghcr.io/foreign/thing", "to": "mirror.example/thing"},
]


@pytest.fixture
def node() -> NodeConfig:
    return load_config(Path(__file__).parents[3] / "config").nodes["D601"].spec


def expanded(
    folder: Path, node: NodeConfig, asked: list[str], data: bytes = MANIFEST.encode(), **spec: Any
) -> ResourceCollector:
    def fetch(url: str) -> bytes:
        asked.append(url)
        return data

    pinned = hashlib.sha256(MANIFEST.encode()).hexdigest()
    document = {
        "apiVersion": "hwplan.dev/v1",
        "kind": "ManifestSource",
        "metadata": {"name": "argo-cd"},
        "spec": {"url": URL, "sha256": pinned, "images": RULES, **spec},
    }
    intake = ResourceCollector(KeyedFingerprinter())
    origin = DocumentOrigin(DocumentText("t.yaml.j2", "a: 1\n"), 0, 1)
    context = ManifestExpansionContext(folder, node, fetch, folder / "cache")
    source = ManifestSource.model_validate(document)
    expand_manifest_source(source, origin, intake, context, owned_by="set", scope="infra", node_lane="")
    return intake


def test_it_is_fetched_once_and_a_damaged_copy_is_fetched_again(tmp_path: Path, node: NodeConfig) -> None:
    asked: list[str] = []
    for _ in range(2):
        assert len(expanded(tmp_path, node, asked).resources) == 4
    assert asked == [URL]
    [stored] = (tmp_path / "cache").glob("*.yaml")
    stored.write_bytes(b"kind: Other\n")
    assert len(expanded(tmp_path, node, asked).resources) == 4 and asked == [URL, URL]


def test_other_bytes_than_the_pinned_ones_are_neither_used_nor_retained(tmp_path: Path, node: NodeConfig) -> None:
    intake = expanded(tmp_path, node, [], data=MANIFEST.replace("server", "evil").encode())
    [problem] = intake.problems.found
    assert "is not the manifest that sha256 pins" in problem.message and not intake.resources
    assert not list(tmp_path.rglob("*.yaml"))


def test_images_of_the_nodes_registry_are_copied_before_the_workload(tmp_path: Path, node: NodeConfig) -> None:
    intake = expanded(tmp_path, node, [])
    assert not intake.problems.found
    images = {
        one.manifest["spec"]["target"]: one for one in intake.resources.values() if one.address.kind != "Deployment"
    }
    assert {target: one.manifest["spec"]["source"] for target, one in images.items()} == {
        "127.0.0.1:5000/hwlab/argocd:v3.2.11": "quay.io/argoproj/argocd:v3.2.11",
        "127.0.0.1:5000/hwlab/argocd:sha256-cccccccccccc": f"quay.io/argoproj/argocd@{DIGEST}",
        "127.0.0.1:5000/hwlab/redis:8": f"docker.io/library/redis:8@{DIGEST}",
    }
    assert [one.manifest["spec"].get("platforms") for one in images.values()] == [None, ["all"], ["all"]]
    graph = build_graph(list(intake.resources.values()))
    [workload] = [address for address in intake.resources if address.kind == "Deployment"]
    assert set(graph.upstream([workload])) == set(intake.resources), "all three come first"
    assert len({one.address for one in images.values()}) == 3


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ({"crds": ["a.example"]}, "the manifest has no CustomResourceDefinition a.example"),
        ({"workloads": ["deployment/serve"]}, "the manifest has no workload deployment/serve"),
        ({"version": "v3.2.1"}, "no workload of the manifest has an image of version v3.2.1: they have v3.2.11, 8, 1"),
    ],
)
def test_what_it_has_to_hold_is_checked(expect: dict[str, Any], message: str, tmp_path: Path, node: NodeConfig) -> None:
    [problem] = expanded(tmp_path, node, [], expect=expect).problems.found
    assert problem.message == message and problem.suggestion and problem.source.file == "t.yaml.j2"


def test_what_holds_is_no_problem(tmp_path: Path, node: NodeConfig) -> None:
    expect = {"workloads": ["deployment/server"], "version": "3.2.11"}
    assert not expanded(tmp_path, node, [], expect=expect).problems.found


def test_a_source_that_does_not_answer_is_named(tmp_path: Path, node: NodeConfig) -> None:
    class Gone(list[str]):
        def append(self, url: str) -> None:
            raise TemporaryError("no whole answer")

    [problem] = expanded(tmp_path, node, Gone()).problems.found
    assert problem.message == f"{URL} cannot be fetched: no whole answer" and "file" in problem.suggestion
