"""The one interface to a cluster: answered by a live API server (live_cluster.py) or by a snapshot of one (snapshot/).

Everything that the Kubernetes provider does goes through it, so that a plan without credentials and the quick start
run the very same code. Documents are plain dictionaries as they come from the wire; Secrets in documents given to a
*snapshot* cluster hold fingerprints instead of values. Failures are the errors of providers.kubernetes.errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol, TypeAlias

from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.plan import ClusterIdentity
from planner.values import JsonObject

FIELD_MANAGER = "hwplan"
OPERATOR_MANAGER = "hwplan-op"  # for imperative patches (cancel, refresh): never part of what we declare


@dataclass(frozen=True, slots=True, order=True)
class ServedKubernetesKind:
    """A kind that a Kubernetes server serves: how it is addressed and which verbs it allows. `api_version` is
    `group/version` or `v1`."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class KubernetesListScope:
    """The scope of one LIST request: a Kubernetes kind in one namespace, or everywhere ("" : cluster-scoped, or all
    namespaces)."""

    kind: ServedKubernetesKind
    namespace: str


EXEC_OUTPUT = 64 << 10  # bytes of a command's output that are retained, the last ones


@dataclass(frozen=True, slots=True)
class EndedCommand:
    """A command that ended in a container: its exit code; `output` is what it wrote last to stdout and stderr, in the
    order of arrival; `cut` is how many bytes before that are not retained."""

    exit_code: int
    output: bytes = field(default=b"", repr=False)
    cut: int = 0


Keep: TypeAlias = Callable[[JsonObject], bool]
Listing: TypeAlias = Mapping[KubernetesListScope, "tuple[JsonObject, ...] | ProviderError"]


class Cluster(Protocol):
    """A Kubernetes cluster, live or saved: reads, applies, patches and deletes objects. Threads may share it."""

    @property
    def simulated(self) -> bool:
        """True for a snapshot: every output says so, and nothing it answers counts as verified by a server."""
        ...

    def identity(self) -> ClusterIdentity:
        """Uid of kube-system, name of the server, and whether it is simulated."""
        ...

    def kind(self, api_version: str, kind: str) -> ServedKubernetesKind | None:
        """The served kind, or None when the cluster does not serve it (its CRD is absent). Discovery is read once and
        again only when an unknown kind is asked for after a CRD was applied."""
        ...

    def kinds(self) -> Sequence[ServedKubernetesKind]:
        """Every served kind, preferred versions first."""
        ...

    def list(self, places: Sequence[KubernetesListScope], keep: Keep | None = None) -> Listing:
        """All objects of all places, in parallel, paged; with `keep` only those that it is true of, so that the others
        take no memory. A place that cannot be listed maps to its error."""
        ...

    def get(self, kind: ServedKubernetesKind, namespace: str, name: str) -> JsonObject | None:
        """One object, or None when it does not exist."""
        ...

    def apply(
        self, kind: ServedKubernetesKind, body: JsonObject, *, force: bool = False, dry_run: bool = False
    ) -> JsonObject:
        """Server-side apply as FIELD_MANAGER with strict field validation.

        `metadata.uid` and `metadata.resourceVersion` in the body are preconditions; a resourceVersion that cannot
        exist ("1") makes it create-only.
        """
        ...

    def predict(self, kind: ServedKubernetesKind, body: JsonObject, *, manager: str) -> JsonObject:
        """What a forced server-side apply of somebody else, the field manager `manager`, would make of the object.
        Nothing is stored: this is a dry run only."""
        ...

    def patch(
        self,
        kind: ServedKubernetesKind,
        namespace: str,
        name: str,
        patch: Sequence[JsonObject],
        *,
        dry_run: bool = False,
    ) -> JsonObject:
        """A JSON patch as OPERATOR_MANAGER (used to move ownership of fields)."""
        ...

    def delete(
        self,
        kind: ServedKubernetesKind,
        namespace: str,
        name: str,
        *,
        uid: str,
        resource_version: str,
        foreground: bool = False,
    ) -> None:
        """Delete with both preconditions; what it owns goes after it, or before it with `foreground`. An object that is
        gone already is no error."""
        ...

    def exec(self, namespace: str, pod: str, container: str, command: Sequence[str], *, seconds: float) -> EndedCommand:
        """Run a command (program and arguments, no shell, no input) in a container, for at most so many seconds.

        Raises CommandUnsettled when it may have run and its end is not known; any other error says that it was not
        started.
        """
        ...

    def logs(self, namespace: str, pod: str, container: str, *, lines: int, most: int) -> bytes:
        """The last lines of what a container wrote, of which at most so many bytes; empty where nothing runs.

        Raises NotFound when the pod is gone, BadRequest when the container has not begun.
        """
        ...

    def server_time(self) -> datetime:
        """The time in UTC by the clock of the server, which wrote the times in its objects: ages are measured by it,
        never by the clock of this machine. Raises ProviderError where the server does not tell it."""
        ...

    def forget(self) -> None:
        """Drop cached discovery: a CRD was just applied."""
        ...

    def drain_warnings(self, about: str = "") -> tuple[str, ...]:
        """Warnings that the server gave to writes and dry runs of this thread since the last time, each once, sorted.

        Those about another object than `about` begin with its address. Reads give none: they would be said of
        whatever the thread writes next.
        """
        ...
