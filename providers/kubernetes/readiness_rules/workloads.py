"""Readiness of workloads: what `kubectl rollout status` waits for, of pods and Jobs too."""

from __future__ import annotations

from planner.ports import Readiness
from planner.values import JsonObject
from providers.kubernetes.readiness_rules.parts_of_status import (
    READY,
    conditions_of,
    failed_because,
    has_condition,
    map_at,
    number_at,
    pending_because,
    pending_if_fewer,
    ready_because,
    reason_text,
    waits_for_first_observation,
)


def deployment_readiness(live: JsonObject) -> Readiness:
    """As `kubectl rollout status`: all replicas updated and available, no old one left; paused is as declared."""
    spec, status, conditions = map_at(live, "spec"), map_at(live, "status"), conditions_of(live)
    if waiting := waits_for_first_observation(live):
        return waiting
    if spec.get("paused") is True:
        return ready_because("paused as declared")
    progressing = conditions.get("Progressing")
    if progressing and progressing.get("reason") == "ProgressDeadlineExceeded":
        return failed_because(reason_text(progressing, "ProgressDeadlineExceeded"))
    want, updated = number_at(spec, "replicas", 1), number_at(status, "updatedReplicas")
    old = number_at(status, "replicas") - updated
    missing = (
        pending_if_fewer(updated, want, "replicas updated")
        or (pending_because(f"{old} old replicas still run") if old > 0 else None)
        or pending_if_fewer(number_at(status, "availableReplicas"), updated, "updated replicas available")
        or (pending_because(f"{updated - want} replicas too many") if updated > want else None)
    )
    if missing and has_condition(conditions, "ReplicaFailure"):
        return pending_because(f"{missing.message} ({reason_text(conditions['ReplicaFailure'], 'ReplicaFailure')})")
    return missing or READY


def stateful_set_readiness(live: JsonObject) -> Readiness:
    """As `kubectl rollout status`, above the partition; with OnDelete the running pods are enough."""
    spec, status = map_at(live, "spec"), map_at(live, "status")
    if waiting := waits_for_first_observation(live):
        return waiting
    want = number_at(spec, "replicas", 1)
    strategy = map_at(spec, "updateStrategy")
    partition = number_at(map_at(strategy, "rollingUpdate"), "partition")
    missing = pending_if_fewer(number_at(status, "readyReplicas"), want, "replicas ready")
    if not missing and number_at(status, "replicas") > want:
        missing = pending_because(f"{number_at(status, 'replicas') - want} replicas too many")
    if missing or strategy.get("type") == "OnDelete":
        return missing or ready_because("pods are updated when they are deleted (OnDelete)")
    if missing := pending_if_fewer(number_at(status, "updatedReplicas"), want - partition, "replicas updated"):
        return missing
    current, update = status.get("currentRevision"), status.get("updateRevision")
    if not partition and want and current != update:
        return pending_because(f"rolling from revision {current} to {update}")
    return READY


def daemon_set_readiness(live: JsonObject) -> Readiness:
    """A pod of the newest revision is available on each node that is meant."""
    status = map_at(live, "status")
    if waiting := waits_for_first_observation(live):
        return waiting
    want = number_at(status, "desiredNumberScheduled")
    if map_at(map_at(live, "spec"), "updateStrategy").get("type") != "OnDelete":
        missing = pending_if_fewer(number_at(status, "updatedNumberScheduled"), want, "nodes updated")
    else:
        missing = None
    return missing or pending_if_fewer(number_at(status, "numberAvailable"), want, "nodes available") or READY


def replica_set_readiness(live: JsonObject) -> Readiness:
    """As many replicas available as wanted, and no more."""
    want = number_at(map_at(live, "spec"), "replicas", 1)
    status = map_at(live, "status")
    missing = waits_for_first_observation(live) or pending_if_fewer(
        number_at(status, "availableReplicas"), want, "replicas available"
    )
    if not missing and number_at(status, "replicas") > want:
        missing = pending_because(f"{number_at(status, 'replicas') - want} replicas too many")
    failure = conditions_of(live).get("ReplicaFailure")
    if missing and failure and failure.get("status") == "True":
        return pending_because(f"{missing.message} ({reason_text(failure, 'ReplicaFailure')})")
    return missing or READY


def job_readiness(live: JsonObject) -> Readiness:
    """Complete; Failed is a failure, suspended is as declared."""
    spec, status, conditions = map_at(live, "spec"), map_at(live, "status"), conditions_of(live)
    if has_condition(conditions, "Failed"):
        return failed_because(reason_text(conditions["Failed"], "the Job failed"))
    if has_condition(conditions, "Complete"):
        return READY
    if spec.get("suspend") is True:
        return ready_because("suspended as declared")
    want = number_at(spec, "completions", 1)
    failed = number_at(status, "failed")
    more = f", {failed} failed" if failed else ""
    return pending_because(f"{number_at(status, 'succeeded')} of {want} pods succeeded{more}")


def pod_readiness(live: JsonObject) -> Readiness:
    """Ready or succeeded; what keeps a container waiting is named."""
    status, conditions = map_at(live, "status"), conditions_of(live)
    phase = status.get("phase")
    if phase == "Succeeded" or has_condition(conditions, "Ready"):
        return READY
    if phase == "Failed":
        return failed_because(reason_text(status, "the pod failed"))
    entries = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for entry in entries:
        waiting = map_at(map_at(entry, "state"), "waiting")
        reason = str(waiting.get("reason") or "")
        if reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
            return pending_because(f"container {entry.get('name')}: {reason_text(waiting, reason)}")
    scheduled = conditions.get("PodScheduled")
    if scheduled and scheduled.get("status") == "False":
        return pending_because(reason_text(scheduled, "not scheduled"))
    ready = sum(entry.get("ready") is True for entry in status.get("containerStatuses") or ())
    return pending_because(f"{ready} of {len(map_at(live, 'spec').get('containers') or ())} containers ready")
