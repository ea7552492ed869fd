"""Hwplan's ArgoSync on the real Argo CD: an Application of a GitOps repository, plans, and runs of them."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from planner.contract.plan_and_apply import apply_changes_until_stopped, change_of_preview
from planner.events import Event
from planner.executor import RunResult
from planner.plan import Change
from planner.ports import Preview, Provider
from planner.resource import Resource
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.operations.argosync import ArgoSyncProvider
from providers.redacting_provider import RedactingProvider
from tests.contract.declared import own
from tests.testbed.argocd import APPLICATIONS, ArgoCd
from tests.testbed.cluster import TestCluster
from tests.testbed.git_fixtures import BareRepository

BRANCH = "refs/heads/main"


def settings(text: str) -> dict[str, str]:
    """Files of an application that is healthy as soon as it is there."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"text": text}}
    return {"app/settings.yaml": json.dumps(body)}


def deployment(pod: str = "") -> dict[str, str]:
    """Files of an application with a workload; `pod` says what becomes of its pods (kwok)."""
    labels = {"app": "web", **({"testbed.hwplan/pod": pod} if pod else {})}
    container = {"name": "web", "image": "registry.example/web:1"}
    spec = {
        "replicas": 1,
        "progressDeadlineSeconds": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    return {"app/web.yaml": json.dumps(body)}


@dataclass
class App:
    """An Application and its repository; both have the name of the namespace that it goes to."""

    argo: ArgoCd
    repository: BareRepository
    name: str
    opened: list[LiveCluster] = field(default_factory=list)

    def provider(self, cluster: TestCluster | None = None) -> Provider:
        """The provider of a new command."""
        live = LiveCluster(resolve_connection_settings(str((cluster or self.argo.cluster).kubeconfig), environ={}))
        self.opened.append(live)
        return RedactingProvider(ArgoSyncProvider(live, self._contains))

    def _contains(self, _history: Any, ancestor: str, descendant: str) -> bool:
        """What providers.git.commit_ancestry answers, without a cache."""
        words = ("merge-base", "--is-ancestor", ancestor, descendant)
        return subprocess.run(["git", "-C", str(self.repository.path), *words], check=False).returncode == 0

    def close(self) -> None:
        """Close all connections and delete the Application."""
        for one in self.opened:
            one.close()
        self.argo.delete(self.name)

    def push(self, files: dict[str, str]) -> str:
        """Commit files to the branch that is followed."""
        return self.repository.write(BRANCH, files)

    def wanted(self, revision: str | None = None, **more: Any) -> Resource:
        """A resource that asks for a revision."""
        spec: dict[str, Any] = {"application": self.name, **more}
        return own("ArgoSync", self.name, spec | ({"revision": revision} if revision else {}))

    def plan(self, resource: Resource) -> tuple[Preview, Change | None]:
        """What a plan says of it, and the change that it makes of that."""
        provider = self.provider()
        seen = provider.read([resource], (), ()).observations[resource.address]
        preview = provider.preview([(resource, seen)])[resource.address]
        return preview, change_of_preview(resource, seen, preview)

    def sync(
        self,
        revision: str | None = None,
        *,
        wait: float = 60.0,
        until: Callable[[Event], bool] = lambda _event: False,
        change: Change | None = None,
        cluster: TestCluster | None = None,
    ) -> RunResult:
        """Plan (unless a change is given) and carry out, as `hwplan apply` does."""
        made = change or self.plan(self.wanted(revision))[1]
        assert made is not None
        return apply_changes_until_stopped([replace(made, wait_seconds=wait)], self.provider(cluster), {}, until)

    def live(self) -> Any:
        """The Application as it is."""
        return self.argo.application(self.name)

    def ask(self, revision: str) -> None:
        """Somebody else asks for a sync."""
        operation = {"sync": {"revision": revision, "syncStrategy": {"hook": {}}}}
        self.argo.api.merge(f"{APPLICATIONS}/{self.name}", {"operation": operation})

    def wait_for(self, check: Callable[[Any], bool], seconds: float = 45.0) -> Any:
        """Wait until the Application is so."""
        end = time.monotonic() + seconds
        while not check(live := self.live()):
            assert time.monotonic() < end, live.get("status")
            time.sleep(0.1)
        return live
