"""Objects that Helm made are adopted, and what `kubectl edit` changes is drift of its manager, on a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.hwplan import Hwplan
from tests.testbed.cluster import TestCluster

_OURS = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, namespace: default{marks}}}
data: {{level: info, mode: plain}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: default{marks}}}
spec: {{selector: {{app: shop}}, ports: [{{port: 80, name: http}}]}}
"""
_MARKS = (
    ", labels: {app.kubernetes.io/managed-by: Helm}"
    ", annotations: {meta.helm.sh/release-name: shop, meta.helm.sh/release-namespace: default}"
)


def _drifted(hwplan: Hwplan, words: tuple[str, ...], text: str) -> dict[str, dict[str, str]]:
    """Of each object that drifted: path of each field, and its manager."""
    rows = hwplan("drift", *words, "--json", stdin=text, code=None).json["objects"]
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        fields: list[Any] = [*row["fields"], *row["undeclared"]]
        if fields:
            found[row["address"]] = {one["path"]: one.get("manager", "") for one in fields}
    return found


def test_helm_to_hwplan_to_an_edit(
    real: Hwplan, api_server: TestCluster, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    charted = _OURS.format(name=unique, marks=_MARKS)
    made = api_server.run_kubectl("create", "--field-manager=helm", "-f", "-", stdin=charted)
    assert made.returncode == 0, made.stderr
    text, words = _OURS.format(name=unique, marks=""), ("-f", "-", "--name", unique)
    real("apply", *words, "--confirm", stdin=text)
    assert real("plan", *words, "--detailed-exitcode", stdin=text).code == 0, "the second plan is empty"
    marks = {
        "metadata.annotations[meta.helm.sh/release-name]": "helm",
        "metadata.annotations[meta.helm.sh/release-namespace]": "helm",
        "metadata.labels[app.kubernetes.io/managed-by]": "helm",
    }
    both = {f"ConfigMap/default/{unique}", f"Service/default/{unique}"}
    assert _drifted(real, words, text) == dict.fromkeys(both, marks), "what Helm wrote and nobody declares is its own"
    real("apply", *words, "--take-over", "helm", "--confirm", stdin=text)
    assert _drifted(real, words, text) == {}
    assert real("plan", *words, "--detailed-exitcode", stdin=text).code == 0

    editor = real.folder / "editor.sh"
    editor.write_text("#!/bin/sh\nsed -i 's/level: info/level: debug/; s/^  mode: plain/&\\n  extra: x/' \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("KUBE_EDITOR", str(editor))
    edited = api_server.run_kubectl("edit", "configmap", unique, "-n", "default")
    assert edited.returncode == 0, edited.stderr
    found = _drifted(real, words, text)
    assert found == {f"ConfigMap/default/{unique}": {"data.level": "kubectl-edit", "data.extra": "kubectl-edit"}}
