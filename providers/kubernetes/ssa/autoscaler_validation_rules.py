"""Rules between the fields of autoscalers; see builtin_validation_rules.py. Pure. Source: apis/autoscaling/validation
of Kubernetes 1.36."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planner.values import JsonObject
from providers.kubernetes.ssa.pod_validation_rules import Problem, Rule
from providers.kubernetes.ssa.quantity import quantity_amount


def _autoscaler(value: JsonObject) -> Iterator[Problem]:
    if not value.get("maxReplicas") or value["maxReplicas"] < 1:
        yield ("maxReplicas",), "must be greater than 0"
    elif (value.get("minReplicas") or 0) > value["maxReplicas"]:
        yield ("maxReplicas",), "must be greater than or equal to `minReplicas`"


_SOURCES: Final[Mapping[str, str]] = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
# By source: the parts of its target of which one has to be there, and whether there may be more.
_TARGETS: Final[Mapping[str, tuple[tuple[str, ...], bool]]] = {
    "containerResource": (("averageUtilization", "averageValue"), False),
    "external": (("value", "averageValue"), False),
    "object": (("value", "averageValue"), True),
    "pods": (("averageValue",), True),
    "resource": (("averageUtilization", "averageValue"), False),
}


def _metric(value: JsonObject) -> Iterator[Problem]:
    field = _SOURCES.get(str(value.get("type")))
    if field and value.get(field) is None:
        yield (field,), "Required value: must populate information for the given metric source"
    for name, (parts, several) in _TARGETS.items():
        source = value.get(name)
        if source is None:
            continue
        target = source.get("target") or {}
        found = [part for part in parts if target.get(part) is not None]
        if not found:
            yield (name, "target"), f"must set {' or '.join(parts)}"
        elif len(found) > 1 and not several:
            yield (name, "target"), f"may not set both {' and '.join(parts)}"


def _metric_target(value: JsonObject) -> Iterator[Problem]:
    for name in ("value", "averageValue"):
        amount = quantity_amount(value.get(name))
        if amount is not None and amount <= 0:
            yield (name,), "must be positive"


def _target(value: JsonObject) -> Iterator[Problem]:
    group, slash, _ = str(value.get("apiVersion") or "").partition("/")
    if not (group and slash) and value.get("kind") != "ReplicationController":
        yield ("apiVersion",), "apiVersion must specify API group"


def _scaling(value: JsonObject) -> Iterator[Problem]:
    tolerance = quantity_amount(value.get("tolerance"))
    if tolerance is not None and tolerance < 0:
        yield ("tolerance",), "must be greater than or equal to 0"


SCALING_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "autoscaling.v2.CrossVersionObjectReference": (_target,),
    "autoscaling.v2.HPAScalingRules": (_scaling,),
    "autoscaling.v2.HorizontalPodAutoscalerSpec": (_autoscaler,),
    "autoscaling.v2.MetricSpec": (_metric,),
    "autoscaling.v2.MetricTarget": (_metric_target,),
}
