"""Readiness, kind by kind: live objects as controllers leave them, what is said about each, and what is awaited."""

from __future__ import annotations

from typing import Any

import pytest

from providers.kubernetes.readiness import deletion_readiness, is_ready_when_written, object_readiness

READY = "ready"


def condition(kind: str, status: str = "True", reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, **more}


def live(api_version: str, kind: str, spec: Any = None, status: Any = None, **metadata: Any) -> dict[str, Any]:
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "uid": "u", "generation": 2, **metadata}}
    if spec is not None:
        body["spec"] = spec
    if status is not None:
        body["status"] = status
    return body


def deployment(spec: Any = None, **status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2} | status
    return live("apps/v1", "Deployment", {"replicas": 2} | (spec or {}), full)


def stateful_set(spec: Any = None, **status: Any) -> dict[str, Any]:
    full = {
        "observedGeneration": 2,
        "replicas": 2,
        "readyReplicas": 2,
        "updatedReplicas": 2,
        "currentRevision": "r2",
        "updateRevision": "r2",
    }
    full_spec = {"replicas": 2, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}
    return live("apps/v1", "StatefulSet", full_spec | (spec or {}), full | status)


def daemon_set(spec: Any = None, **status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}
    return live("apps/v1", "DaemonSet", spec or {}, full | status)


def replica_set(**status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 2, "replicas": 2, "availableReplicas": 2} | status
    return live("apps/v1", "ReplicaSet", {"replicas": 2}, full)


def job(spec: Any = None, conditions: Any = (), **status: Any) -> dict[str, Any]:
    return live("batch/v1", "Job", {"completions": 1} | (spec or {}), {"conditions": list(conditions)} | status)


def pod(phase: str, conditions: Any = (), containers: Any = (), **more: Any) -> dict[str, Any]:
    status = {"phase": phase, "conditions": list(conditions), "containerStatuses": list(containers), **more}
    return live("v1", "Pod", {"containers": [{"name": "c"}]}, status)


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"name": "c", "ready": False, "state": {"waiting": {"reason": reason, "message": message}}}


