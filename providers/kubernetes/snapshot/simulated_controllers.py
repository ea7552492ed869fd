"""The controllers that a snapshot plays: statuses that make things ready at once, addresses, garbage collection.

Everything they write carries the field manager `simulated-controllers`, and each condition says that it is
simulated. No pod ever runs and nothing ever fails here; docs and every output say so. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping

from planner.values import Json, JsonObject
from providers.kubernetes.snapshot.folder_layout import ObjectIdentity
from providers.kubernetes.snapshot.snapshot_objects import SnapshotObjects, owner_uids

SIMULATED = "simulated-controllers"
OUTCOME = "hwplan.dev/simulated-outcome"  # annotation of a Tekton run: what it comes to, as JSON
_NAMESPACE = ("", "Namespace")
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_WORDS = "simulated: nothing runs in a snapshot"
_REFRESH = "argocd.argoproj.io/refresh"


def simulated_status(document: JsonObject, now: str) -> JsonObject | None:
    """The status that the controllers of this kind would come to; None where no controller is played."""
    group = str(document.get("apiVersion", "")).rpartition("/")[0]
    rule = _RULES.get((group, str(document.get("kind"))))
    return rule(document, now) if rule else None


def without_finished_operation(document: JsonObject) -> JsonObject:
    """An object without what its controller takes away when it has done it: operation and refresh of an Application."""
    asked = document.get("operation") or _is_refreshed(document)
    if document.get("kind") != "Application" or not asked or _phase(document) == "Running":
        return document
    metadata = dict(document["metadata"])
    annotations = {key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key != _REFRESH}
    if annotations:
        metadata["annotations"] = annotations
    return {key: value for key, value in document.items() if key != "operation"} | {"metadata": metadata}


def _is_refreshed(document: JsonObject) -> bool:
    return _REFRESH in (document["metadata"].get("annotations") or {})


def is_namespace_or_crd(identity: ObjectIdentity) -> bool:
    """Whether it is a Namespace or a CRD: objects go with it although they do not name it as an owner."""
    return identity[:2] in (_NAMESPACE, _CRD)


def objects_deleted_along_with(
    to_delete: ObjectIdentity, objects: SnapshotObjects, gone: Collection[ObjectIdentity]
) -> Iterator[ObjectIdentity]:
    """The objects that are deleted along with one: a namespace's content, a CRD's objects, and what has no other owner
    left.

    `gone` are objects on their way out, `to_delete` among them. As for the garbage collector, an owner that does not
    exist counts for nothing.
    """
    document = objects[to_delete]
    if to_delete[:2] == _NAMESPACE:
        yield from objects.in_namespace(to_delete.name)
    elif to_delete[:2] == _CRD:
        spec = document.get("spec") or {}
        yield from objects.identities(str(spec.get("group")), str((spec.get("names") or {}).get("kind")))
    for identity in objects.owned_by(str(document["metadata"].get("uid"))):
        owners = (objects.with_uid(uid) for uid in owner_uids(objects[identity]))
        if all(owner is None or owner in gone for owner in owners):
            yield identity


# --- statuses ------------------------------------------------------------------------------------------------------


def _condition(kind: str, reason: str, now: str, document: JsonObject) -> JsonObject:
    """A true condition. Its time stays when it was true before, as a controller's would."""
    for old in (document.get("status") or {}).get("conditions") or ():
        if old.get("type") == kind and old.get("status") == "True":
            return {"lastTransitionTime": now, **old}  # somebody else may have set it without a time
    return {"type": kind, "status": "True", "reason": reason, "message": _WORDS, "lastTransitionTime": now}


def _generation(document: JsonObject) -> JsonObject:
    return {"observedGeneration": document["metadata"].get("generation", 1)}


def _replicas(document: JsonObject) -> int:
    value = (document.get("spec") or {}).get("replicas", 1)
    return value if isinstance(value, int) else 1


def _counts(number: int, *names: str) -> dict[str, Json]:
    return dict.fromkeys(names, number) if number else {}


def _deployment(document: JsonObject, now: str) -> JsonObject:
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    available = _condition("Available", "MinimumReplicasAvailable", now, document)
    progressing = _condition("Progressing", "NewReplicaSetAvailable", now, document)
    return {
        **_generation(document),
        **_counts(_replicas(document), *names),
        "conditions": [
            {**available, "lastUpdateTime": available["lastTransitionTime"]},
            {**progressing, "lastUpdateTime": progressing["lastTransitionTime"]},
        ],
    }


def _stateful_set(document: JsonObject, now: str) -> JsonObject:
    template = repr(((document.get("spec") or {}).get("template"), document["metadata"].get("name")))
    revision = f"{document['metadata'].get('name')}-{hashlib.sha256(template.encode()).hexdigest()[:10]}"
    number = _replicas(document)
    counts = _counts(number, "currentReplicas", "updatedReplicas", "readyReplicas")
    both = {"currentRevision": revision, "updateRevision": revision}
    return {**_generation(document), "replicas": number, "availableReplicas": number, **counts, **both}


