"""Null values of manifests.

A built-in kind has none: to the server a field that is null is not there, and an entry of a map that is null has the
zero value of the map (Go's JSON decoder: `labels: {a: }` is the label `a` with an empty value, and a selector by it
selects something). In a custom kind a null can mean something (`nullable: true`, or a part that keeps what it does not
know: "Defaulting and Nullable" of CustomResourceDefinitions), and only its schema can determine, which no loader knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from planner.address import group_of_api_version, is_hwplan_kind

_TEXT, _AMOUNT = "", "0"
# Maps of the API by name -> the zero value of their entries: texts and base64, or quantities.
_MAPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("labels", "annotations", "matchLabels", "nodeSelector", "stringData"), _TEXT),
    **dict.fromkeys(("parameters", "mutableParameters", "volumeAttributes"), _TEXT),
    **dict.fromkeys(("limits", "requests", "hard", "overhead"), _AMOUNT),
}
_LIMITS: Final = dict.fromkeys(("default", "defaultRequest", "max", "maxLimitRequestRatio", "min"), _AMOUNT)
# The same for names that are a map in some kinds only.
_MAPS_OF_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ConfigMap": {"data": _TEXT, "binaryData": _TEXT},
    "LimitRange": _LIMITS,
    "ReplicationController": {"selector": _TEXT},
    "Secret": {"data": _TEXT},
    "Service": {"selector": _TEXT},
}
_KEPT_GROUPS = ".x-k8s.io"  # projects of Kubernetes that ship CRDs; other `.k8s.io` groups are the server's own


def without_nulls(value: Any, maps: Mapping[str, str] = _MAPS, *, zero: str | None = None) -> Any:
    """`value` without fields that are null, as the API server reads it.

    Entries of the `maps` that are null have their zero value; `zero` is that of `value` itself, None for no such map.
    """
    if isinstance(value, dict):
        return {
            key: zero if item is None else without_nulls(item, maps, zero=maps.get(key))
            for key, item in value.items()
            if item is not None or zero is not None
        }
    if isinstance(value, list):
        return [without_nulls(item, maps) for item in value]
    return value


def without_meaningless_nulls(document: Any) -> Any:
    """A document without the nulls that mean nothing whatever its schema says; of a List each item by itself."""
    if not isinstance(document, dict):
        return document
    if isinstance(items := document.get("items"), list) and str(document.get("kind", "")).endswith("List"):
        rest = without_nulls({key: value for key, value in document.items() if key != "items"})
        return {**rest, "items": [without_meaningless_nulls(item) for item in items]}
    version = document.get("apiVersion")
    if is_hwplan_kind(str(version)):
        return without_nulls(document, {})
    if not kind_may_be_custom(version):
        more = _MAPS_OF_KINDS.get(str(document.get("kind")), {}) if version == "v1" else {}
        return without_nulls(document, {**_MAPS, **more})
    retained = {key: value for key, value in document.items() if value is not None}
    return {key: without_nulls(value) if key in ("metadata", "status") else value for key, value in retained.items()}


def kind_may_be_custom(api_version: object) -> TypeGuard[str]:
    """Whether a kind of this apiVersion can have been defined by a CustomResourceDefinition."""
    if not isinstance(api_version, str) or is_hwplan_kind(api_version):
        return False
    group = group_of_api_version(api_version)
    return "." in group and (not group.endswith(".k8s.io") or group.endswith(_KEPT_GROUPS))
