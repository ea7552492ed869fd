"""ManifestSource: pins, rewritten images and namespaces."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.manifests.manifest_source import ManifestExpansionContext, expand_manifest_source, rewrite_images
from planner.loading.resource_collector import ResourceCollector
from planner.spec.images import ImageRewrite
from planner.spec.kinds.secret_and_manifest_sources import ManifestSource
from tests.unit.loading.fakes import KeyedFingerprinter

RULES = (ImageRewrite.model_validate({"from": "quay.io/argoproj/argocd", "to": "127.0.0.1:5000/argocd"}),)
MANIFEST = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: controller, namespace: argocd}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: repo-server}
spec:
  template:
    spec:
      initContainers: [{name: copy, image: "quay.io/argoproj/argocd:v3"}]
      containers:
        - {name: main, image: "quay.io/argoproj/argocd@sha256:%s"}
        - {name: dex, image: "ghcr.io/dexidp/dex:v2"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: controller}
subjects:
  - {kind: ServiceAccount, name: controller, namespace: argocd}
  - {kind: ServiceAccount, name: foreign, namespace: kube-system}
""" % ("a" * 64)


def expanded(tmp_path: Path, **changes: Any) -> ResourceCollector:
    (tmp_path / "m.yaml").write_text(MANIFEST)
    spec = {
        "file": "m.yaml",
        "sha256": hashlib.sha256(MANIFEST.encode()).hexdigest(),
        "namespace": "argo",
        "images": [{"from": "quay.io/argoproj/argocd", "to": "127.0.0.1:5000/argocd"}],
        **changes,
    }
    document = {"apiVersion": "hwplan.dev/v1", "kind": "ManifestSource", "metadata": {"name": "m"}, "spec": spec}
    intake = ResourceCollector(KeyedFingerprinter())
    origin = DocumentOrigin(DocumentText("t.yaml.j2", "a: 1\n"), 0, 1)
    source = ManifestSource.model_validate(document)
    context = ManifestExpansionContext(tmp_path, cache=tmp_path / "c")
    expand_manifest_source(source, origin, intake, context, owned_by="set", scope="infra", node_lane="")
    return intake


def test_documents_come_out_moved_and_rewritten(tmp_path: Path) -> None:
    intake = expanded(tmp_path)
    assert not intake.problems.found
    found = {address.kind: resource for address, resource in intake.resources.items()}
    assert found["ServiceAccount"].address.namespace == "argo"
    pod = found["Deployment"].manifest["spec"]["template"]["spec"]
    assert found["Deployment"].address.namespace == "argo"
    assert pod["initContainers"][0]["image"] == "127.0.0.1:5000/argocd:v3"
    assert pod["containers"][0]["image"] == "127.0.0.1:5000/argocd@sha256:" + "a" * 64
    assert pod["containers"][1]["image"] == "ghcr.io/dexidp/dex:v2"
    assert [one["namespace"] for one in found["ClusterRoleBinding"].manifest["subjects"]] == ["argo", "kube-system"]
    assert found["ClusterRoleBinding"].address.namespace == ""
    assert found["Deployment"].source.line == 5
    assert {one.owned_by for one in found.values()} == {"set"}


@pytest.mark.parametrize(
    "changes", [{"sha256": "0" * 64}, {"file": "none.yaml"}, {"file": None, "git": "https://a.example/m.git"}]
)
def test_what_does_not_fit_the_pin_is_a_problem(changes: dict[str, Any], tmp_path: Path) -> None:
    intake = expanded(tmp_path, **changes)
    assert len(intake.problems.found) == 1
    assert not intake.resources


def test_what_was_not_fetched_yet_is_a_warning_where_nothing_may_be_fetched(tmp_path: Path) -> None:
    intake = expanded(tmp_path, file=None, url="https://a.example/m")
    assert not intake.problems.found and not intake.resources
    assert intake.warnings == ["https://a.example/m was not fetched yet: what it declares is not looked at here"]


def test_only_whole_repositories_are_rewritten() -> None:
    pod = {
        "containers": [{"image": "quay.io/argoproj/argocd-extra:1"}, {"image": "localhost:5000/argocd"}, {"name": "x"}]
    }
    assert rewrite_images(pod, RULES) == pod
