"""Open definitions for custom kinds that a sandbox must serve although their software is not installed in it.

A cluster that runs Tekton or Argo CD serves their kinds; a sandbox has neither. Each definition accepts any content:
lists are atomic, maps granular, as the API server treats what a schema leaves open. It vouches for no field.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from planner.values import JsonObject
from providers.kubernetes.object_location import is_crd, kinds_of_planned_crds
from providers.kubernetes.snapshot.builtin_kinds import builtin_kind_infos
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot

MANAGER = "sandbox"
SIMULATED = "hwplan.dev/simulated"  # annotation of what a sandbox made up


def add_permissive_crds(folder: Path, documents: Iterable[JsonObject]) -> int:
    """Add a definition for every custom kind among `documents` that nothing there defines; their number."""
    known = list(documents)
    served = {(kind.api_version, kind.kind) for kind in builtin_kind_infos()}
    served |= set(kinds_of_planned_crds(document for document in known if is_crd(document)))
    wanted: dict[tuple[str, str], bool] = {}
    for document in known:
        key = (str(document["apiVersion"]), str(document["kind"]))
        if key not in served and "." in key[0]:
            wanted[key] = wanted.get(key, False) or bool(document["metadata"].get("namespace"))
    cluster = open_snapshot(folder)
    for (api_version, kind), namespaced in sorted(wanted.items()):
        cluster.add(_definition(api_version, kind, namespaced), manager=MANAGER)
    return len(wanted)


def _definition(api_version: str, kind: str, namespaced: bool) -> JsonObject:
    group, _, version = api_version.partition("/")
    plural = _plural(kind.lower())
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": {SIMULATED: "open definition of a sandbox"}},
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced" if namespaced else "Cluster",
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}],
        },
    }


def _plural(word: str) -> str:
    """The plural as API authors form it: policies, classes, tasks."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")
