"""Readiness of workloads: what `kubectl rollout status` waits for, of pods and Jobs too."""

from __future__ import annotations

from planner.ports import Readiness
from planner.values import JsonObject
from providers.kubernetes.readiness_rules.status_parts import (
    READY,
    failed_because,
    has_condition,
    map_field_or_empty,
    number_field_or_default,
    pending_because,
    pending_if_fewer,
    pending_until_first_observed,
    ready_because,
    reason_text,
    status_conditions,
)


def deployment_readiness(live: JsonObject) -> Readiness:
    """A Deployment is ready as for `kubectl rollout status`: all replicas updated and available, no old one left;
    paused is as declared."""
    spec, status, conditions = (
        map_field_or_empty(live, "spec"),
        map_field_or_empty(live, "status"),
        status_conditions(live),
    )
    if waiting := pending_until_first_observed(live):
        return waiting
    if spec.get("paused") is True:
        return ready_because("paused as declared")
    progressing = conditions.get("Progressing")
    if progressing and progressing.get("reason") == "ProgressDeadlineExceeded":
        return failed_because(reason_text(progressing, "ProgressDeadlineExceeded"))
    want, updated = number_field_or_default(spec, "replicas", 1), number_field_or_default(status, "updatedReplicas")
    old = number_field_or_default(status, "replicas") - updated
    missing = (
        pending_if_fewer(updated, want, "replicas updated")
        or (pending_because(f"{old} old replicas still run") if old > 0 else None)
        or pending_if_fewer(number_field_or_default(status, "availableReplicas"), updated, "updated replicas available")
        or (pending_because(f"{updated - want} replicas too many") if updated > want else None)
    )
    if missing and has_condition(conditions, "ReplicaFailure"):
        return pending_because(f"{missing.message} ({reason_text(conditions['ReplicaFailure'], 'ReplicaFailure')})")
    return missing or READY


def stateful_set_readiness(live: JsonObject) -> Readiness:
    """A StatefulSet is ready as for `kubectl rollout status`, above the partition; with OnDelete the running pods are
    enough."""
    spec, status = map_field_or_empty(live, "spec"), map_field_or_empty(live, "status")
    if waiting := pending_until_first_observed(live):
        return waiting
    want = number_field_or_default(spec, "replicas", 1)
    strategy = map_field_or_empty(spec, "updateStrategy")
    partition = number_field_or_default(map_field_or_empty(strategy, "rollingUpdate"), "partition")
    missing = pending_if_fewer(number_field_or_default(status, "readyReplicas"), want, "replicas ready")
    if not missing and number_field_or_default(status, "replicas") > want:
        missing = pending_because(f"{number_field_or_default(status, 'replicas') - want} replicas too many")
    if missing or strategy.get("type") == "OnDelete":
        return missing or ready_because("pods are updated when they are deleted (OnDelete)")
    if missing := pending_if_fewer(
        number_field_or_default(status, "updatedReplicas"), want - partition, "replicas updated"
    ):
        return missing
    current, update = status.get("currentRevision"), status.get("updateRevision")
    if not partition and want and current != update:
        return pending_because(f"rolling from revision {current} to {update}")
    return READY


def daemon_set_readiness(live: JsonObject) -> Readiness:
    """A DaemonSet is ready when a pod of the newest revision is available on each node that is meant."""
    status = map_field_or_empty(live, "status")
    if waiting := pending_until_first_observed(live):
        return waiting
    want = number_field_or_default(status, "desiredNumberScheduled")
    if map_field_or_empty(map_field_or_empty(live, "spec"), "updateStrategy").get("type") != "OnDelete":
        missing = pending_if_fewer(number_field_or_default(status, "updatedNumberScheduled"), want, "nodes updated")
    else:
        missing = None
    return (
        missing
        or pending_if_fewer(number_field_or_default(status, "numberAvailable"), want, "nodes available")
        or READY
    )


def replica_set_readiness(live: JsonObject) -> Readiness:
    """A ReplicaSet is ready when as many replicas are available as wanted, and no more."""
    want = number_field_or_default(map_field_or_empty(live, "spec"), "replicas", 1)
    status = map_field_or_empty(live, "status")
    missing = pending_until_first_observed(live) or pending_if_fewer(
        number_field_or_default(status, "availableReplicas"), want, "replicas available"
    )
    if not missing and number_field_or_default(status, "replicas") > want:
        missing = pending_because(f"{number_field_or_default(status, 'replicas') - want} replicas too many")
    failure = status_conditions(live).get("ReplicaFailure")
    if missing and failure and failure.get("status") == "True":
        return pending_because(f"{missing.message} ({reason_text(failure, 'ReplicaFailure')})")
    return missing or READY


def job_readiness(live: JsonObject) -> Readiness:
    """A Job is ready when Complete; Failed is a failure, suspended is as declared."""
    spec, status, conditions = (
        map_field_or_empty(live, "spec"),
        map_field_or_empty(live, "status"),
        status_conditions(live),
    )
    if has_condition(conditions, "Failed"):
        return failed_because(reason_text(conditions["Failed"], "the Job failed"))
    if has_condition(conditions, "Complete"):
        return READY
    if spec.get("suspend") is True:
        return ready_because("suspended as declared")
    want = number_field_or_default(spec, "completions", 1)
    failed = number_field_or_default(status, "failed")
    more = f", {failed} failed" if failed else ""
    return pending_because(f"{number_field_or_default(status, 'succeeded')} of {want} pods succeeded{more}")


def pod_readiness(live: JsonObject) -> Readiness:
    """A pod is ready when its condition Ready is true or it succeeded; what keeps a container waiting is named."""
    status, conditions = map_field_or_empty(live, "status"), status_conditions(live)
    phase = status.get("phase")
    if phase == "Succeeded" or has_condition(conditions, "Ready"):
        return READY
    if phase == "Failed":
        return failed_because(reason_text(status, "the pod failed"))
    entries = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for entry in entries:
        waiting = map_field_or_empty(map_field_or_empty(entry, "state"), "waiting")
        reason = str(waiting.get("reason") or "")
        if reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
            return pending_because(f"container {entry.get('name')}: {reason_text(waiting, reason)}")
    scheduled = conditions.get("PodScheduled")
    if scheduled and scheduled.get("status") == "False":
        return pending_because(reason_text(scheduled, "not scheduled"))
    ready = sum(entry.get("ready") is True for entry in status.get("containerStatuses") or ())
    return pending_because(
        f"{ready} of {len(map_field_or_empty(live, 'spec').get('containers') or ())} containers ready"
    )
