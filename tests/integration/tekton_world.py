"""Hwplan's PipelineRun on a real API server with Tekton (or its stand-in): resources, plans, and runs of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from planner.contract.plan_and_apply import apply_changes_until_stopped, change_of_preview
from planner.events import ChangeEnded, ChangeWaiting, Event
from planner.executor import RunResult
from planner.plan import Change
from planner.ports import Preview, Provider
from planner.resource import Resource
from planner.values import JsonObject
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.operations.pipelinerun import PipelineRunProvider
from providers.redacting_provider import RedactingProvider
from tests.contract.declared import own
from tests.testbed.api import Api
from tests.testbed.cluster import TestCluster

STEPS = [{"name": "run", "image": "registry.example/tools:1", "script": "true"}]


def task(name: str, *, results: tuple[str, ...] = (), params: dict[str, str] | None = None, **more: Any) -> JsonObject:
    """A task of a pipeline, with its spec in it."""
    spec = {
        "steps": STEPS,
        "results": [{"name": one} for one in results],
        "params": [{"name": one} for one in params or {}],
    }
    given = [{"name": key, "value": value} for key, value in (params or {}).items()]
    return {"name": name, "taskSpec": spec, "params": given, **more}


@dataclass
class Runs:
    """PipelineRuns in a namespace. Each provider remembers nothing of those before."""

    cluster: TestCluster
    namespace: str
    opened: list[LiveCluster] = field(default_factory=list)

    @property
    def api(self) -> Api:
        """A client that is not hwplan's."""
        return self.cluster.api()

    def provider(self, cluster: TestCluster | None = None) -> Provider:
        """The provider of a new command, on this cluster or on one as seen through a proxy."""
        live = LiveCluster(resolve_connection_settings(str((cluster or self.cluster).kubeconfig), environ={}))
        self.opened.append(live)
        return RedactingProvider(PipelineRunProvider(live))

    def close(self) -> None:
        """Close all connections."""
        for one in self.opened:
            one.close()

    def wanted(self, tasks: list[JsonObject], *, name: str = "run", pipeline: Any = None, **spec: Any) -> Resource:
        """A resource that asks for a run of these tasks."""
        manifest = {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": {"name": name, "namespace": self.namespace, **spec.pop("metadata", {})},
            "spec": {"pipelineSpec": {"tasks": tasks, **(pipeline or {})}, **spec.pop("run", {})},
        }
        return own("PipelineRun", name, {"manifest": manifest, **spec})

    def plan(self, resource: Resource) -> tuple[Preview, Change | None]:
        """What a plan says of it, and the change that it makes of that."""
        provider = self.provider()
        seen = provider.read([resource], (), ()).observations[resource.address]
        preview = provider.preview([(resource, seen)])[resource.address]
        return preview, change_of_preview(resource, seen, preview)

    def change(self, resource: Resource) -> Change:
        """The change of a resource that has one."""
        preview, change = self.plan(resource)
        assert change is not None, preview
        return change

    def apply(
        self,
        resource: Resource,
        *,
        until: Callable[[Event], bool] = lambda _event: False,
        wait: float = 60.0,
        provider: Provider | None = None,
    ) -> RunResult:
        """Plan and carry out, as `hwplan apply` does."""
        return self.carry_out(self.change(resource), until=until, wait=wait, provider=provider)

    def carry_out(
        self,
        change: Change,
        *,
        until: Callable[[Event], bool] = lambda _event: False,
        wait: float = 60.0,
        provider: Provider | None = None,
    ) -> RunResult:
        """Carry out one change with that many seconds to wait for its end."""
        return apply_changes_until_stopped([replace(change, wait_seconds=wait)], provider or self.provider(), {}, until)

    def live(self, name: str = "run") -> Any:
        """The run as it is in the cluster."""
        return self.api.get(f"/apis/tekton.dev/v1/namespaces/{self.namespace}/pipelineruns/{name}")

    def all(self) -> list[Any]:
        """All runs in the namespace."""
        found: list[Any] = self.api.get(f"/apis/tekton.dev/v1/namespaces/{self.namespace}/pipelineruns")["items"]
        return found


@dataclass
class Heard:
    """What was said while something was waited for; it never asks to stop."""

    waits: list[str] = field(default_factory=list)

    def __call__(self, event: Event) -> bool:
        """Take one event."""
        if isinstance(event, ChangeWaiting):
            self.waits.append(event.message)
        return False


def end_of(result: RunResult) -> ChangeEnded:
    """How the only change ended."""
    (ended,) = result.outcomes.values()
    return ended


def outputs_of(result: RunResult) -> JsonObject:
    """The outputs of the only change."""
    (outputs,) = result.outputs.values()
    return outputs
