"""Where a command runs: in a pod of a live cluster, or nowhere, in a sandbox that answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError, TemporaryError
from planner.values import Json, JsonObject
from providers.canned_answers import read_canned_answers
from providers.cluster_interface import Cluster, EndedCommand, KubernetesListScope, ServedKubernetesKind
from providers.kubernetes.operations.newest_ready_pod_of_workload import newest_ready_pod_of_workload
from providers.kubernetes.operations.pod_exec_command import PodExecCommand

_REVISIONS = {"Deployment": "ReplicaSet", "DaemonSet": "ControllerRevision"}


@dataclass(frozen=True, slots=True)
class PodToRunCommandIn:
    """The pod that a command is to run in, found and not made, and the image of its container ("" where it does not
    say)."""

    name: str
    image: str


class ContainerCommandRunner(Protocol):
    """Finds the container that a command is to run in, and runs it there."""

    @property
    def simulated(self) -> bool:
        """Whether nothing really runs."""
        ...

    def find(self, wanted: PodExecCommand) -> PodToRunCommandIn:
        """The pod. Raises TemporaryError while none is ready, PermanentError when there can be none."""
        ...

    def run(self, wanted: PodExecCommand, pod: str) -> EndedCommand:
        """Run it. Raises what Cluster.exec does."""
        ...


@dataclass(frozen=True, slots=True)
class PodCommandRunner:
    """Runs commands in the pods of a live cluster, by the API's exec."""

    cluster: Cluster
    simulated: bool = False

    def find(self, wanted: PodExecCommand) -> PodToRunCommandIn:
        """See Places."""
        target = wanted.target
        workload = _workload(self.cluster, wanted)
        pods = _listed(self.cluster, "v1", "Pod", target.namespace)
        kind = _REVISIONS.get(target.kind)
        revisions = _listed(self.cluster, "apps/v1", kind, target.namespace) if kind else ()
        try:
            pod = newest_ready_pod_of_workload(workload, pods, revisions)
        except TemporaryError as error:
            raise TemporaryError(f"{target.local}: {error.message}", where=target.local, remedy=error.remedy) from None
        _check_container(wanted, pod["spec"])
        return PodToRunCommandIn(str(pod["metadata"]["name"]), running_image(pod, wanted.container))

    def run(self, wanted: PodExecCommand, pod: str) -> EndedCommand:
        """See Places."""
        namespace = wanted.target.namespace
        return self.cluster.exec(namespace, pod, wanted.container, wanted.command, seconds=wanted.seconds)


@dataclass(frozen=True, slots=True)
class CannedCommandRunner:
    """Answers for commands in a sandbox, where none runs: the workload must stand in its cluster, and `answers` say how
    commands end (well, if not listed)."""

    cluster: Cluster
    answers: Mapping[tuple[str, ...], EndedCommand]
    simulated: bool = True

    def find(self, wanted: PodExecCommand) -> PodToRunCommandIn:
        """See Places; the sandbox has no pods, so the name is that of the workload. What a sync would have brought is
        not there either: a command for each image is answered all the same."""
        try:
            workload = _workload(self.cluster, wanted)
        except PermanentError:
            if not wanted.per_image:
                raise
            return PodToRunCommandIn(wanted.target.name, "simulated")
        spec = workload["spec"] if wanted.target.kind == "Pod" else workload["spec"]["template"]["spec"]
        _check_container(wanted, spec)
        image = next(str(one.get("image", "")) for one in spec["containers"] if one["name"] == wanted.container)
        return PodToRunCommandIn(wanted.target.name, _digest_of(image))

    def run(self, wanted: PodExecCommand, pod: str) -> EndedCommand:
        """See Places."""
        return self.answers.get(wanted.command, EndedCommand(0))


def running_image(pod: JsonObject, container: str) -> str:
    """The image that a container really runs: the digest of its `imageID`, or what stands there where it has none."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return _digest_of(next((str(one.get("imageID") or "") for one in statuses if one.get("name") == container), ""))


def _digest_of(image: str) -> str:
    """`docker-pullable://repo@sha256:…` and `repo@sha256:…` are one image."""
    return image.rpartition("@")[2] if "@sha256:" in image else image


def read_canned_command_results(path: Path) -> Mapping[tuple[str, ...], EndedCommand]:
    """The `execs` of a sandbox's canned answers: `command` (a list), `exitCode` and `output`. Raises PermanentError."""
    return read_canned_answers(path, "execs", _answer, fields="command, exitCode, output")


def _answer(row: Mapping[str, Json]) -> tuple[tuple[str, ...], EndedCommand]:
    command = tuple(str(word) for word in row["command"])
    return command, EndedCommand(int(row.get("exitCode", 0)), str(row.get("output", "")).encode())


def _workload(cluster: Cluster, wanted: PodExecCommand) -> JsonObject:
    target = wanted.target
    found = cluster.get(_kind(cluster, wanted.api_version, target.kind), target.namespace, target.name)
    if found is None:
        remedy = "declare it in the same stack, or correct spec.target"
        raise PermanentError(f"{target.local} does not exist", where=target.local, remedy=remedy)
    return {**found, "kind": target.kind}


def _check_container(wanted: PodExecCommand, spec: JsonObject) -> None:
    names = [str(container["name"]) for container in spec.get("containers") or ()]
    if wanted.container not in names:
        message = f"{wanted.target.local} has no container {wanted.container}"
        raise PermanentError(message, where=wanted.target.local, remedy=f"it has: {', '.join(names) or 'none'}")


def _listed(cluster: Cluster, api_version: str, kind: str, namespace: str) -> Sequence[JsonObject]:
    place = KubernetesListScope(_kind(cluster, api_version, kind), namespace)
    found = cluster.list([place])[place]
    if isinstance(found, ProviderError):
        raise found
    return found


def _kind(cluster: Cluster, api_version: str, kind: str) -> ServedKubernetesKind:
    found = cluster.kind(api_version, kind)
    if found is None:
        raise PermanentError(f"the cluster does not serve {kind} in {api_version}", where=kind)
    return found
