"""hwplan's own kinds: one explicit table kind -> model, read lazily so that a command pays for what it uses."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # pydantic takes longer to import than a plan without hwplan kinds to make
    from planner.spec.kinds.envelope import KindModel

# kind -> module of its model; the model has the name of the kind.
TABLE: Final[dict[str, str]] = {
    "ArgoRepair": "argo",
    "ArgoSync": "argo",
    "GitCommit": "git_commit",
    "GitHead": "git",
    "GitHubComment": "github",
    "GitHubIssue": "github",
    "GitHubStatus": "github",
    "GitRef": "git",
    "HttpProbe": "probes",
    "LocalFile": "files",
    "ManifestSource": "secret_and_manifest_sources",
    "PipelineRun": "tekton",
    "PodExec": "pod_exec_restart_retention",
    "PrometheusQuery": "probes",
    "PullRequest": "github",
    "RegistryImage": "registry_image",
    "RestObject": "rest",
    "Restart": "pod_exec_restart_retention",
    "Retention": "pod_exec_restart_retention",
    "SecretSource": "secret_and_manifest_sources",
}

# Kinds whose outputs come from an effect of their own: a merge, an answer of another system, a run. Whoever takes them
# is approved by the name of the output. The outputs of other hwplan kinds (a commit, an image's digest) are content
# that was read, and an approval is of that very content (docs/adr/0030).
MAKERS: Final = frozenset({"ArgoSync", "GitHubComment", "GitHubIssue", "PodExec", "PullRequest", "RestObject"})


def builtin_model_of_kind(kind: str) -> type[KindModel] | None:
    """The model of a hwplan kind, or None when there is no such kind here (planner.plugins may know it)."""
    module = TABLE.get(kind)
    if module is None:
        return None
    found: type[KindModel] = getattr(import_module(f"planner.spec.kinds.{module}"), kind)
    return found
