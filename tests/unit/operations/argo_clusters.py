"""Generated surroundings of an Application: each object is made healthy or stuck on purpose, so that which one it is
is known without asking the code under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from planner.values import JsonObject
from providers.kubernetes.operations.stuck_argo_resources import ApplicationWithWorkloads

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AFTER = 600.0
APP, SPACE = "shop", "shop-run"


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Cluster:
    """What was made so far, and the names of what is stuck."""

    random: Random
    jobs: list[JsonObject] = field(default_factory=list)
    pods: list[JsonObject] = field(default_factory=list)
    sets: list[JsonObject] = field(default_factory=list)
    hooks: list[JsonObject] = field(default_factory=list)
    managed: list[JsonObject] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    application: JsonObject | None = None

    def around(self) -> ApplicationWithWorkloads:
        return ApplicationWithWorkloads(self.application, tuple(self.jobs), tuple(self.pods), tuple(self.sets))

    def live(self, kind: str, name: str, **parts: Any) -> JsonObject:
        api = {"Job": "batch/v1", "Pod": "v1", "StatefulSet": "apps/v1"}[kind]
        metadata = {"name": name, "namespace": SPACE, "uid": f"uid-{name}", "resourceVersion": "7"}
        metadata |= {"creationTimestamp": ago(self.random.choice((5, 5000))), **parts.pop("metadata", {})}
        return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}


def waiting(reason: str) -> JsonObject:
    return {"phase": "Pending", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": reason}}}]}


def running(*, ready: bool = True) -> JsonObject:
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": ago(100)}
    return {
        "phase": "Running",
        "conditions": [condition],
        "containerStatuses": [{"name": "c", "state": {"running": {}}}],
    }


def made(seed: int) -> Cluster:
    """A cluster of a seed."""
    cluster = Cluster(Random(seed))
    for number in range(cluster.random.randrange(4)):
        _job(cluster, f"job-{number}")
    for number in range(cluster.random.randrange(4)):
        _stateful_set(cluster, f"set-{number}")
    _application(cluster)
    return cluster


# --- hook Jobs -----------------------------------------------------------------------------------------------------

_HOOK = {"argocd.argoproj.io/hook": "PreSync"}


def tracking(app: str, name: str) -> dict[str, str]:
    return {"argocd.argoproj.io/tracking-id": f"{app}:batch/Job:{SPACE}/{name}"}


def failed() -> JsonObject:
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": ago(90)}
    return {"conditions": [condition]}


def _job(cluster: Cluster, name: str) -> None:
    ours = {**_HOOK, **tracking(APP, name)}
    complete = {"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": ago(90)}]}
    failing = {"conditions": [{"type": "FailureTarget", "status": "True", "lastTransitionTime": ago(90)}]}
    recipes: list[tuple[dict[str, Any], JsonObject]] = [
        ({"annotations": ours}, failed()),  # the stuck one
        ({"annotations": ours}, complete),
        ({"annotations": ours}, {"active": 1}),
        ({"annotations": ours}, failing),
        ({"annotations": tracking(APP, name)}, failed()),  # a Job of the Application that is no hook
        ({"annotations": {**_HOOK, **tracking("other", name)}}, failed()),
        ({"annotations": _HOOK}, failed()),  # of nobody knows which
        ({"annotations": {**ours, "hwplan.dev/protect": "true"}}, failed()),
        ({"annotations": ours, "deletionTimestamp": ago(3)}, failed()),
        ({}, failed()),
    ]
    choice = cluster.random.randrange(len(recipes) + 3)
    metadata, status = recipes[max(choice - 3, 0)]
    cluster.jobs.append(cluster.live("Job", name, metadata=metadata, status=status))
    if choice <= 3:
        cluster.stuck.add(name)


# --- StatefulSets --------------------------------------------------------------------------------------------------


def _stateful_set(cluster: Cluster, name: str) -> None:
    random = cluster.random
    behind, foreign, partition = random.random() < 0.2, random.random() < 0.2, random.choice((0, 0, 0, 2))
    owner = cluster.live("StatefulSet", name, metadata={"generation": 4})
    owner["spec"] = {"updateStrategy": {"rollingUpdate": {"partition": partition}}}
    owner["status"] = {"updateRevision": "new", "observedGeneration": 3 if behind else 4}
    cluster.sets.append(owner)
    if not foreign:
        cluster.managed.append({"group": "apps", "kind": "StatefulSet", "namespace": SPACE, "name": name})
    for ordinal in range(random.randrange(4)):
        revision, status, metadata = random.choice(("old", "new")), *_pod_state(random)
        pod = f"{name}-{ordinal}"
        owned = [{"controller": True, "kind": "StatefulSet", "uid": f"uid-{name}"}] if random.random() < 0.9 else []
        metadata = {**metadata, "labels": {"controller-revision-hash": revision}, "ownerReferences": owned}
        cluster.pods.append(cluster.live("Pod", pod, metadata=metadata, status=status))
        cannot_start = status.get("phase") == "Pending" and status is not _CREATING
        may = owned and not (behind or foreign or metadata.get("annotations") or metadata.get("deletionTimestamp"))
        if cannot_start and revision == "old" and may and ordinal >= partition:
            cluster.stuck.add(pod)


_CREATING = waiting("ContainerCreating")


def _pod_state(random: Random) -> tuple[JsonObject, dict[str, Any]]:
    """Status and metadata of a pod: mostly healthy or on its way, some that cannot start, some of these protected."""
    reasons = ("ImagePullBackOff", "ErrImagePull", "CrashLoopBackOff")
    statuses = (running(), running(ready=False), _CREATING, *(waiting(one) for one in reasons))
    extra = random.choice(({}, {}, {}, {"annotations": {"hwplan.dev/protect": "true"}}, {"deletionTimestamp": ago(1)}))
    return random.choice(statuses), extra


# --- the Application -----------------------------------------------------------------------------------------------


def _application(cluster: Cluster) -> None:
    """With an operation: over, fresh, at work on a hook, or stuck."""
    random = cluster.random
    if random.random() < 0.05:
        cluster.managed.clear()  # without an Application nobody knows whose the rest is
        cluster.stuck.clear()
        return
    phase, age = (
        random.choice(("Succeeded", "Failed", "Terminating", "Running", "Running", "Running")),
        random.choice((30, 5000)),
    )
    works = random.random() < 0.4 and _hook(cluster)
    stuck = phase == "Running" and age > AFTER and not works
    asked = random.random() < 0.9
    state = {"phase": phase, "startedAt": ago(age), "message": "waiting", "syncResult": {"resources": cluster.hooks}}
    metadata = {"name": APP, "namespace": "argocd", "uid": "uid-app", "resourceVersion": "9"}
    cluster.application = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata,
        "spec": {"destination": {"namespace": SPACE}},
        "status": {"operationState": state, "resources": cluster.managed},
        **({"operation": {"sync": {}}} if asked else {}),
    }  # fmt: skip
    if stuck and asked:
        cluster.stuck.add(APP)
    elif phase in ("Running", "Terminating"):
        cluster.stuck -= {job["metadata"]["name"] for job in cluster.jobs}  # a sync is at work on its hooks


def _hook(cluster: Cluster) -> bool:
    """Add a hook that the operation waits for; whether it really runs."""
    pods: list[tuple[JsonObject | None, int, bool]] = [
        (running(), 5000, True),
        (running(ready=False), 5000, True),
        (_CREATING, 5, True),
        (_CREATING, 5000, False),
        (waiting("ImagePullBackOff"), 5000, False),
        (None, 5, True),
        (None, 5000, False),
    ]
    status, age, works = cluster.random.choice(pods)
    made_at = {"creationTimestamp": ago(age)}
    metadata = {**made_at, "annotations": {**_HOOK, **tracking(APP, "hook")}}
    cluster.jobs.append(cluster.live("Job", "hook", metadata=metadata, status={"active": 1}))
    if status is not None:
        owners = [{"controller": True, "kind": "Job", "uid": "uid-hook"}]
        cluster.pods.append(
            cluster.live("Pod", "hook-x", metadata={**made_at, "ownerReferences": owners}, status=status)
        )
    entry = {"group": "batch", "kind": "Job", "namespace": SPACE, "name": "hook"}
    cluster.hooks.append({**entry, "hookType": "PreSync", "hookPhase": "Running"})
    return works
