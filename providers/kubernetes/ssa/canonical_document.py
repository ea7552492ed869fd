"""Documents as the API server writes them out after storing, and what of them can be compared at all.

A built-in kind passes through a Go struct: zero values of optional fields vanish, structs that are no pointers appear
as `{}`, quantities get their one spelling. Owns that; `comparable_document` owns the list of what only a server can
know.
"""

from __future__ import annotations

import base64
import re
from typing import Literal, TypeAlias, overload

from planner.values import Json, JsonObject, JsonValue, deep_copy
from providers.kubernetes.ssa.merge_types import MergeType
from providers.kubernetes.ssa.quantity import canonical_quantity

# `stored`: as it comes back. `decoded`: before that, when fields that are always written still hold their empty lists;
# `atomic`: inside an atomic list of a decoded document, where quantities are compared as they are spelled.
Phase: TypeAlias = Literal["stored", "decoded", "atomic"]

_LINE_ENDS = re.compile(r"[\r\n]")  # Go's decoder passes over these, and over nothing else
_ZERO: dict[str, JsonValue] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "quantity": "0",
    "int-or-string": 0,
}

# What only a server can know (allocated, counted, timed): left out on both sides of a comparison.
_SERVER_METADATA = ("uid", "resourceVersion", "creationTimestamp", "generation", "selfLink", "managedFields")
_SERVER_FIELDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Service": (
        ("spec", "clusterIP"),
        ("spec", "clusterIPs"),
        ("spec", "ipFamilies"),
        ("spec", "ipFamilyPolicy"),
        ("spec", "healthCheckNodePort"),
        ("spec", "ports", "*", "nodePort"),
    ),
    "PersistentVolume": (("status", "lastPhaseTransitionTime"),),
    "Job": (
        ("spec", "selector"),  # generated from the uid
        ("spec", "template", "metadata", "labels", "batch.kubernetes.io/controller-uid"),
        ("spec", "template", "metadata", "labels", "controller-uid"),
        ("metadata", "labels", "batch.kubernetes.io/controller-uid"),
        ("metadata", "labels", "controller-uid"),
    ),
}
_HEADLESS = "None"


def comparable_document(document: JsonObject) -> JsonObject:
    """The document without what only a server can know: uid, resourceVersion, creationTimestamp, generation,
    managedFields, a Service's allocated addresses and ports, the selector and controller-uid labels of a Job. Use it on
    both sides."""
    fields = _SERVER_FIELDS.get(document.get("kind", ""), ())
    spec = document.get("spec") or {}
    takes = bool(fields) and spec.get("clusterIP") != _HEADLESS and not spec.get("manualSelector")
    out: JsonObject = deep_copy(document) if takes else dict(document)
    if metadata := out.get("metadata"):
        out["metadata"] = {key: value for key, value in metadata.items() if key not in _SERVER_METADATA}
    for path in fields if takes else ():
        _drop(out, path)
    return out


def _drop(node: JsonValue, path: tuple[str, ...]) -> None:
    head, *rest = path
    if head == "*":
        for item in node if isinstance(node, list) else ():
            _drop(item, tuple(rest))
    elif isinstance(node, dict):
        if rest:
            _drop(node.get(head), tuple(rest))
        else:
            node.pop(head, None)


@overload
def canonical_document(kind: MergeType, value: JsonObject, *, phase: Phase = "stored") -> JsonObject: ...
@overload
def canonical_document(kind: MergeType, value: JsonValue, *, phase: Phase = "stored") -> JsonValue: ...
def canonical_document(kind: MergeType, value: JsonValue, *, phase: Phase = "stored") -> JsonValue:
    """A built-in document as its Go struct writes it, without defaults. Always a fresh value."""
    if isinstance(value, dict) and kind.is_map:
        return _struct(kind, value, phase) if kind.name and kind.names else _map(kind, value, phase)
    if isinstance(value, list) and kind.list_kind:
        items = kind.items()
        inner: Phase = "atomic" if phase == "decoded" and kind.list_kind == "atomic" else phase
        return [
            go_zero_value(items) if item is None else canonical_document(items, item, phase=inner) for item in value
        ]
    if value is None:
        return None
    match kind.scalar:
        case "quantity":
            return str(value) if phase == "atomic" else canonical_quantity(value)
        case "integer" if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _go_integer(value, 32 if kind.is_narrow else 64)
        case "bytes":
            return _bytes(value)
    return deep_copy(value)


