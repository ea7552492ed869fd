"""When a live object has become what its spec asks for: one small rule per kind, in one table. Pure; looks once.

Rules follow what kubectl rollout status, kstatus, kapp and Argo CD agree on, and where they differ the stricter one.
Decisions of our own:

- an object that is being deleted is not ready; `gone` is the rule for deletes;
- a paused Deployment and a suspended Job are as declared: done, and the message says so;
- a PersistentVolumeClaim may wait for its first consumer (k3s' default), which cannot be seen on the claim: Pending is
  good enough unless the caller knows that its StorageClass binds at once (`binds_at_once`);
- an Argo CD Application is ready when it exists, because syncing it is an effect of its own (ArgoSync): with
  `converge` it must be Synced and Healthy, and an absent status then means "in progress";
- a kind without a rule is ready when it exists, unless it reports conditions (Ready, Stalled, Reconciling).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from planner.address import group_of
from planner.ports import Readiness
from planner.values import Json, JsonObject

_Rule: TypeAlias = Callable[[JsonObject], Readiness]

READY: Final = Readiness(done=True, ok=True)


def object_readiness(
    live: JsonObject | None, *, binds_at_once: bool = False, converge: bool = False, waits: bool = True
) -> Readiness:
    """Whether `live` (None: not there) is ready; the message says what is awaited, or why it failed.

    `binds_at_once` is about PersistentVolumeClaims, `converge` about Argo CD Applications (see the module). With
    `waits` false, existence is enough for everything.
    """
    if live is None:
        return _pending("does not exist yet")
    metadata = live.get("metadata") or {}
    if metadata.get("deletionTimestamp"):
        ended = _job(live) if deletes_itself(live) else None  # its pods go first, so that it is seen for a while
        return ended if ended and ended.done else _pending(_terminating(live))
    if not waits:
        return READY
    group, kind = group_of(str(live.get("apiVersion", ""))), str(live.get("kind", ""))
    if (group, kind) == ("", "PersistentVolumeClaim"):
        return _claim(live, binds_at_once)
    if (group, kind) == ("argoproj.io", "Application"):
        return _application(live, converge)
    rule = RULES.get((group, kind), _generic)
    return _unobserved(live) or rule(live)


def vanished_readiness(desired: JsonObject | None) -> Readiness:
    """What it means that an object which was written, or seen, is not there any more.

    A Job with ttlSecondsAfterFinished is deleted by its controller only after it ended (Kubernetes, "Automatic Cleanup
    for Finished Jobs"); whether it succeeded is not known here (providers.kubernetes.self_deleting_jobs looks for it).
    """
    if deletes_itself(desired):
        return Readiness(done=True, ok=True, warnings=("ended, and was deleted as its ttlSecondsAfterFinished says",))
    return _failed("it is not there any more: somebody deleted it while it was waited for")


def deletes_itself(desired: JsonObject | None) -> bool:
    """Whether a document is that of a Job which is deleted by its controller when it has ended."""
    document = desired or {}
    if (group_of(str(document.get("apiVersion", ""))), document.get("kind")) != ("batch", "Job"):
        return False
    return isinstance(_map(document, "spec").get("ttlSecondsAfterFinished"), int)


def deletion_readiness(live: JsonObject | None, *, uid: str) -> Readiness:
    """Whether the object with `uid` is deleted: nothing stands there, or another object of the same name."""
    if live is None or str((live.get("metadata") or {}).get("uid", "")) != uid:
        return READY
    return _pending(_terminating(live))


# --- parts of rules ------------------------------------------------------------------------------------------------


def _pending(message: str) -> Readiness:
    return Readiness(done=False, ok=False, message=message)


def _failed(message: str) -> Readiness:
    return Readiness(done=True, ok=False, message=message)


def _ready(message: str) -> Readiness:
    return Readiness(done=True, ok=True, message=message)


def _map(parent: JsonObject, name: str) -> JsonObject:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _number(parent: JsonObject, name: str, default: int = 0) -> int:
    value = parent.get(name)
    return value if isinstance(value, int) else default


def _conditions(live: JsonObject) -> Mapping[str, JsonObject]:
    entries = _map(live, "status").get("conditions")
    found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {str(entry.get("type")): entry for entry in found}


def _is(conditions: Mapping[str, JsonObject], name: str, status: str = "True") -> bool:
    return name in conditions and conditions[name].get("status") == status


def _because(condition: JsonObject | None, fallback: str) -> str:
    """`Reason: message` of a condition, or the fallback when it says nothing."""
    condition = condition or {}
    parts = [str(condition[key]).strip() for key in ("reason", "message") if condition.get(key)]
    return ": ".join(parts) or fallback


def _unobserved(live: JsonObject) -> Readiness | None:
    """In progress while the controller has not seen the newest spec. Only for kinds that report what they have seen."""
    generation = _map(live, "metadata").get("generation")
    observed = _map(live, "status").get("observedGeneration")
    if isinstance(observed, int) and isinstance(generation, int) and observed < generation:
        return _pending(f"its controller has seen generation {observed} of {generation}")
    return None


def _unseen(live: JsonObject) -> Readiness | None:
    """In progress until a controller that always reports observedGeneration has reported at all."""
    if not _number(_map(live, "status"), "observedGeneration"):
        return _pending("its controller has not seen it yet")
    return None


def _short(have: int, want: int, what: str) -> Readiness | None:
    return _pending(f"{have} of {want} {what}") if have < want else None


def _terminating(live: JsonObject) -> str:
    metadata = _map(live, "metadata")
    held = [str(item) for item in metadata.get("finalizers") or ()]
    held += [str(item) for item in _map(live, "spec").get("finalizers") or () if live.get("kind") == "Namespace"]
    stuck = [
        _because(condition, name)
        for name, condition in sorted(_conditions(live).items())
        if live.get("kind") == "Namespace" and condition.get("status") == "True"
    ]
    if stuck:
        return "being deleted: " + "; ".join(stuck)
    if not metadata.get("deletionTimestamp"):
        return "not deleted yet"
    return f"being deleted, waiting for {', '.join(held)}" if held else "being deleted"


# --- workloads -----------------------------------------------------------------------------------------------------


def _deployment(live: JsonObject) -> Readiness:
    spec, status, conditions = _map(live, "spec"), _map(live, "status"), _conditions(live)
    if waiting := _unseen(live):
        return waiting
    if spec.get("paused") is True:
        return _ready("paused as declared")
    progressing = conditions.get("Progressing")
    if progressing and progressing.get("reason") == "ProgressDeadlineExceeded":
        return _failed(_because(progressing, "ProgressDeadlineExceeded"))
    want, updated = _number(spec, "replicas", 1), _number(status, "updatedReplicas")
    old = _number(status, "replicas") - updated
    missing = (
        _short(updated, want, "replicas updated")
        or (_pending(f"{old} old replicas still run") if old > 0 else None)
        or _short(_number(status, "availableReplicas"), updated, "updated replicas available")
        or (_pending(f"{updated - want} replicas too many") if updated > want else None)
    )
    if missing and _is(conditions, "ReplicaFailure"):
        return _pending(f"{missing.message} ({_because(conditions['ReplicaFailure'], 'ReplicaFailure')})")
    return missing or READY


def _stateful_set(live: JsonObject) -> Readiness:
    spec, status = _map(live, "spec"), _map(live, "status")
    if waiting := _unseen(live):
        return waiting
    want = _number(spec, "replicas", 1)
    strategy = _map(spec, "updateStrategy")
    partition = _number(_map(strategy, "rollingUpdate"), "partition")
    missing = _short(_number(status, "readyReplicas"), want, "replicas ready")
    if not missing and _number(status, "replicas") > want:
        missing = _pending(f"{_number(status, 'replicas') - want} replicas too many")
    if missing or strategy.get("type") == "OnDelete":
        return missing or _ready("pods are updated when they are deleted (OnDelete)")
    if missing := _short(_number(status, "updatedReplicas"), want - partition, "replicas updated"):
        return missing
    current, update = status.get("currentRevision"), status.get("updateRevision")
    if not partition and want and current != update:
        return _pending(f"rolling from revision {current} to {update}")
    return READY


def _daemon_set(live: JsonObject) -> Readiness:
    status = _map(live, "status")
    if waiting := _unseen(live):
        return waiting
    want = _number(status, "desiredNumberScheduled")
    if _map(_map(live, "spec"), "updateStrategy").get("type") != "OnDelete":
        missing = _short(_number(status, "updatedNumberScheduled"), want, "nodes updated")
    else:
        missing = None
    return missing or _short(_number(status, "numberAvailable"), want, "nodes available") or READY


def _replica_set(live: JsonObject) -> Readiness:
    want = _number(_map(live, "spec"), "replicas", 1)
    status = _map(live, "status")
    missing = _unseen(live) or _short(_number(status, "availableReplicas"), want, "replicas available")
    if not missing and _number(status, "replicas") > want:
        missing = _pending(f"{_number(status, 'replicas') - want} replicas too many")
    failure = _conditions(live).get("ReplicaFailure")
    if missing and failure and failure.get("status") == "True":
        return _pending(f"{missing.message} ({_because(failure, 'ReplicaFailure')})")
    return missing or READY


def _job(live: JsonObject) -> Readiness:
    spec, status, conditions = _map(live, "spec"), _map(live, "status"), _conditions(live)
    if _is(conditions, "Failed"):
        return _failed(_because(conditions["Failed"], "the Job failed"))
    if _is(conditions, "Complete"):
        return READY
    if spec.get("suspend") is True:
        return _ready("suspended as declared")
    want = _number(spec, "completions", 1)
    failed = _number(status, "failed")
    more = f", {failed} failed" if failed else ""
    return _pending(f"{_number(status, 'succeeded')} of {want} pods succeeded{more}")


def _pod(live: JsonObject) -> Readiness:
    status, conditions = _map(live, "status"), _conditions(live)
    phase = status.get("phase")
    if phase == "Succeeded" or _is(conditions, "Ready"):
        return READY
    if phase == "Failed":
        return _failed(_because(status, "the pod failed"))
    entries = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for entry in entries:
        waiting = _map(_map(entry, "state"), "waiting")
        reason = str(waiting.get("reason") or "")
        if reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
            return _pending(f"container {entry.get('name')}: {_because(waiting, reason)}")
    scheduled = conditions.get("PodScheduled")
    if scheduled and scheduled.get("status") == "False":
        return _pending(_because(scheduled, "not scheduled"))
    ready = sum(entry.get("ready") is True for entry in status.get("containerStatuses") or ())
    return _pending(f"{ready} of {len(_map(live, 'spec').get('containers') or ())} containers ready")


# --- cluster and storage -------------------------------------------------------------------------------------------


def _claim(live: JsonObject, binds_at_once: bool) -> Readiness:
    phase = _map(live, "status").get("phase")
    if phase == "Lost":
        return _failed("its volume is lost")
    if phase == "Bound":
        return READY
    return _pending("not bound to a volume yet") if binds_at_once else _ready("binds when a pod first uses it")


def _volume(live: JsonObject) -> Readiness:
    phase = _map(live, "status").get("phase")
    if phase == "Failed":
        return _failed(_because(_map(live, "status"), "the volume failed"))
    return _pending("the volume is not available yet") if phase in (None, "Pending") else READY


def _namespace(live: JsonObject) -> Readiness:
    phase = _map(live, "status").get("phase")
    if phase == "Terminating":
        return _pending(_terminating(live))
    return READY if phase == "Active" else _pending("not active yet")


def _crd(live: JsonObject) -> Readiness:
    conditions = _conditions(live)
    if _is(conditions, "NamesAccepted", "False"):
        return _failed(_because(conditions["NamesAccepted"], "its names are not accepted"))
    established = conditions.get("Established")
    if _is(conditions, "Established") and _is(conditions, "NamesAccepted"):
        return READY
    if established and established.get("status") == "False" and established.get("reason") != "Installing":
        return _failed(_because(established, "not established"))
    return _pending("not established yet")


def _service(live: JsonObject) -> Readiness:
    if _map(live, "spec").get("type") != "LoadBalancer":
        return READY
    ingress = _map(_map(live, "status"), "loadBalancer").get("ingress")
    return READY if ingress else _pending("no address from the load balancer yet")


def _api_service(live: JsonObject) -> Readiness:
    available = _conditions(live).get("Available")
    if available and available.get("status") == "True":
        return READY
    return _pending(_because(available, "not available yet"))


# --- other systems -------------------------------------------------------------------------------------------------


def _tekton_run(live: JsonObject) -> Readiness:
    """PipelineRun, TaskRun, CustomRun: over as soon as Succeeded is not Unknown. Outputs: state, reason, results."""
    status, condition = _map(live, "status"), _conditions(live).get("Succeeded")
    reason = str((condition or {}).get("reason") or "")
    outcome = (condition or {}).get("status")
    state = {"True": "succeeded", "False": "failed"}.get(str(outcome), "running" if condition else "pending")
    outputs: JsonObject = {"state": state, "reason": reason, "results": _results(status)}
    outputs |= {key: status[key] for key in ("startTime", "completionTime") if status.get(key)}
    done = outcome in ("True", "False")
    message = "" if outcome == "True" else _because(condition, "no controller has picked it up yet")
    return Readiness(done=done, ok=outcome == "True", message=message, outputs=outputs)


def _results(status: JsonObject) -> dict[str, Json]:
    entries = status.get("results") or status.get("pipelineResults") or ()
    return {str(entry["name"]): entry.get("value") for entry in entries if isinstance(entry, dict) and "name" in entry}


def _application(live: JsonObject, converge: bool) -> Readiness:
    status = _map(live, "status")
    sync, health = _map(status, "sync").get("status"), _map(status, "health").get("status")
    outputs = {"revision": _map(status, "sync").get("revision"), "sync": sync, "health": health}
    outputs = {key: value for key, value in outputs.items() if value is not None}
    operation = _map(status, "operationState")
    running = bool(live.get("operation")) or operation.get("phase") in ("Running", "Terminating")
    ok = not converge or (sync == "Synced" and health == "Healthy" and not running)
    seen = f"{sync or 'not compared yet'}, {health or 'health unknown'}"
    failed = converge and operation.get("phase") in ("Failed", "Error") and not running and sync != "Synced"
    message = "" if ok and converge else seen
    if failed:
        message = f"{seen}: {operation.get('message') or 'the last sync failed'}"
    elif running:
        message = f"{seen}, sync running"
    return Readiness(done=ok or failed, ok=ok, message=message, outputs=outputs)


def _generic(live: JsonObject) -> Readiness:
    """Conditions that many controllers share; without them an object is ready when it exists."""
    conditions = _conditions(live)
    if _is(conditions, "Stalled"):
        return _failed(_because(conditions["Stalled"], "stalled"))
    ready = conditions.get("Ready")
    if _is(conditions, "Reconciling"):
        return _pending(_because(conditions["Reconciling"], "reconciling"))
    if ready is None:
        return READY
    generation, observed = _map(live, "metadata").get("generation"), ready.get("observedGeneration")
    if isinstance(observed, int) and isinstance(generation, int) and observed < generation:
        return _pending(f"its controller has seen generation {observed} of {generation}")
    return READY if ready.get("status") == "True" else _pending(_because(ready, "not ready yet"))


RULES: Final[Mapping[tuple[str, str], _Rule]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set,
    ("", "ReplicationController"): _replica_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "PersistentVolume"): _volume,
    ("", "Namespace"): _namespace,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("tekton.dev", "PipelineRun"): _tekton_run,
    ("tekton.dev", "TaskRun"): _tekton_run,
    ("tekton.dev", "CustomRun"): _tekton_run,
}
