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

from planner.address import group_of_api_version
from planner.ports import Readiness
from planner.values import JsonObject
from providers.kubernetes.readiness_rules.cluster_and_storage import (
    api_service_readiness,
    claim_readiness,
    crd_readiness,
    namespace_readiness,
    service_readiness,
    volume_readiness,
)
from providers.kubernetes.readiness_rules.status_parts import (
    READY,
    failed_because,
    has_condition,
    map_field_or_empty,
    pending_because,
    pending_if_spec_unobserved,
    reason_text,
    status_conditions,
    what_deletion_waits_for,
)
from providers.kubernetes.readiness_rules.tekton_and_argo import application_readiness, tekton_run_readiness
from providers.kubernetes.readiness_rules.workloads import (
    daemon_set_readiness,
    deployment_readiness,
    job_readiness,
    pod_readiness,
    replica_set_readiness,
    stateful_set_readiness,
)

_Rule: TypeAlias = Callable[[JsonObject], Readiness]


def object_readiness(
    live: JsonObject | None, *, binds_at_once: bool = False, converge: bool = False, waits: bool = True
) -> Readiness:
    """Whether `live` (None: not there) is ready; the message says what is awaited, or why it failed.

    `binds_at_once` is about PersistentVolumeClaims, `converge` about Argo CD Applications (see the module). With
    `waits` false, existence is enough for everything.
    """
    if live is None:
        return pending_because("does not exist yet")
    metadata = live.get("metadata") or {}
    if metadata.get("deletionTimestamp"):
        ended = (
            job_readiness(live) if job_deletes_itself_when_ended(live) else None
        )  # its pods go first, so that it is seen for a while
        return ended if ended and ended.done else pending_because(what_deletion_waits_for(live))
    if not waits:
        return READY
    group, kind = group_of_api_version(str(live.get("apiVersion", ""))), str(live.get("kind", ""))
    if (group, kind) == ("", "PersistentVolumeClaim"):
        return claim_readiness(live, binds_at_once)
    if (group, kind) == ("argoproj.io", "Application"):
        return application_readiness(live, converge)
    rule = RULES.get((group, kind), generic_readiness)
    return pending_if_spec_unobserved(live) or rule(live)


def is_ready_when_written(live: JsonObject) -> bool:
    """Whether an object is of a kind that nothing makes ready after its write: data and rules, which are read."""
    kind = (group_of_api_version(str(live.get("apiVersion", ""))), str(live.get("kind", "")))
    return kind in _DATA and not (live.get("metadata") or {}).get("deletionTimestamp")


def vanished_readiness(desired: JsonObject | None) -> Readiness:
    """What it means that an object which was written, or seen, is not there any more.

    A Job with ttlSecondsAfterFinished is deleted by its controller only after it ended (Kubernetes, "Automatic Cleanup
    for Finished Jobs"); whether it succeeded is not known here (providers.kubernetes.self_deleting_jobs looks for it).
    """
    if job_deletes_itself_when_ended(desired):
        return Readiness(done=True, ok=True, warnings=("ended, and was deleted as its ttlSecondsAfterFinished says",))
    return failed_because("it is not there any more: somebody deleted it while it was waited for")


def job_deletes_itself_when_ended(desired: JsonObject | None) -> bool:
    """Whether a document is that of a Job which is deleted by its controller when it has ended."""
    document = desired or {}
    if (group_of_api_version(str(document.get("apiVersion", ""))), document.get("kind")) != ("batch", "Job"):
        return False
    return isinstance(map_field_or_empty(document, "spec").get("ttlSecondsAfterFinished"), int)


def deletion_readiness(live: JsonObject | None, *, uid: str) -> Readiness:
    """Whether the object with `uid` is deleted: nothing stands there, or another object of the same name."""
    if live is None or str((live.get("metadata") or {}).get("uid", "")) != uid:
        return READY
    return pending_because(what_deletion_waits_for(live))


def generic_readiness(live: JsonObject) -> Readiness:
    """Conditions that many controllers share; without them an object is ready when it exists."""
    conditions = status_conditions(live)
    if has_condition(conditions, "Stalled"):
        return failed_because(reason_text(conditions["Stalled"], "stalled"))
    ready = conditions.get("Ready")
    if has_condition(conditions, "Reconciling"):
        return pending_because(reason_text(conditions["Reconciling"], "reconciling"))
    if ready is None:
        return READY
    generation, observed = map_field_or_empty(live, "metadata").get("generation"), ready.get("observedGeneration")
    if isinstance(observed, int) and isinstance(generation, int) and observed < generation:
        return pending_because(f"its controller has seen generation {observed} of {generation}")
    return READY if ready.get("status") == "True" else pending_because(reason_text(ready, "not ready yet"))


_DATA: Final = frozenset(
    {
        ("", "ConfigMap"),
        ("", "LimitRange"),
        ("", "Secret"),
        ("", "ServiceAccount"),
        ("networking.k8s.io", "IngressClass"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "StorageClass"),
    }
)
RULES: Final[Mapping[tuple[str, str], _Rule]] = {
    ("apps", "Deployment"): deployment_readiness,
    ("apps", "StatefulSet"): stateful_set_readiness,
    ("apps", "DaemonSet"): daemon_set_readiness,
    ("apps", "ReplicaSet"): replica_set_readiness,
    ("", "ReplicationController"): replica_set_readiness,
    ("batch", "Job"): job_readiness,
    ("", "Pod"): pod_readiness,
    ("", "PersistentVolume"): volume_readiness,
    ("", "Namespace"): namespace_readiness,
    ("", "Service"): service_readiness,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): crd_readiness,
    ("apiregistration.k8s.io", "APIService"): api_service_readiness,
    ("tekton.dev", "PipelineRun"): tekton_run_readiness,
    ("tekton.dev", "TaskRun"): tekton_run_readiness,
    ("tekton.dev", "CustomRun"): tekton_run_readiness,
}