@overload
def coerce_custom_metadata(kind: MergeType, value: JsonObject) -> JsonObject: ...
@overload
def coerce_custom_metadata(kind: MergeType, value: JsonValue) -> JsonValue: ...
def coerce_custom_metadata(kind: MergeType, value: JsonValue) -> JsonValue:
    """A custom document as a decoder gives it: `metadata`, of embedded objects too, is the server's own type."""
    if isinstance(value, dict) and kind.is_map:
        if kind.name:
            return canonical_document(kind, value)
        out: dict[str, JsonValue] = {}
        for key, item in value.items():
            below = kind.child(key)
            out[key] = (
                item if below is None else coerce_custom_metadata(below, {} if item is None and below.name else item)
            )
        return out
    if isinstance(value, list) and kind.list_kind:
        items = kind.items()
        return [coerce_custom_metadata(items, item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _map(kind: MergeType, value: dict[str, JsonValue], phase: Phase) -> JsonValue:
    out: dict[str, JsonValue] = {}
    for key, item in value.items():
        below = kind.child(key)
        if below is None:
            out[key] = deep_copy(item)
        else:
            out[key] = go_zero_value(below) if item is None else canonical_document(below, item, phase=phase)
    return out


def _struct(kind: MergeType, value: dict[str, JsonValue], phase: Phase) -> JsonValue:
    out: dict[str, JsonValue] = {}
    for key, item in value.items():
        below = kind.child(key)
        if below is None:
            continue
        flags = kind.flags(key)
        made = None if item is None else canonical_document(below, item, phase=phase)
        if phase == "stored" and made in ([], {}) and not (below.name and below.names) and "p" not in flags:
            made = None  # stored as nothing: what is always written comes back as null
        if made is None or ("p" not in flags and _is_dropped(below, flags, made) and not _stands(kind, key, phase)):
            continue
        out[key] = made
    for key in always_written_fields(kind):
        if key not in out:
            below, pointer = kind.child(key), "p" in kind.flags(key)
            if phase == "stored" or not pointer:  # defaults.py fills in pointers
                out[key] = None if below is None or pointer else go_zero_value(below)
    return out


# An empty list there is not none: it stands against the default, and is refused.
_EMPTY = ("autoscaling.v2.HPAScalingRules", "policies")


def _stands(kind: MergeType, key: str, phase: Phase) -> bool:
    return phase != "stored" and (kind.name, key) == _EMPTY


def _is_dropped(kind: MergeType, flags: str, made: JsonValue) -> bool:
    """Whether a field that is no pointer is left out when it holds this value."""
    if "a" in flags:
        return False
    if isinstance(made, dict) and kind.name and kind.names:
        return "o" in flags and not made
    return made in ("", 0, False) or made == {} or made == []


def always_written_fields(kind: MergeType) -> tuple[str, ...]:
    """The fields of a type that Go writes even when nobody set them."""
    if kind.always is None:
        kind.always = tuple(name for name in kind.names if _is_always(kind, name))
    return kind.always


def _is_always(kind: MergeType, name: str) -> bool:
    flags = kind.flags(name)
    if "a" in flags:
        return True
    below = kind.child(name)
    if below is None or "p" in flags or "o" in flags:
        return False
    return bool(below.name and below.names) or below.scalar in ("quantity", "int-or-string", "time")


def go_zero_value(kind: MergeType) -> Json:
    """Go's zero value of a type: what it writes for a field that nobody set."""
    if kind.name and kind.names:
        return _struct(kind, {}, "stored")
    return _ZERO.get(kind.scalar)


def _go_integer(value: float, bits: int) -> int:
    """A number as Go's integers hold it: beyond 64 bits it is their smallest, and the lowest bits count."""
    whole = int(value)
    if not -(1 << 63) <= whole < 1 << 63:
        whole = -(1 << 63)
    half = 1 << bits - 1
    return (whole + half) % (1 << bits) - half


def _bytes(value: JsonValue) -> JsonValue:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64encode(base64.b64decode(_LINE_ENDS.sub("", value), validate=True)).decode()
    except ValueError:
        return value
