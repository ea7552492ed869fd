"""PipelineRun as the contract suite judges it: three runs on the real API server, whose tasks end when they may."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from planner.ports import Provider
from planner.resource import Resource
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.client.transport import RetryTimeLimits, Transport
from providers.kubernetes.operations.pipelinerun import PipelineRunProvider
from tests.contract.case import SECRET
from tests.contract.declared import VAULT, own
from tests.testbed.cluster import TestCluster
from tests.testbed.proxy import FaultProxy, Faults
from tests.testbed.tekton import Tekton
from tests.testbed.tekton_steps import Outcome, Step

_STEPS = [{"name": "run", "image": "registry.example/tools:1", "script": "true"}]
_SHORT = RetryTimeLimits(total=2.0, busy=0.5, unreachable=0.2)


class Pipelines:
    """Runs of one task each; the task prints the secret of the contract."""

    vault = VAULT

    def __init__(self, cluster: TestCluster, tekton: Tekton, namespace: str, proxy: FaultProxy) -> None:
        self._cluster, self._namespace, self._proxy = cluster, namespace, proxy
        self._may_end = threading.Event()
        self._opened: list[LiveCluster] = []
        tekton.enable(namespace, {"build": self._build})

    def _build(self, step: Step) -> Outcome:
        while not self._may_end.wait(0.1):
            if step.over.is_set():
                break
        return Outcome(log=f"{SECRET.decode()}\n")

    def provider(self) -> Provider:
        connection = resolve_connection_settings(str(self._cluster.through(self._proxy.port).kubeconfig), environ={})
        self._opened.append(LiveCluster(connection, transport=Transport(connection, patience=_SHORT)))
        return PipelineRunProvider(self._opened[-1])

    def close(self) -> None:
        """Let the tasks end, and close every connection."""
        self._may_end.set()
        for one in self._opened:
            one.close()

    def wanted(self) -> Sequence[Resource]:
        return [own("PipelineRun", f"r{n}", {"manifest": self._manifest(f"r{n}")}) for n in range(3)]

    def _manifest(self, name: str) -> dict[str, object]:
        spec = {"pipelineSpec": {"tasks": [{"name": "build", "taskSpec": {"steps": _STEPS}}]}}
        metadata = {"name": name, "namespace": self._namespace}
        return {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": metadata, "spec": spec}

    def fulfil(self) -> None:
        self._may_end.set()

    def state(self) -> object:
        found = self._cluster.api().get(f"/apis/tekton.dev/v1/namespaces/{self._namespace}/pipelineruns")
        return [one["metadata"]["uid"] for one in found["items"]]

    def break_it(self) -> None:
        self._proxy.faults = Faults(refuse=True)
        self._proxy.drop_connections()
