"""A live object as somebody would have declared it. Pure: what server and controllers wrote is left out.

Where the object says what was declared (server-side apply, the copy of `kubectl apply`) that is taken, with the values
that live. Otherwise a field is left out exactly when a new object without it would hold the same (planner of the merge:
`predict_as_created`), so nothing that is left out can be missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from planner.resource import APPLIED, COPIES, SET_LABEL
from planner.values import Json, JsonObject, JsonValue
from providers.kubernetes.preview.leftover_server_defaults import predict_as_created
from providers.kubernetes.ssa.field_set import EMPTY, FieldSet
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.ownership import project_fields

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_METADATA = ("name", "namespace", "labels", "annotations", "finalizers")
_WRITTEN = ("deployment.kubernetes.io/", "pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/",
            "kubectl.kubernetes.io/restartedAt", "endpoints.kubernetes.io/", "control-plane.alpha.kubernetes.io/",
            "batch.kubernetes.io/", "autoscaling.alpha.kubernetes.io/")  # fmt: skip
_FINALIZERS = ("kubernetes.io/", "foregroundDeletion", "orphan")
_ALLOCATED = {
    "Service": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"),
    "PersistentVolumeClaim": ("volumeName",),
    "Namespace": ("finalizers",),
    "Pod": ("nodeName",),
}
_HANDS = ("kubectl-edit", "kubectl-patch", "kubectl-label", "kubectl-annotate")
_RUN_LABELS = ("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")


def why_object_not_declarable(live: JsonObject) -> str:
    """Why an object cannot be declared in a configuration (a controller made it, or the server); empty when it can."""
    metadata, kind = live.get("metadata") or {}, str(live.get("kind"))
    name = str(metadata.get("name"))
    if metadata.get("ownerReferences"):
        return "owned by another object"
    if kind in ("Event", "Lease", "Endpoints", "EndpointSlice", "PodMetrics", "ControllerRevision"):
        return "written by controllers"
    if (kind, name) in (("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")):
        return "in every namespace"
    if live.get("type") == "kubernetes.io/service-account-token":
        return "written by controllers"
    return "being deleted" if metadata.get("deletionTimestamp") else ""


def owned_set_of_object(live: JsonObject) -> str:
    """The name of the owned set that an object's label `hwplan.dev/set` says; empty where it has none."""
    return str((live["metadata"].get("labels") or {}).get(SET_LABEL, ""))


def adoptable_document(live: JsonObject, types: MergeTypeTable) -> JsonObject:
    """A live object's document without what the server and controllers wrote: to apply it adopts the object and changes
    nothing."""
    whole = _without_written(live)
    claimed = _claimed(live)
    last = _last_applied(live)
    if last is None and not claimed:
        return _without_defaults(whole, types)
    part: JsonObject = _shaped(whole, last) if last is not None else {}
    if claimed:
        part = _merged(part, project_fields(whole, claimed, types) or {}, whole)
    names = {key: whole["metadata"][key] for key in ("name", "namespace") if key in whole["metadata"]}
    metadata = {**(part.get("metadata") or {}), **names}
    return {"apiVersion": live["apiVersion"], "kind": live["kind"], **part, "metadata": metadata}


def _without_written(live: JsonObject) -> JsonObject:
    """Without what the server and controllers write, whoever asked for the object."""
    kind = str(live["kind"])
    metadata = {key: live["metadata"][key] for key in _METADATA if live["metadata"].get(key)}
    metadata["annotations"] = {
        key: text
        for key, text in (metadata.get("annotations") or {}).items()
        if key not in COPIES and key != APPLIED and not key.startswith(_WRITTEN)
    }
    marks = (SET_LABEL, *(("kubernetes.io/metadata.name",) if kind == "Namespace" else ()))
    metadata["labels"] = {key: text for key, text in (metadata.get("labels") or {}).items() if key not in marks}
    metadata["finalizers"] = [one for one in metadata.get("finalizers") or () if not one.startswith(_FINALIZERS)]
    body = {key: value for key, value in live.items() if key not in ("status", "metadata")}
    if isinstance(body.get("spec"), dict):
        body["spec"] = _spec(kind, body["spec"])
        if not body["spec"]:
            del body["spec"]
    if kind == "ServiceAccount":
        body.pop("secrets", None)
    kept = {key: value for key, value in metadata.items() if value}
    return {"apiVersion": live["apiVersion"], "kind": kind, "metadata": kept, **body}


