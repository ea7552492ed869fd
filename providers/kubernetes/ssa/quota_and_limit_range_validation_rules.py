"""Rules between the fields of quotas and limit ranges; see builtin_validation_rules.py. Pure. Source:
apis/core/validation of Kubernetes 1.36."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planner.values import JsonObject
from providers.kubernetes.ssa.builtin_value_formats import is_qualified_name
from providers.kubernetes.ssa.pod_validation_rules import Problem, Rule, maps_in_list
from providers.kubernetes.ssa.quantity import quantity_amount

_SIZES = ("memory", "ephemeral-storage", "storage")
_QUOTAS = frozenset(
    ("cpu", *_SIZES, "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
     "persistentvolumeclaims", "services.nodeports", "services.loadbalancers")
)  # fmt: skip
_EXISTS_ONLY = frozenset(("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating"))
_SCOPES = _EXISTS_ONLY | {"PriorityClass", "VolumeAttributesClass"}
_CLAIMS = frozenset(("persistentvolumeclaims", "requests.storage"))
_PODS = frozenset(
    ("pods", *(f"{part}{name}" for part in ("", "limits.", "requests.") for name in ("cpu", "memory")))
)  # fmt: skip
_PAIRS = (frozenset(("BestEffort", "NotBestEffort")), frozenset(("NotTerminating", "Terminating")))


def _quota(value: JsonObject) -> Iterator[Problem]:
    for name, text in (value.get("hard") or {}).items():
        amount, plain = quantity_amount(text), name.removeprefix("requests.").removeprefix("limits.")
        if (
            not ("/" in name and is_qualified_name(name))
            and plain not in _QUOTAS
            and not plain.startswith("hugepages-")
        ):
            yield ("hard", name), "must be a standard resource for quota"
        elif amount is not None and amount < 0:
            yield ("hard", name), "must be greater than or equal to 0"
        elif (
            amount is not None
            and plain not in ("cpu", *_SIZES)
            and ("/" not in name or name.startswith("count/"))
            and amount % 1
        ):
            yield ("hard", name), "must be an integer"
    yield from _scopes(value)


def _scopes(value: JsonObject) -> Iterator[Problem]:
    expressions = maps_in_list(value.get("scopeSelector") or {}, "matchExpressions")
    for field, found in (
        ("scopes", [str(one) for one in value.get("scopes") or ()]),
        ("scopeSelector", [str(one.get("scopeName") or "") for one in expressions]),
    ):
        for scope in found:
            if scope not in _SCOPES:
                yield (field,), "unsupported scope"
            elif any(_cannot_have(scope, name) for name in value.get("hard") or ()):
                yield (field,), "unsupported scope applied to resource"
        if any(pair <= set(found) for pair in _PAIRS):
            yield (field,), "conflicting scopes"
    for one in expressions:
        operator, given = one.get("operator"), one.get("values")
        if one.get("scopeName") in _EXISTS_ONLY and operator != "Exists":
            yield ("scopeSelector", "matchExpressions"), "must be 'Exists' for this scope"
        if operator in ("In", "NotIn") and not given:
            yield ("scopeSelector", "matchExpressions"), "must be at least one value when `operator` is 'In' or 'NotIn'"
        if operator in ("Exists", "DoesNotExist") and given:
            yield ("scopeSelector", "matchExpressions"), "must be no value when `operator` is 'Exist' or 'DoesNotExist'"


def _cannot_have(scope: str, name: str) -> bool:
    """Whether a scope is not about a resource of a quota, of those that Kubernetes itself counts."""
    if "/" in name or name.startswith("count/"):
        return False
    if scope == "VolumeAttributesClass":
        return name not in _CLAIMS
    return name != "pods" if scope == "BestEffort" else name not in _PODS


def _limit(value: JsonObject) -> Iterator[Problem]:
    kind = str(value.get("type") or "")
    if kind not in ("Container", "Pod", "PersistentVolumeClaim") and not ("/" in kind and is_qualified_name(kind)):
        yield ("type",), "must be a standard limit type or fully qualified"
    parts = {part: value.get(part) or {} for part in ("min", "defaultRequest", "default", "max")}
    for part, amounts in parts.items():
        for name in amounts:
            if name not in ("cpu", *_SIZES) and "/" not in name and not name.startswith("hugepages-"):
                yield (part, name), "must be a standard resource type or fully qualified"
    for name in sorted({name for amounts in parts.values() for name in amounts}):
        found = [amount for part in parts.values() if (amount := quantity_amount(part.get(name))) is not None]
        if found != sorted(found):
            yield ("min", name), "the values are not in their order: min, defaultRequest, default, max"
    if kind == "Pod":
        yield from (((part,), "may not be specified when `type` is 'Pod'") for part in _NOT_OF_PODS if parts[part])
    if kind == "PersistentVolumeClaim" and "storage" not in parts["min"] and "storage" not in parts["max"]:
        yield ("limits",), "either minimum or maximum storage value is required, but neither was provided"


_NOT_OF_PODS = ("default", "defaultRequest")


def _limit_range(value: JsonObject) -> Iterator[Problem]:
    kinds = [item.get("type") for item in maps_in_list(value, "limits")]
    for index, kind in enumerate(kinds):
        if kind in kinds[:index]:
            yield ("limits", index, "type"), f"Duplicate value: {kind!r}"


QUOTA_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "core.v1.LimitRangeItem": (_limit,),
    "core.v1.LimitRangeSpec": (_limit_range,),
    "core.v1.ResourceQuotaSpec": (_quota,),
}
