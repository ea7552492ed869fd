"""The CRDs that the testbed's pinned Go modules carry: Argo CD, kwok, Gateway API, Calico, volume snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.testbed import binaries

_FOLDERS = (
    (binaries.ARGOCD, "github.com/argoproj/argo-cd/v3", "manifests/crds"),
    (binaries.KWOK, "sigs.k8s.io/kwok", "kustomize/crd/bases"),
    (binaries.KUBERNETES, "k8s.io/kubernetes", "cluster/addons"),
    (binaries.KUBERNETES, "k8s.io/apiextensions-apiserver", "test/integration/ratcheting_test_cases/crds"),
)


def published_crds() -> dict[str, dict[str, Any]]:
    """Every v1 CRD in a file of its folder, by name; files that are no plain YAML (templates) are left out."""
    found: dict[str, dict[str, Any]] = {}
    for tool, module, folder in _FOLDERS:
        for path in sorted((binaries.module_folder(tool, module) / folder).rglob("*.yaml")):
            for document in _documents(path):
                if document.get("kind") == "CustomResourceDefinition" and document["apiVersion"].endswith("/v1"):
                    document.pop("status", None)
                    found.setdefault(document["metadata"]["name"], document)
    return found


def _documents(path: Path) -> Iterator[dict[str, Any]]:
    try:
        documents = list(YAML(typ="safe").load_all(path.read_text()))
    except YAMLError:
        return
    yield from (document for document in documents if isinstance(document, dict))
