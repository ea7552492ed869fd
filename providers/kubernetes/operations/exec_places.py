"""Where a command runs: in a pod of a live cluster, or nowhere, in a sandbox that answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from planner.errors import PermanentError, ProviderError, TemporaryError
from planner.values import Json, JsonObject
from providers.canned import read_answers
from providers.kubernetes.cluster import Cluster, Executed, KindInfo, Place
from providers.kubernetes.operations.commands import Wanted
from providers.kubernetes.operations.workload_pods import newest_ready

_REVISIONS = {"Deployment": "ReplicaSet", "DaemonSet": "ControllerRevision"}


class Places(Protocol):
    """Finds where a command is to run, and runs it."""

    @property
    def simulated(self) -> bool:
        """Whether nothing really runs."""
        ...

    def find(self, wanted: Wanted) -> str:
        """Name of the pod. Raises TemporaryError while none is ready, PermanentError when there can be none."""
        ...

    def run(self, wanted: Wanted, pod: str) -> Executed:
        """Run it. Raises what Cluster.exec does."""
        ...


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of a live cluster."""

    cluster: Cluster
    simulated: bool = False

    def find(self, wanted: Wanted) -> str:
        """See Places."""
        target = wanted.target
        workload = _workload(self.cluster, wanted)
        pods = _listed(self.cluster, "v1", "Pod", target.namespace)
        kind = _REVISIONS.get(target.kind)
        revisions = _listed(self.cluster, "apps/v1", kind, target.namespace) if kind else ()
        try:
            pod = newest_ready(workload, pods, revisions)
        except TemporaryError as error:
            raise TemporaryError(f"{target.local}: {error.message}", where=target.local, remedy=error.remedy) from None
        _check_container(wanted, pod["spec"])
        return str(pod["metadata"]["name"])

    def run(self, wanted: Wanted, pod: str) -> Executed:
        """See Places."""
        namespace = wanted.target.namespace
        return self.cluster.exec(namespace, pod, wanted.container, wanted.command, seconds=wanted.seconds)


@dataclass(frozen=True, slots=True)
class Canned:
    """A sandbox: the workload must stand in its cluster, and `answers` say how commands end (well, if not listed)."""

    cluster: Cluster
    answers: Mapping[tuple[str, ...], Executed]
    simulated: bool = True

    def find(self, wanted: Wanted) -> str:
        """See Places; the sandbox has no pods, so the name is that of the workload."""
        workload = _workload(self.cluster, wanted)
        spec = workload["spec"]
        _check_container(wanted, spec if wanted.target.kind == "Pod" else spec["template"]["spec"])
        return wanted.target.name

    def run(self, wanted: Wanted, pod: str) -> Executed:
        """See Places."""
        return self.answers.get(wanted.command, Executed(0))


def canned_ends(path: Path) -> Mapping[tuple[str, ...], Executed]:
    """The `execs` of a sandbox's canned answers: `command` (a list), `exitCode` and `output`. Raises PermanentError."""
    return read_answers(path, "execs", _answer, fields="command, exitCode, output")


def _answer(row: Mapping[str, Json]) -> tuple[tuple[str, ...], Executed]:
    command = tuple(str(word) for word in row["command"])
    return command, Executed(int(row.get("exitCode", 0)), str(row.get("output", "")).encode())


def _workload(cluster: Cluster, wanted: Wanted) -> JsonObject:
    target = wanted.target
    found = cluster.get(_kind(cluster, wanted.api_version, target.kind), target.namespace, target.name)
    if found is None:
        remedy = "declare it in the same stack, or correct spec.target"
        raise PermanentError(f"{target.local} does not exist", where=target.local, remedy=remedy)
    return {**found, "kind": target.kind}


def _check_container(wanted: Wanted, spec: JsonObject) -> None:
    names = [str(container["name"]) for container in spec.get("containers") or ()]
    if wanted.container not in names:
        message = f"{wanted.target.local} has no container {wanted.container}"
        raise PermanentError(message, where=wanted.target.local, remedy=f"it has: {', '.join(names) or 'none'}")


def _listed(cluster: Cluster, api_version: str, kind: str, namespace: str) -> Sequence[JsonObject]:
    place = Place(_kind(cluster, api_version, kind), namespace)
    found = cluster.list([place])[place]
    if isinstance(found, ProviderError):
        raise found
    return found


def _kind(cluster: Cluster, api_version: str, kind: str) -> KindInfo:
    found = cluster.kind(api_version, kind)
    if found is None:
        raise PermanentError(f"the cluster does not serve {kind} in {api_version}", where=kind)
    return found