def _spec(kind: str, spec: JsonObject) -> JsonObject:
    headless = kind == "Service" and spec.get("clusterIP") == "None"
    dropped = () if headless else _ALLOCATED.get(kind, ())
    found = {key: value for key, value in spec.items() if key not in dropped}
    if headless:
        found = {
            key: value for key, value in found.items() if key not in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
        }
    if kind == "Job" and not spec.get("manualSelector"):
        found.pop("selector", None)
        template = found.get("template") or {}
        labels = {
            k: v for k, v in ((template.get("metadata") or {}).get("labels") or {}).items() if k not in _RUN_LABELS
        }
        found["template"] = {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}}
    return found


def _entries(live: JsonObject) -> list[JsonObject]:
    return list(live["metadata"].get("managedFields") or ())


def _claimed(live: JsonObject) -> FieldSet:
    """What somebody declared by server-side apply, or changed by hand since."""
    found = EMPTY
    for entry in _entries(live):
        by_hand = str(entry.get("manager", "")) in (
            "kubectl-edit",
            "kubectl-patch",
            "kubectl-label",
            "kubectl-annotate",
        )
        if not entry.get("subresource") and (entry.get("operation") == "Apply" or by_hand):
            found = found | FieldSet.parse(entry.get("fieldsV1") or {})
    return found


def _last_applied(live: JsonObject) -> JsonObject | None:
    text = (live["metadata"].get("annotations") or {}).get(_LAST_APPLIED)
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _shaped(live: Json, wanted: Json) -> Json:
    """The values of `live` where `wanted` has any."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        return {key: _shaped(live[key], item) for key, item in wanted.items() if key in live}
    if not (isinstance(live, list) and isinstance(wanted, list)):
        return live
    if all(isinstance(item, dict) and "name" in item for item in (*live, *wanted)):
        by_name = {item["name"]: item for item in wanted}
        return [_shaped(item, by_name.get(item["name"], item)) for item in live]
    if len(live) == len(wanted):
        return [_shaped(item, other) for item, other in zip(live, wanted, strict=True)]
    return live


def _merged(part: JsonValue, more: JsonValue, whole: JsonValue) -> Json:
    """Both parts of one document; where a list is in both it is taken from the whole."""
    if isinstance(part, dict) and isinstance(more, dict) and isinstance(whole, dict):
        keys = [key for key in whole if key in part or key in more]
        return {
            key: _merged(part[key], more[key], whole[key])
            if key in part and key in more
            else part.get(key, more.get(key))
            for key in keys
        }
    return part if part == more else whole


def _without_defaults(document: JsonObject, types: MergeTypeTable) -> JsonObject:
    """Without each field that a new object would have all the same."""
    stored = _stored(document, types)
    if stored is None:
        return document
    for path in list(_fields(document, ())):
        less = _cut(document, path)
        if less is not None and _stored(less, types) == stored:
            document = less
    return document


def _stored(document: JsonObject, types: MergeTypeTable) -> JsonObject | None:
    made = predict_as_created(document, types)
    if made is None:
        return None
    return {**made, "metadata": {key: value for key, value in made["metadata"].items() if key != "managedFields"}}


def _fields(node: JsonValue, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Fields below `spec` and the like, those that hold others first."""
    if isinstance(node, dict):
        for key, item in node.items():
            if path or key not in ("apiVersion", "kind", "metadata"):
                yield (*path, key)
                yield from _fields(item, (*path, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _fields(item, (*path, index))


def _cut(node: Json, path: tuple[str | int, ...]) -> Json:
    """A copy without the field; None where it is not there any more."""
    head, rest = path[0], path[1:]
    there = (
        head in node
        if isinstance(node, dict)
        else isinstance(node, list) and isinstance(head, int) and head < len(node)
    )
    if not there:
        return None
    if not rest:
        return {key: item for key, item in node.items() if key != head}
    below = _cut(node[head], rest)
    if below is None:
        return None
    if isinstance(node, list):
        return [below if at == head else item for at, item in enumerate(node)]
    return {**node, head: below}