def _replica_set(document: JsonObject, now: str) -> JsonObject:
    number = _replicas(document)
    return {**_generation(document), "replicas": number, **_counts(number, "readyReplicas", "availableReplicas")}


def _daemon_set(document: JsonObject, now: str) -> JsonObject:
    one = (
        "currentNumberScheduled",
        "desiredNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return {**_generation(document), **_counts(1, *one), "numberMisscheduled": 0}


def _job(document: JsonObject, now: str) -> JsonObject:
    spec = document.get("spec") or {}
    if spec.get("suspend") is True:
        return {}
    complete = _condition("Complete", "CompletionsReached", now, document)
    start = complete["lastTransitionTime"]
    done = {"succeeded": spec.get("completions", 1), "ready": 0, "terminating": 0}
    return {**done, "startTime": start, "completionTime": start, "conditions": [complete]}


def _pod(document: JsonObject, now: str) -> JsonObject:
    return {"phase": "Running", "conditions": [_condition("Ready", "Simulated", now, document)]}


def _claim(document: JsonObject, now: str) -> JsonObject:
    spec = document.get("spec") or {}
    requests = (spec.get("resources") or {}).get("requests") or {}
    return {"phase": "Bound", "accessModes": spec.get("accessModes") or [], "capacity": dict(requests)}


def _volume(document: JsonObject, now: str) -> JsonObject:
    return {"phase": "Available"}


def _namespace(document: JsonObject, now: str) -> JsonObject:
    return {"phase": "Active"}


def _crd(document: JsonObject, now: str) -> JsonObject:
    spec = document.get("spec") or {}
    stored = [version["name"] for version in spec.get("versions") or () if version.get("storage")]
    conditions = [
        _condition("NamesAccepted", "NoConflicts", now, document),
        _condition("Established", "InitialNamesAccepted", now, document),
    ]
    return {"acceptedNames": dict(spec.get("names") or {}), "conditions": conditions, "storedVersions": stored}


def _service(document: JsonObject, now: str) -> JsonObject:
    if (document.get("spec") or {}).get("type") != "LoadBalancer":
        return {"loadBalancer": {}}
    return {"loadBalancer": {"ingress": [{"ip": "192.0.2.1", "ipMode": "VIP"}]}}


def _api_service(document: JsonObject, now: str) -> JsonObject:
    return {"conditions": [_condition("Available", "Simulated", now, document)]}


def _tekton_run(document: JsonObject, now: str) -> JsonObject:
    """It succeeds at once, or comes to what stands in its annotation."""
    said = json.loads((document["metadata"].get("annotations") or {}).get(OUTCOME) or "{}")
    condition = _condition("Succeeded", "Succeeded", now, document) | said.pop("condition", {})
    at = condition["lastTransitionTime"]
    for step in said.get("steps") or ():
        step["terminated"] = {"startedAt": at, "finishedAt": at, **step["terminated"]}
    return {"conditions": [condition], "startTime": at, "completionTime": at, **said}


def _phase(document: JsonObject) -> str:
    return str(((document.get("status") or {}).get("operationState") or {}).get("phase") or "")


def _application(document: JsonObject, now: str) -> JsonObject:
    """In sync at once. An operation that was asked for is carried out, and stays on record; one that somebody made run
    goes on until it is terminated."""
    before, operation = document.get("status") or {}, document.get("operation")
    if operation and _phase(document) == "Running":
        return before
    if operation and _phase(document) == "Terminating":
        ended = {"phase": "Failed", "message": f"Operation terminated ({_WORDS})", "finishedAt": now}
        return {**before, "operationState": {**before["operationState"], **ended}}
    target = ((document.get("spec") or {}).get("source") or {}).get("targetRevision", "HEAD")
    if not operation:
        retained = {key: before[key] for key in ("operationState", "reconciledAt", "resources") if key in before}
        revision = ((retained.get("operationState") or {}).get("syncResult") or {}).get("revision") or target
        retained |= {"reconciledAt": now} if _is_refreshed(document) else {}
        return {"sync": {"status": "Synced", "revision": revision}, "health": {"status": "Healthy"}, **retained}
    revision = (operation.get("sync") or {}).get("revision") or target
    result = {"revision": revision, "resources": []}
    state = {"phase": "Succeeded", "message": _WORDS, "startedAt": now, "finishedAt": now, "syncResult": result}
    return {
        "sync": {"status": "Synced", "revision": revision},
        "health": {"status": "Healthy"},
        "operationState": {"operation": operation, **state},
        "reconciledAt": now,
        **({"resources": before["resources"]} if "resources" in before else {}),
    }


_RULES: Mapping[tuple[str, str], Callable[[JsonObject, str], JsonObject]] = {
    ("", "Namespace"): _namespace,
    ("", "PersistentVolume"): _volume,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): _pod,
    ("", "ReplicationController"): _replica_set,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("argoproj.io", "Application"): _application,
    ("batch", "Job"): _job,
    ("tekton.dev", "PipelineRun"): _tekton_run,
    ("tekton.dev", "TaskRun"): _tekton_run,
}
