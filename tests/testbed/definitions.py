"""CustomResourceDefinitions that tests and benchmarks make up."""

from __future__ import annotations

from planner.values import JsonObject


def definition_of(group: str, kind: str, plural: str, schema: JsonObject) -> JsonObject:
    """The definition of a namespaced kind with one version, v1, of this structural schema."""
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": names,
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
