"""The kinds that CustomResourceDefinitions define, as the API server will serve them. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable

from planner.values import JsonObject
from providers.cluster_interface import ServedKubernetesKind

VERBS = frozenset({"create", "delete", "get", "list", "patch", "update", "watch"})


def custom_kinds(crds: Iterable[JsonObject]) -> tuple[ServedKubernetesKind, ...]:
    """Every served version of these CustomResourceDefinitions, the storage version of each kind first."""
    out: list[tuple[bool, ServedKubernetesKind]] = []
    for crd in crds:
        spec = crd.get("spec") or {}
        names = spec.get("names") or {}
        for version in spec.get("versions") or ():
            if version.get("served"):
                api_version = f"{spec.get('group')}/{version.get('name')}"
                namespaced = spec.get("scope") == "Namespaced"
                info = ServedKubernetesKind(
                    api_version, names.get("kind", ""), names.get("plural", ""), namespaced, VERBS
                )
                out.append((not version.get("storage"), info))
    return tuple(info for _, info in sorted(out, key=lambda pair: (pair[1].kind, pair[0], pair[1].api_version)))
