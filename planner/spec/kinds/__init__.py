"""hwplan's own kinds: one explicit table kind -> model, read lazily so that a command pays for what it uses."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from planner.spec.kinds.envelope import KindModel

# kind -> module of its model; the model has the name of the kind.
TABLE: Final[dict[str, str]] = {
    "ArgoSync": "argo",
    "GitHead": "git",
    "GitHubComment": "github",
    "GitHubIssue": "github",
    "GitRef": "git",
    "HttpProbe": "probes",
    "LocalFile": "files",
    "ManifestSource": "sources",
    "PodExec": "runs",
    "PrometheusQuery": "probes",
    "PullRequest": "github",
    "RegistryImage": "registry",
    "RestObject": "rest",
    "Restart": "runs",
    "Retention": "runs",
    "SecretSource": "sources",
}


def model_of(kind: str) -> type[KindModel] | None:
    """The model of a hwplan kind, or None when there is no such kind here (planner.plugins may know it)."""
    module = TABLE.get(kind)
    if module is None:
        return None
    found: type[KindModel] = getattr(import_module(f"planner.spec.kinds.{module}"), kind)
    return found
