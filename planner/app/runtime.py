"""The outside world of one command: the cluster, the providers, the state. Opened here and nowhere else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from planner.app.request import Request
from planner.app.snapshot_records import is_saved_snapshot, open_snapshot_record_provider
from planner.dataclass import dataclass
from planner.errors import HwplanError, SelectionError, StateError
from planner.plan import ClusterIdentity
from providers.cluster_interface import Cluster
from providers.kubernetes.live_secret_reader import reader_of_live_secrets
from providers.kubernetes.provider import KubernetesProvider
from providers.kubernetes.snapshot.folder_layout import CLUSTER_FOLDER
from providers.provider_table import ProviderTable
from providers.provider_tools import ProviderTools
from state.state_store import StateStore

if TYPE_CHECKING:
    from planner.loading.secrets.secret_reader import SecretReader


_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class SystemClock:
    """The clock of real runs."""

    def now(self) -> str:
        """UTC, milliseconds."""
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Runtime:
    """The outside world that a command may touch: cluster, providers, state, clock. `sandbox` is the folder of a
    sandbox, when the world is one."""

    cluster: Cluster
    kubernetes: KubernetesProvider
    providers: ProviderTable
    store: StateStore
    clock: SystemClock
    sandbox: Path | None

    def identity(self) -> ClusterIdentity:
        """Which cluster this is."""
        return self.kubernetes.identity()


@contextmanager
def open_runtime(request: Request, reader: SecretReader, store: StateStore, *, context: str = "") -> Iterator[Runtime]:
    """Open the runtime: cluster, providers and clock that `request` names. `context` is the one that the
    configuration gives to the node.

    `reader` reads the sources of secrets; here it learns to read live Secrets as well.
    """
    cluster = open_cluster(request, context)
    secrets = replace(reader, kubernetes=reader_of_live_secrets(cluster))
    fingerprinter = store.fingerprinter()
    kubernetes = KubernetesProvider(
        cluster,
        fingerprinter=fingerprinter,
        secrets=secrets,
        default_namespace=request.namespace,
        parallelism=request.parallelism,
        dry_creates=request.dry_creates,
    )
    sandbox = sandbox_folder_of_request(request)
    tools = ProviderTools(kubernetes, cluster, fingerprinter, secrets, request.config, sandbox)
    recorded = open_snapshot_record_provider(request.live) if is_saved_snapshot(request.live) else None
    providers = ProviderTable(tools, recorded)
    yield Runtime(cluster, kubernetes, providers, store, SystemClock(), sandbox)


def context_namespace(kubeconfig: str, context: str) -> str:
    """The namespace of the selected context. "default" where there is none; opening the cluster says what is wrong."""
    from providers.kubernetes.client.kubeconfig import namespace_of_context

    try:
        return namespace_of_context(kubeconfig, context)
    except HwplanError:
        return "default"


def open_cluster(request: Request, context: str = "") -> Cluster:
    """The cluster that is asked about: a snapshot when `--live` names one, else the one of the kubeconfig."""
    if request.live is not None:
        from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot

        return open_snapshot(snapshot_objects_folder(request.live))
    from providers.kubernetes.client.kubeconfig import resolve_connection_settings
    from providers.kubernetes.client.live_cluster import LiveCluster

    connection = resolve_connection_settings(request.kubeconfig, request.context or context)
    return LiveCluster(connection, parallelism=request.parallelism)


def snapshot_objects_folder(live: Path) -> Path:
    """The folder or file of the live objects that `--live` names: a sandbox keeps them in its `cluster` folder.
    Raises SelectionError for a missing path."""
    if not live.exists():
        raise SelectionError(
            f"{live} does not exist",
            where="--live",
            remedy=f"make one: hwplan sandbox create {live}, or hwplan snapshot",
        )
    inner = live / CLUSTER_FOLDER
    return inner if inner.is_dir() else live


def sandbox_folder_of_request(request: Request) -> Path | None:
    """The folder of the sandbox that `--live` names, or None. A saved snapshot is none."""
    return None if is_saved_snapshot(request.live) else request.live


def open_state_store(request: Request) -> StateStore:
    """Open the state: --state or HWPLAN_STATE, the sandbox's own, or `.hwplan/state.db` here."""
    folder = state_folder(request)
    return StateStore.open(Path(request.state) if request.state else folder / "state.db")


def state_folder(request: Request) -> Path:
    """The folder of the state, for what is retained beside it. Raises StateError for a URL: a state is a file here."""
    if _URL.match(request.state):  # it may hold a password, and as a path it would make folders of that name
        raise StateError(
            "the state is a file, and a URL of a database is not supported",
            where="--state or HWPLAN_STATE",
            remedy="name a file on a local disk, such as .hwplan/state.db",
        )
    return Path(request.state).parent if request.state else (sandbox_folder_of_request(request) or Path()) / ".hwplan"