def crd(*conditions: Any) -> dict[str, Any]:
    return live("apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, {"conditions": list(conditions)})


def run(kind: str = "PipelineRun", **status: Any) -> dict[str, Any]:
    return live("tekton.dev/v1", kind, {}, status or None)


def thing(*conditions: Any, **status: Any) -> dict[str, Any]:
    return live("example.com/v1", "Thing", {}, {"conditions": list(conditions), **status})


QUOTA = condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: q")
TOO_LATE = condition("Progressing", "False", "ProgressDeadlineExceeded", 'ReplicaSet "x" has timed out progressing.')

# object -> "ready", or what is awaited, or "failed: …"; with "ready: …" where readiness has something to say
TABLE: list[tuple[str, dict[str, Any], str]] = [
    ("deployment", deployment(), READY),
    ("deployment-created", live("apps/v1", "Deployment", {"replicas": 2}), "its controller has not seen it yet"),
    ("deployment-unseen", deployment(observedGeneration=1), "its controller has seen generation 1 of 2"),
    ("deployment-rolling", deployment(updatedReplicas=1), "1 of 2 replicas updated"),
    ("deployment-old", deployment(replicas=3), "1 old replicas still run"),
    ("deployment-unavailable", deployment(availableReplicas=0), "0 of 2 updated replicas available"),
    ("deployment-shrinking", deployment({"replicas": 1}), "1 replicas too many"),
    ("deployment-zero", deployment({"replicas": 0}, replicas=0, updatedReplicas=0, availableReplicas=0), READY),
    (
        "deployment-default-replicas",
        live("apps/v1", "Deployment", {}, {"observedGeneration": 2}),
        "0 of 1 replicas updated",
    ),
    ("deployment-failed", deployment(updatedReplicas=1, conditions=[TOO_LATE]), "failed: ProgressDeadlineExceeded: "),
    (
        "deployment-failed-before-this-generation",
        deployment(observedGeneration=1, conditions=[TOO_LATE]),
        "its controller has seen generation 1 of 2",
    ),
    (
        "deployment-quota",
        deployment(updatedReplicas=1, conditions=[QUOTA]),
        "1 of 2 replicas updated (FailedCreate: exceeded quota: q)",
    ),
    ("deployment-paused", deployment({"paused": True}, updatedReplicas=0), "ready: paused as declared"),
    ("stateful-set", stateful_set(), READY),
    ("stateful-set-created", live("apps/v1", "StatefulSet", {}, {"replicas": 0}), "its controller has not seen it yet"),
    ("stateful-set-starting", stateful_set(readyReplicas=1), "1 of 2 replicas ready"),
    ("stateful-set-shrinking", stateful_set(replicas=3), "1 replicas too many"),
    ("stateful-set-updating", stateful_set(updatedReplicas=1), "1 of 2 replicas updated"),
    ("stateful-set-revision", stateful_set(currentRevision="r1"), "rolling from revision r1 to r2"),
    (
        "stateful-set-partition",
        stateful_set(
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
            updatedReplicas=1,
            currentRevision="r1",
        ),
        READY,
    ),
    (
        "stateful-set-on-delete",
        stateful_set({"updateStrategy": {"type": "OnDelete"}}, updatedReplicas=0, currentRevision="r1"),
        "ready: pods are updated when they are deleted (OnDelete)",
    ),
    (
        "stateful-set-zero",
        stateful_set({"replicas": 0}, replicas=0, readyReplicas=0, updatedReplicas=0, currentRevision="r1"),
        READY,
    ),
    ("daemon-set", daemon_set(), READY),
    ("daemon-set-created", live("apps/v1", "DaemonSet", {}, {}), "its controller has not seen it yet"),
    ("daemon-set-updating", daemon_set(updatedNumberScheduled=1), "1 of 3 nodes updated"),
    ("daemon-set-unavailable", daemon_set(numberAvailable=2), "2 of 3 nodes available"),
    ("daemon-set-on-delete", daemon_set({"updateStrategy": {"type": "OnDelete"}}, updatedNumberScheduled=0), READY),
    ("daemon-set-no-node", daemon_set(desiredNumberScheduled=0), READY),
    ("replica-set", replica_set(), READY),
    ("replica-set-starting", replica_set(availableReplicas=1), "1 of 2 replicas available"),
    ("replica-set-shrinking", replica_set(replicas=3), "1 replicas too many"),
    (
        "replica-set-quota",
        replica_set(availableReplicas=0, conditions=[QUOTA]),
        "0 of 2 replicas available (FailedCreate: exceeded quota: q)",
    ),
    ("job-created", live("batch/v1", "Job", {}), "0 of 1 pods succeeded"),
    ("job-running", job({"completions": 3}, succeeded=1, failed=2), "1 of 3 pods succeeded, 2 failed"),
    ("job-complete", job(conditions=[condition("SuccessCriteriaMet"), condition("Complete")]), READY),
    ("job-almost", job(conditions=[condition("SuccessCriteriaMet")]), "0 of 1 pods succeeded"),
    (
        "job-failed",
        job(conditions=[condition("Failed", "True", "BackoffLimitExceeded", "Job has reached the limit")]),
        "failed: BackoffLimitExceeded: Job has reached the limit",
    ),
    ("job-not-failed", job(conditions=[condition("Failed", "False")]), "0 of 1 pods succeeded"),
    ("job-suspended", job({"suspend": True}, [condition("Suspended")]), "ready: suspended as declared"),
    ("pod-ready", pod("Running", [condition("Ready")]), READY),
    ("pod-succeeded", pod("Succeeded", [condition("Ready", "False", "PodCompleted")]), READY),
    ("pod-failed", pod("Failed", reason="Evicted", message="low on memory"), "failed: Evicted: low on memory"),
    ("pod-starting", pod("Pending"), "0 of 1 containers ready"),
    (
        "pod-pulling",
        pod("Pending", containers=[waiting("ErrImagePull", "not found")]),
        "container c: ErrImagePull: not found",
    ),
    ("pod-crashing", pod("Running", containers=[waiting("CrashLoopBackOff")]), "container c: CrashLoopBackOff"),
    ("pod-creating", pod("Pending", containers=[waiting("ContainerCreating")]), "0 of 1 containers ready"),
    (
        "pod-unschedulable",
        pod("Pending", [condition("PodScheduled", "False", "Unschedulable", "0/2 nodes are available")]),
        "Unschedulable: 0/2 nodes are available",
    ),
    ("claim-bound", live("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}), READY),
    (
        "claim-waiting",
        live("v1", "PersistentVolumeClaim", {}, {"phase": "Pending"}),
        "ready: binds when a pod first uses it",
    ),
    ("claim-lost", live("v1", "PersistentVolumeClaim", {}, {"phase": "Lost"}), "failed: its volume is lost"),
    ("volume-released", live("v1", "PersistentVolume", {}, {"phase": "Released"}), READY),
    ("volume-failed", live("v1", "PersistentVolume", {}, {"phase": "Failed", "reason": "R"}), "failed: R"),
    ("namespace", live("v1", "Namespace", {}, {"phase": "Active"}), READY),
    ("namespace-new", live("v1", "Namespace", {}), "not active yet"),
    ("namespace-terminating", live("v1", "Namespace", {}, {"phase": "Terminating"}), "not deleted yet"),
    ("crd-new", crd(), "not established yet"),
    ("crd", crd(condition("Established"), condition("NamesAccepted")), READY),
    ("crd-installing", crd(condition("Established", "False", "Installing")), "not established yet"),
    (
        "crd-names",
        crd(
            condition("NamesAccepted", "False", "PluralConflict", '"things" is taken'),
            condition("Established", "False"),
        ),
        'failed: PluralConflict: "things" is taken',
    ),
    ("crd-refused", crd(condition("Established", "False", "NotAccepted")), "failed: NotAccepted"),
    ("service", live("v1", "Service", {"type": "ClusterIP"}, {"loadBalancer": {}}), READY),
    ("service-external", live("v1", "Service", {"type": "ExternalName"}), READY),
    (
        "balancer-new",
        live("v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {}}),
        "no address from the load balancer yet",
    ),
    (
        "balancer",
        live("v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}),
        READY,
    ),
    (
        "api-service-down",
        live(
            "apiregistration.k8s.io/v1",
            "APIService",
            {},
            {"conditions": [condition("Available", "False", "MissingEndpoints")]},
        ),
        "MissingEndpoints",
    ),
    (
        "api-service",
        live("apiregistration.k8s.io/v1", "APIService", {}, {"conditions": [condition("Available")]}),
        READY,
    ),
    ("run-new", run(), "no controller has picked it up yet"),
    (
        "run-running",
        run(
            conditions=[
                condition(
                    "Succeeded", "Unknown", "Running", "Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 2"
                )
            ]
        ),
        "Running: Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 2",
    ),
    ("run-cancelling", run(conditions=[condition("Succeeded", "Unknown", "Cancelled")]), "Cancelled"),
    ("run-done", run(conditions=[condition("Succeeded", "True", "Completed")]), READY),
    (
        "run-failed",
        run("TaskRun", conditions=[condition("Succeeded", "False", "StepFailed", "m")]),
        "failed: StepFailed: m",
    ),
    ("cron-job", live("batch/v1", "CronJob", {"schedule": "* * * * *"}, {}), READY),
    ("config-map", live("v1", "ConfigMap"), READY),
    ("role", live("rbac.authorization.k8s.io/v1", "Role"), READY),
    ("thing-without-status", live("example.com/v1", "Thing", {}), READY),
    ("thing-without-conditions", thing(), READY),
    ("thing-unseen", thing(observedGeneration=1), "its controller has seen generation 1 of 2"),
    ("thing-ready", thing(condition("Ready"), observedGeneration=2), READY),
    ("thing-not-ready", thing(condition("Ready", "False", "Waiting", "for b")), "Waiting: for b"),
    ("thing-unknown", thing(condition("Ready", "Unknown")), "not ready yet"),
    (
        "thing-old-condition",
        thing(condition("Ready", observedGeneration=1)),
        "its controller has seen generation 1 of 2",
    ),
    ("thing-reconciling", thing(condition("Ready"), condition("Reconciling", "True", "Progressing")), "Progressing"),
    ("thing-stalled", thing(condition("Ready", "False"), condition("Stalled", "True", "Bad", "m")), "failed: Bad: m"),
    ("deleting", live("v1", "ConfigMap", deletionTimestamp="t", finalizers=["a/b"]), "being deleted, waiting for a/b"),
    (
        "odd",
        {"kind": "Deployment", "apiVersion": "apps/v1", "status": [], "spec": "x"},
        "its controller has not seen it yet",
    ),
    ("odd-conditions", thing("x"), READY),
    ("nothing", {}, READY),
]


@pytest.mark.parametrize(("found", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_readiness(found: dict[str, Any], expected: str) -> None:
    result = object_readiness(found)
    if expected == READY:
        assert (result.done, result.ok, result.message) == (True, True, "")
    elif expected.startswith("ready: "):
        assert (result.done, result.ok, result.message) == (True, True, expected.removeprefix("ready: "))
    elif expected.startswith("failed: "):
        assert (result.done, result.ok) == (True, False)
        assert result.message.startswith(expected.removeprefix("failed: "))
    else:
        assert (result.done, result.ok, result.message) == (False, False, expected)


def test_what_is_not_there_is_awaited() -> None:
    assert not object_readiness(None).done


def test_without_waiting_existence_is_enough_but_a_deletion_still_is_not() -> None:
    assert object_readiness(deployment(updatedReplicas=0), waits=False).ok
    assert not object_readiness(live("v1", "ConfigMap", deletionTimestamp="t"), waits=False).done
    assert not object_readiness(None, waits=False).done


def test_a_claim_of_a_class_that_binds_at_once_is_awaited() -> None:
    claim = live("v1", "PersistentVolumeClaim", {}, {"phase": "Pending"})
    assert object_readiness(claim, binds_at_once=True).message == "not bound to a volume yet"
    assert object_readiness({**claim, "status": {"phase": "Bound"}}, binds_at_once=True).ok


def application(**status: Any) -> dict[str, Any]:
    return live("argoproj.io/v1alpha1", "Application", {}, status or None)


SYNCED = {"sync": {"status": "Synced", "revision": "abc"}, "health": {"status": "Healthy"}}


@pytest.mark.parametrize(
    ("found", "done", "ok", "message"),
    [
        (application(), False, False, "not compared yet, health unknown"),
        (application(**SYNCED), True, True, ""),
        (application(**SYNCED, operationState={"phase": "Succeeded"}), True, True, ""),
        (application(**SYNCED, operationState={"phase": "Running"}), False, False, "Synced, Healthy, sync running"),
        ({**application(**SYNCED), "operation": {"sync": {}}}, False, False, "Synced, Healthy, sync running"),
        (application(sync={"status": "OutOfSync"}, health={"status": "Missing"}), False, False, "OutOfSync, Missing"),
        (
            application(sync={"status": "OutOfSync"}, operationState={"phase": "Failed", "message": "one task failed"}),
            True,
            False,
            "OutOfSync, health unknown: one task failed",
        ),
    ],
)
def test_an_application_that_has_to_converge(found: dict[str, Any], done: bool, ok: bool, message: str) -> None:
    result = object_readiness(found, converge=True)
    assert (result.done, result.ok, result.message) == (done, ok, message)


def test_an_application_is_ready_when_it_exists() -> None:
    assert object_readiness(application()).ok
    result = object_readiness(application(**SYNCED))
    assert result.outputs == {"revision": "abc", "sync": "Synced", "health": "Healthy"}


def test_outputs_of_a_run() -> None:
    found = run(
        conditions=[condition("Succeeded", "True", "Succeeded")],
        results=[{"name": "digest", "value": "sha256:1"}],
        startTime="2026-11-20T09:02:00Z",
    )
    assert object_readiness(found).outputs == {
        "state": "succeeded",
        "reason": "Succeeded",
        "results": {"digest": "sha256:1"},
        "startTime": "2026-11-20T09:02:00Z",
    }


def test_gone() -> None:
    assert deletion_readiness(None, uid="u").ok
    assert deletion_readiness(live("v1", "ConfigMap", uid="another"), uid="u").ok
    assert deletion_readiness(live("v1", "ConfigMap"), uid="u").message == "not deleted yet"
    held = live("v1", "ConfigMap", deletionTimestamp="t", finalizers=["a/b", "c"])
    assert deletion_readiness(held, uid="u").message == "being deleted, waiting for a/b, c"


def test_a_stuck_namespace_says_what_holds_it() -> None:
    stuck = condition(
        "NamespaceContentRemaining", "True", "SomeResourcesRemain", "things.example.com has 1 resource instances"
    )
    found = live(
        "v1",
        "Namespace",
        {"finalizers": ["kubernetes"]},
        {"phase": "Terminating", "conditions": [stuck, condition("NamespaceDeletionDiscoveryFailure", "False")]},
        deletionTimestamp="t",
    )
    expected = "being deleted: SomeResourcesRemain: things.example.com has 1 resource instances"
    assert deletion_readiness(found, uid="u").message == expected
    assert object_readiness(found).message == expected


@pytest.mark.parametrize(
    ("version", "kind", "ready"),
    [
        ("v1", "ConfigMap", True),
        ("v1", "Secret", True),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", True),
        ("v1", "Service", False),  # of type LoadBalancer
        ("apps/v1", "Deployment", False),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", False),
        ("tekton.dev/v1", "Task", False),  # an admission or a controller of its own may have a say
        ("example.com/v1", "Secret", False),
    ],
)
def test_only_data_and_rules_are_ready_when_they_are_written(version: str, kind: str, ready: bool) -> None:
    assert is_ready_when_written(live(version, kind)) is ready
    assert not is_ready_when_written(live(version, kind, deletionTimestamp="2026-01-01T00:00:00Z"))
    if ready:
        assert object_readiness(live(version, kind)).done, "as a look at it would say"
