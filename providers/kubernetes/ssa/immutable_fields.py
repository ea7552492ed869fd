"""Which changes the API server refuses because a field is immutable. A table and one look-up; replaces nothing.

Source of the table: the validation of Kubernetes 1.36 and its messages as observed. A path ends where the whole value
must stay; `*` stands for any list item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from planner.field_path import FieldPath
from planner.values import Json, JsonObject, JsonValue
from providers.kubernetes.ssa.merge_types import MergeType, MergeTypeTable
from providers.kubernetes.ssa.quantity import quantity_amount
from providers.kubernetes.ssa.typed_values import ABSENT, equal_json, list_item_element

ImmutableFieldChange = tuple[FieldPath, str]

_FIELD = "field is immutable"
_ONCE = "may not change once set"
_SELECTOR: tuple[tuple[str, str], ...] = (("spec.selector", _FIELD),)
_ROLE_REF: tuple[tuple[str, str], ...] = (("roleRef", "cannot change roleRef"),)

_TABLE: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "Secret": (("type", _FIELD),),
    "Deployment.apps": _SELECTOR,
    "DaemonSet.apps": _SELECTOR,
    "ReplicaSet.apps": _SELECTOR,
    "Job.batch": tuple(
        (f"spec.{name}", _FIELD)
        for name in (
            "selector",
            "completionMode",
            "podFailurePolicy",
            "backoffLimitPerIndex",
            "managedBy",
            "successPolicy",
        )
    ),
    "RoleBinding.rbac.authorization.k8s.io": _ROLE_REF,
    "ClusterRoleBinding.rbac.authorization.k8s.io": _ROLE_REF,
    "StorageClass.storage.k8s.io": (
        ("parameters", "updates to parameters are forbidden."),
        ("provisioner", "updates to provisioner are forbidden."),
        ("reclaimPolicy", "updates to reclaimPolicy are forbidden."),
        ("volumeBindingMode", _FIELD),
    ),
    "PriorityClass.scheduling.k8s.io": (
        ("value", "may not be changed in an update."),
        ("preemptionPolicy", _FIELD),
    ),
    "CustomResourceDefinition.apiextensions.k8s.io": (
        ("spec.group", _FIELD),
        ("spec.names.plural", _FIELD),
    ),
    "EndpointSlice.discovery.k8s.io": (("addressType", _FIELD),),
    "IngressClass.networking.k8s.io": (("spec.controller", _FIELD),),
}

_STATEFUL_FREE = frozenset(
    (
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    )
)
_STATEFUL = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_CLAIM = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


def immutable_changes(
    live: JsonObject, after: JsonObject, types: MergeTypeTable | None = None
) -> tuple[ImmutableFieldChange, ...]:
    """Changes from `live` to `after` that the server would refuse with 422: the field and the server's words.

    `types` is needed only for transition rules of CRDs (`self == oldSelf`).
    """
    group = str(live.get("apiVersion", "")).rpartition("/")[0]
    key = f"{live['kind']}.{group}" if group else str(live["kind"])
    out: list[ImmutableFieldChange] = []
    for path, message in _TABLE.get(key, ()):
        names = tuple(path.split("."))
        if _changed(live, after, names):
            out.append((names, message))
    rule = _RULES.get(key)
    if rule is not None:
        out += rule(live, after)
    if types is not None and types.is_custom(str(live["apiVersion"]), str(live["kind"])):
        kind = types.type_of(str(live["apiVersion"]), str(live["kind"]))
        out += _transitions(kind, (), live, after)
    return tuple(out)


def _at(document: JsonValue, path: tuple[str, ...]) -> Json:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _changed(live: JsonValue, after: JsonValue, path: tuple[str, ...]) -> bool:
    return not equal_json(_at(live, path), _at(after, path))


def _frozen_data(live: JsonObject, after: JsonObject) -> Iterator[ImmutableFieldChange]:
    """Secret and ConfigMap with `immutable: true`."""
    if live.get("immutable") is not True:
        return
    message = "field is immutable when `immutable` is set"
    if after.get("immutable") is not True:
        yield ("immutable",), message
    for name in ("data", "binaryData"):
        if not equal_json(live.get(name) or {}, after.get(name) or {}):
            yield (name,), message


def _stateful_set(live: JsonObject, after: JsonObject) -> Iterator[ImmutableFieldChange]:
    before, now = live.get("spec") or {}, after.get("spec") or {}
    for name in sorted((before.keys() | now.keys()) - _STATEFUL_FREE):
        if not equal_json(before.get(name), now.get(name)):
            yield ("spec", name), _STATEFUL


_PLACING = frozenset(("nodeSelector", "tolerations", "schedulingGates"))
_POD_FREE = frozenset(("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"))
_POD = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_VOLUME_FREE = frozenset(
    (
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
    )
)


def _pod(live: JsonObject, after: JsonObject) -> Iterator[ImmutableFieldChange]:
    """Everything but images and a few fields; scheduling fields may change while the pod is gated."""
    before, now = live.get("spec") or {}, after.get("spec") or {}
    if before.get("schedulingGates"):
        return
    for name in sorted((before.keys() | now.keys()) - _POD_FREE):
        one, other = before.get(name), now.get(name)
        if name in ("containers", "initContainers"):
            one, other = _imageless(one), _imageless(other)
        if not equal_json(one, other):
            yield ("spec", name), _POD


def _imageless(containers: Json) -> Json:
    return [{key: value for key, value in item.items() if key != "image"} for item in containers or ()]


def _volume(live: JsonObject, after: JsonObject) -> Iterator[ImmutableFieldChange]:
    before, now = live.get("spec") or {}, after.get("spec") or {}
    for name in sorted((before.keys() | now.keys()) - _VOLUME_FREE):
        if not equal_json(before.get(name), now.get(name)):
            message = _FIELD if name == "volumeMode" else "spec.persistentvolumesource is immutable after creation"
            yield ("spec", name), message


def _claim(live: JsonObject, after: JsonObject) -> Iterator[ImmutableFieldChange]:
    before, now = live.get("spec") or {}, after.get("spec") or {}
    bound = (live.get("status") or {}).get("phase") == "Bound"
    for name in sorted(before.keys() | now.keys()):
        if equal_json(before.get(name), now.get(name)) or (bound and name == "volumeAttributesClassName"):
            continue
        if bound and name == "resources" and _only_requests(before, now):
            if _shrinks(live, before, now):
                yield ("spec", "resources", "requests", "storage"), "field can not be less than status.capacity"
            continue
        yield ("spec", name), _CLAIM


def _shrinks(live: JsonObject, before: JsonObject, now: JsonObject) -> bool:
    """A size that was asked for may be taken back only down to what the volume has not got yet."""
    old, new = (
        quantity_amount(((spec.get("resources") or {}).get("requests") or {}).get("storage")) for spec in (before, now)
    )
    has = quantity_amount(((live.get("status") or {}).get("capacity") or {}).get("storage"))
    return old is not None and new is not None and has is not None and new < old and new <= has


def _only_requests(before: JsonObject, now: JsonObject) -> bool:
    rest = [{k: v for k, v in (spec.get("resources") or {}).items() if k != "requests"} for spec in (before, now)]
    return equal_json(rest[0], rest[1])


def _service(live: JsonObject, after: JsonObject) -> Iterator[ImmutableFieldChange]:
    before, now = live.get("spec") or {}, after.get("spec") or {}
    if "ExternalName" in (before.get("type"), now.get("type")):
        return
    if before.get("clusterIP") and now.get("clusterIP") and before["clusterIP"] != now["clusterIP"]:
        yield ("spec", "clusterIP"), _ONCE
    for name in ("clusterIPs", "ipFamilies"):
        first = (before.get(name) or [None])[0], (now.get(name) or [None])[0]
        if None not in first and first[0] != first[1]:
            yield ("spec", name, 0), _ONCE
    both = before.get("type") == now.get("type") == "LoadBalancer"
    if both and before.get("loadBalancerClass") != now.get("loadBalancerClass"):
        yield ("spec", "loadBalancerClass"), _ONCE


def _job(live: JsonObject, after: JsonObject) -> Iterator[ImmutableFieldChange]:
    """The template, but for what may change while a Job is suspended; completions, unless it is indexed."""
    if _at(live, ("spec", "completionMode")) != "Indexed" and _changed(live, after, ("spec", "completions")):
        yield ("spec", "completions"), _FIELD
    before, now = _at(live, ("spec", "template")) or {}, _at(after, ("spec", "template")) or {}
    if _at(live, ("spec", "suspend")) is True and not _at(live, ("status", "startTime")):
        before, now = _placed_later(before), _placed_later(now)
    if not equal_json(before, now):
        yield ("spec", "template"), _FIELD


def _placed_later(template: JsonObject) -> JsonObject:
    """A pod template without what a suspended Job may change: where its pods go, their labels and resources."""
    metadata = {k: v for k, v in (template.get("metadata") or {}).items() if k not in ("labels", "annotations")}
    spec = {k: v for k, v in (template.get("spec") or {}).items() if k not in _PLACING}
    affinity = {k: v for k, v in (spec.pop("affinity", None) or {}).items() if k != "nodeAffinity"}
    for name in ("containers", "initContainers"):
        spec[name] = [{k: v for k, v in item.items() if k != "resources"} for item in spec.get(name) or ()]
    return {**template, "metadata": metadata, "spec": {**spec, "affinity": affinity}}


def _crd(live: JsonObject, after: JsonObject) -> Iterator[ImmutableFieldChange]:
    conditions = (live.get("status") or {}).get("conditions") or ()
    if any(item.get("type") == "Established" and item.get("status") == "True" for item in conditions):
        for path in (("spec", "scope"), ("spec", "names", "kind")):
            if _changed(live, after, path):
                yield path, _FIELD


_RULES: Final[dict[str, Callable[[JsonObject, JsonObject], Iterator[ImmutableFieldChange]]]] = {
    "Secret": _frozen_data,
    "ConfigMap": _frozen_data,
    "StatefulSet.apps": _stateful_set,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "Pod": _pod,
    "Service": _service,
    "Job.batch": _job,
    "CustomResourceDefinition.apiextensions.k8s.io": _crd,
}


def _transitions(kind: MergeType, path: FieldPath, live: JsonValue, after: JsonValue) -> Iterator[ImmutableFieldChange]:
    """CEL rules of the form `self == oldSelf`, on fields that both objects have."""
    for rule in kind.checks.get("x-kubernetes-validations", ()):
        if "".join(str(rule.get("rule", "")).split()) in ("self==oldSelf", "oldSelf==self") and not equal_json(
            live, after
        ):
            yield path, str(rule.get("message") or f"failed rule: {rule['rule']}")
    if isinstance(live, dict) and isinstance(after, dict):
        for key in sorted(live.keys() & after.keys()):
            below = kind.child(key)
            if below is not None:
                yield from _transitions(below, (*path, key), live[key], after[key])
    elif isinstance(live, list) and isinstance(after, list) and kind.list_kind == "map":
        others = {list_item_element(kind, item): item for item in after}
        for item in live:
            element = list_item_element(kind, item)
            other = others.get(element, ABSENT)
            if other is not ABSENT:
                yield from _transitions(kind.items(), (*path, element), item, other)
