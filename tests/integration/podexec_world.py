"""A workload with pods on the real cluster, and a file in which commands in them leave a line for each time they ran.

kwok runs the commands on this machine: the file is the witness of what really happened.
"""

from __future__ import annotations

import shlex
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.contract.plan_and_apply import change_of_preview
from planner.events import ChangeResult
from planner.executor import ExecutionOptions
from planner.executor.apply_effect import ApplyFailure, apply_with_retries
from planner.plan import Change
from planner.ports import Observation, Preview, Written
from planner.resource import Resource
from planner.values import Vault
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.client.transport import RetryTimeLimits, Transport
from providers.kubernetes.operations.command_runners import PodCommandRunner
from providers.kubernetes.operations.podexec import PodExecProvider
from state.fingerprint import KeyedFingerprinter
from tests.contract.commands import command
from tests.testbed.cluster import TestCluster
from tests.unit.executor.executor_fakes import QuickClock
from tests.unit.kubernetes.world import deployment

WEB = "web"
_SHORT = RetryTimeLimits(total=10.0, busy=0.3, unreachable=0.1)


@dataclass
class Shop:
    """A Deployment `web` with one ready pod in a namespace of its own."""

    cluster: TestCluster
    namespace: str
    pod: str
    folder: Path
    witness: Path = field(init=False)

    def __post_init__(self) -> None:
        self.witness = self.folder / "runs"

    @property
    def count(self) -> str:
        """Shell words that leave a line in the witness."""
        return f"echo x >> {shlex.quote(str(self.witness))}"

    def runs(self) -> int:
        """How often a command ran."""
        return len(self.witness.read_text().splitlines()) if self.witness.exists() else 0

    def wait_for_runs(self, number: int) -> None:
        """Wait until a command has run so often."""
        end = time.monotonic() + 20
        while self.runs() < number:
            assert time.monotonic() < end, "the command did not begin"
            time.sleep(0.01)

    def fresh(self, folder: Path) -> Shop:
        """The same workload with an empty witness."""
        return Shop(self.cluster, self.namespace, self.pod, folder)

    def provider(self, server: TestCluster | None = None) -> PodExecProvider:
        """The provider of a new command: it remembers nothing. `server` is the cluster behind a proxy."""
        connection = resolve_connection_settings(str((server or self.cluster).kubeconfig), environ={})
        live = LiveCluster(
            connection, transport=Transport(connection, patience=_SHORT if server else RetryTimeLimits())
        )
        return PodExecProvider(live, PodCommandRunner(live), KeyedFingerprinter(bytes(32)), sleep=lambda _seconds: None)

    def wanted(self, script: str, key: Any = "sha256:1", **spec: Any) -> Resource:
        """A command for a key, of a name that no other test uses."""
        target = f"Deployment.apps/{self.namespace}/{WEB}"
        words = spec.pop("command", ["sh", "-c", script])
        return command(f"migrate-{uuid.uuid4().hex[:8]}", spec.pop("target", target), words, key, **spec)

    def marks(self) -> list[dict[str, Any]]:
        """All marks of the namespace."""
        listed = self.cluster.api().get(f"/api/v1/namespaces/{self.namespace}/configmaps")["items"]
        return [one for one in listed if (one["metadata"].get("labels") or {}).get("hwplan.dev/record") == "pod-exec"]

    def mark_of(self, wanted: Resource) -> dict[str, Any]:
        """The one mark of a command."""
        (found,) = [one for one in self.marks() if one["data"]["exec"] == str(wanted.address)]
        return found


def look(provider: PodExecProvider, wanted: Resource) -> tuple[Observation, Preview]:
    """A plan of one command."""
    seen = provider.read([wanted], (), ()).observations[wanted.address]
    return seen, provider.preview([(wanted, seen)])[wanted.address]


def planned(provider: PodExecProvider, wanted: Resource) -> Change:
    """The change that a plan makes of it."""
    made = change_of_preview(wanted, *look(provider, wanted))
    assert made is not None
    return made


def apply(provider: PodExecProvider, change: Change, vault: Vault | None = None) -> Written | ApplyFailure:
    """As the executor does it, with its retries."""
    return apply_with_retries(change, provider, vault or {}, QuickClock(), ExecutionOptions())


def ended(outcome: Written | ApplyFailure) -> ChangeResult:
    """The result that the executor makes of it."""
    if isinstance(outcome, ApplyFailure):
        return outcome.result
    return ChangeResult.UNCHANGED if outcome.already else ChangeResult.DONE


@contextmanager
def shop_of(cluster: TestCluster) -> Iterator[Shop]:
    """Make the workload and wait for its pod."""
    api, namespace = cluster.api(), f"shop-{uuid.uuid4().hex[:10]}"
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    with tempfile.TemporaryDirectory() as folder:
        try:
            body = deployment(WEB, namespace, replicas=1)
            api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", body)
            yield Shop(cluster, namespace, _ready_pod(cluster, namespace), Path(folder))
        finally:
            api.delete(f"/api/v1/namespaces/{namespace}")


def _ready_pod(cluster: TestCluster, namespace: str) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for pod in cluster.api().get(f"/api/v1/namespaces/{namespace}/pods")["items"]:
            conditions = pod["status"].get("conditions") or ()
            if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
                return str(pod["metadata"]["name"])
        time.sleep(0.05)
    raise AssertionError("no pod became ready")
