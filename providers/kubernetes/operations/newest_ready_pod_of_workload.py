"""Which pod of a workload is meant: the newest ready one of its current revision. Pure.

A pod of an older revision runs the old image: a migration in it would be the wrong one. Sources of the rules: the
labels and annotations that the controllers of apps/v1 write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from planner.errors import TemporaryError
from planner.values import JsonObject

_REVISION = "deployment.kubernetes.io/revision"
_HASH = "controller-revision-hash"
Pods: TypeAlias = Sequence[JsonObject]


def newest_ready_pod_of_workload(workload: JsonObject, pods: Pods, revisions: Sequence[JsonObject]) -> JsonObject:
    """The pod. `revisions` are the ReplicaSets or ControllerRevisions of the namespace, `pods` all its pods.

    Raises TemporaryError when there is none now.
    """
    status = workload.get("status") or {}
    if workload["kind"] != "Pod" and status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        raise TemporaryError("its newest revision is not rolled out yet")
    current = [pod for pod in pods if _CURRENT[workload["kind"]](workload, pod, revisions)]
    ready = [pod for pod in current if _is_ready(pod)]
    if not ready:
        raise TemporaryError(f"none of its {len(current)} pods of the current revision is ready", remedy=_WAIT)
    return max(ready, key=lambda pod: (str(pod["metadata"].get("creationTimestamp")), pod["metadata"]["name"]))


_WAIT = "see why its pods are not ready, then apply again"


def _is_ready(pod: JsonObject) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _belongs(child: JsonObject, owner: JsonObject) -> bool:
    owners = child["metadata"].get("ownerReferences") or ()
    return any(one.get("controller") and one.get("uid") == owner["metadata"]["uid"] for one in owners)


def _label(document: JsonObject, name: str) -> str:
    return str((document["metadata"].get("labels") or {}).get(name) or "")


def _revision(document: JsonObject) -> str:
    return str((document["metadata"].get("annotations") or {}).get(_REVISION) or "")


def _of_deployment(workload: JsonObject, pod: JsonObject, revisions: Sequence[JsonObject]) -> bool:
    return any(
        _belongs(pod, replica_set) and _belongs(replica_set, workload) and _revision(replica_set) == _revision(workload)
        for replica_set in revisions
    )


def _of_stateful_set(workload: JsonObject, pod: JsonObject, revisions: Sequence[JsonObject]) -> bool:
    wanted = (workload.get("status") or {}).get("updateRevision")
    return _belongs(pod, workload) and bool(wanted) and _label(pod, _HASH) == wanted


def _of_daemon_set(workload: JsonObject, pod: JsonObject, revisions: Sequence[JsonObject]) -> bool:
    own = [one for one in revisions if _belongs(one, workload)]
    newest = max(own, key=lambda one: int(one.get("revision", 0)), default=None)
    return newest is not None and _belongs(pod, workload) and _label(pod, _HASH) == _label(newest, _HASH)


_CURRENT: dict[str, Callable[[JsonObject, JsonObject, Sequence[JsonObject]], bool]] = {
    "Deployment": _of_deployment,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
    "ReplicaSet": lambda workload, pod, _: _belongs(pod, workload),
    "Pod": lambda workload, pod, _: bool(pod["metadata"]["uid"] == workload["metadata"]["uid"]),
}
