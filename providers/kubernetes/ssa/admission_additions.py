"""What the write strategies and built-in admission of the API server add to an object, as far as it is fixed.

Owns finalizers, generated labels and the list of what depends on the cluster (those become reasons to be unsure).
Admission webhooks are outside any local knowledge.
"""

from __future__ import annotations

import base64

from planner.values import JsonObject, deep_copy
from providers.kubernetes.ssa.default_rules import TEMPLATE_GENERATION
from providers.kubernetes.ssa.typed_values import equal_json

_PROTECTED = {
    "v1/PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "v1/PersistentVolume": "kubernetes.io/pv-protection",
}
_PREEMPTION = "PreemptLowerPriority"


def add_admission_fields(live: JsonObject | None, stored: JsonObject) -> None:
    """Add to an object, in place, what admission always adds in the same way. `live` is None for a create."""
    key = f"{stored['apiVersion']}/{stored['kind']}"
    if key == "v1/Secret":
        _string_data(stored)
    elif key == "v1/Pod":
        _pod((live or {}).get("spec"), stored["spec"])
    elif key == "v1/PersistentVolumeClaim":
        _data_sources(live, stored["spec"])
    if live is None:
        _create(key, stored)
    elif key == "apps/v1/DaemonSet":
        _count_template(live, stored)
    elif key == "v1/Namespace":
        stored["spec"] = deep_copy(live.get("spec") or {})
    elif key == "v1/Service":
        _drop_by_type(live["spec"], stored["spec"])


def _count_template(live: JsonObject, stored: JsonObject) -> None:
    """A DaemonSet counts the changes of its template in an annotation."""
    counted = int((live["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION) or 0)
    changed = not equal_json(live["spec"].get("template"), stored["spec"].get("template"))
    stored["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = str(counted + changed)


def _drop_by_type(before: JsonObject, now: JsonObject) -> None:
    """Fields that a Service's new type cannot have go, unless they were changed along with it."""
    if before.get("type") == "LoadBalancer" != now.get("type"):
        for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if name in now and before.get(name) == now[name]:
                del now[name]
    same_policy = before.get("externalTrafficPolicy") == now.get("externalTrafficPolicy")
    if same_policy and _is_external(before) and not _is_external(now):
        now.pop("externalTrafficPolicy", None)


def _is_external(spec: JsonObject) -> bool:
    kind = spec.get("type")
    return kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def _pod(before: JsonObject | None, spec: JsonObject) -> None:
    """Priority (retained once it is set) and the tolerations that every pod has for a while."""
    known = before or ({} if spec.get("priorityClassName") else {"priority": 0, "preemptionPolicy": _PREEMPTION})
    for name in ("priority", "preemptionPolicy"):
        if name in known:
            spec.setdefault(name, known[name])
    tolerations = spec.get("tolerations") or []
    for taint in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_tolerates(item, taint) for item in tolerations):
            rest = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            tolerations = [*tolerations, {"key": taint, **rest}]
    spec["tolerations"] = tolerations


def _tolerates(toleration: JsonObject, taint: str) -> bool:
    return {"key": taint, "effect": "NoExecute", **toleration}.items() >= {"key": taint, "effect": "NoExecute"}.items()


def _data_sources(live: JsonObject | None, spec: JsonObject) -> None:
    """The two fields of a data source get the same content, whichever was set. The old one takes claims and snapshots
    only: a claim without a source loses another kind there."""
    old, new = spec.get("dataSource"), spec.get("dataSourceRef")
    known = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))
    before = (live or {}).get("spec") or {}
    if (
        not (before.get("dataSource") or before.get("dataSourceRef") or new)
        and old is not None
        and (old.get("apiGroup") or "", old.get("kind")) not in known
    ):
        del spec["dataSource"]
    elif old and not new:
        spec["dataSourceRef"] = _reference(old)
    elif new and not old and not new.get("namespace"):
        spec["dataSource"] = _reference(new)


def _reference(source: JsonObject) -> JsonObject:
    return {name: source[name] for name in ("apiGroup", "kind", "name") if name in source}


def _string_data(stored: JsonObject) -> None:
    plain = stored.pop("stringData", None)
    if plain:
        data = stored.setdefault("data", {})
        for name, value in plain.items():
            data[name] = base64.b64encode(value.encode()).decode()


def _create(key: str, stored: JsonObject) -> None:
    if key in _PROTECTED:
        finalizers = stored["metadata"].setdefault("finalizers", [])
        if _PROTECTED[key] not in finalizers:
            finalizers.append(_PROTECTED[key])
    elif key == "apps/v1/DaemonSet":
        annotations = stored["metadata"].setdefault("annotations", {})
        if annotations.get(TEMPLATE_GENERATION, "0") == "0":
            annotations[TEMPLATE_GENERATION] = "1"
    elif key == "v1/Namespace":
        stored["spec"]["finalizers"] = ["kubernetes"]
    elif key == "batch/v1/Job" and not stored["spec"].get("manualSelector"):
        labels = stored["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {})
        name = stored["metadata"].get("name", "")
        labels |= {"job-name": name, "batch.kubernetes.io/job-name": name}
        # read again from the store, an object without labels takes those of its template
        stored["metadata"]["labels"] = dict(stored["metadata"].get("labels") or labels)


def admission_uncertainties(live: JsonObject | None, stored: JsonObject) -> tuple[str, ...]:
    """Why the stored object may differ from what was computed: it depends on other objects of the cluster."""
    key = f"{stored['apiVersion']}/{stored['kind']}"
    if live is None:
        if key == "v1/Pod":
            return ("admission fills in the service account and the priority class of a new Pod",)
        if key == "v1/PersistentVolumeClaim" and not stored["spec"].get("storageClassName"):
            return ("a default StorageClass may be filled in",)
        if key == "networking.k8s.io/v1/Ingress" and not stored["spec"].get("ingressClassName"):
            return ("a default IngressClass may be filled in",)
    elif key == "v1/Service" and live["spec"].get("type") != stored["spec"].get("type"):
        return ("the type of the Service changes: addresses and ports are allocated or freed",)
    return ()
