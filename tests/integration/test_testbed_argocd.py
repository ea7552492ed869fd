"""The testbed's Argo CD is the real one: it reads the GitOps repository, syncs what it is asked to, and says so."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.testbed import processes
from tests.testbed.argocd import APPLICATIONS, ArgoCd
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.git_server import GitHttp

_BRANCH = "refs/heads/main"


def _settings(text: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{text: {text}}}\n"


def _sync(argo: ArgoCd, name: str, revision: str) -> None:
    operation = {"sync": {"revision": revision, "syncStrategy": {"hook": {}}}}
    argo.api.merge(f"{APPLICATIONS}/{name}", {"operation": operation})


def _synced(argo: ArgoCd, name: str, revision: str) -> Any:
    status = argo.application(name).get("status") or {}
    sync, health = status.get("sync") or {}, status.get("health") or {}
    reached = (sync.get("status"), sync.get("revision"), health.get("status")) == ("Synced", revision, "Healthy")
    return status if reached else None


@pytest.mark.timeout(300)
def test_a_commit_is_synced_and_the_next_one_is_noticed(argo: ArgoCd, gitops: GitHttp, namespace: str) -> None:
    repository = BareRepository.create(gitops.root / f"{uuid.uuid4().hex}.git")
    first = repository.write(_BRANCH, {"app/settings.yaml": _settings("one")})
    source = {"repoURL": gitops.url(repository.path.name), "path": "app", "targetRevision": "main"}
    argo.create(namespace, source, namespace)
    try:
        _sync(argo, namespace, first)
        status = processes.wait_until("the sync", lambda: _synced(argo, namespace, first))
        assert status["operationState"]["phase"] == "Succeeded"
        assert status["operationState"]["syncResult"]["revision"] == first
        settings = f"/api/v1/namespaces/{namespace}/configmaps/settings"
        assert argo.api.get(settings)["data"] == {"text": "one"}
        second = repository.write(_BRANCH, {"app/settings.yaml": _settings("two")})
        argo.api.merge(
            f"{APPLICATIONS}/{namespace}", {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
        )

        def noticed() -> bool:
            sync = argo.application(namespace)["status"]["sync"]
            return bool((sync["status"], sync["revision"]) == ("OutOfSync", second))

        processes.wait_until("the next commit is noticed", noticed)
        assert argo.api.get(settings)["data"] == {"text": "one"}
    finally:
        argo.delete(namespace)
