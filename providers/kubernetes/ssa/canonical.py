"""Documents as the API server writes them out after storing, and what of them can be compared at all.

A built-in kind passes through a Go struct: zero values of optional fields vanish, structs that are no pointers appear
as `{}`, quantities get their one spelling. Owns that; `comparable` owns the list of what only a server can know.
"""

from __future__ import annotations

import base64
import binascii
from typing import Literal, TypeAlias

from planner.values import Json, JsonObject, copied
from providers.kubernetes.ssa.quantity import canonical_quantity
from providers.kubernetes.ssa.schema import Type

# `stored`: as it comes back. `decoded`: before that, when fields that are always written still hold their empty lists;
# `atomic`: inside an atomic list of a decoded document, where quantities are compared as they are spelled.
Phase: TypeAlias = Literal["stored", "decoded", "atomic"]

_ZERO: dict[str, Json] = {
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


def comparable(document: JsonObject) -> JsonObject:
    """A copy without what only a server can know: uid, resourceVersion, creationTimestamp, generation, managedFields,
    a Service's allocated addresses and ports, the selector and controller-uid labels of a Job. Use it on both sides."""
    out: JsonObject = copied(document)
    metadata = out.get("metadata") or {}
    for name in _SERVER_METADATA:
        metadata.pop(name, None)
    spec = out.get("spec") or {}
    if spec.get("clusterIP") != _HEADLESS and not spec.get("manualSelector"):
        for path in _SERVER_FIELDS.get(out.get("kind", ""), ()):
            _drop(out, path)
    return out


def _drop(node: Json, path: tuple[str, ...]) -> None:
    head, *rest = path
    if head == "*":
        for item in node if isinstance(node, list) else ():
            _drop(item, tuple(rest))
    elif isinstance(node, dict):
        if rest:
            _drop(node.get(head), tuple(rest))
        else:
            node.pop(head, None)


def without_nulls(value: Json) -> Json:
    """A copy without null fields: to the server a null in an applied document is not a deletion."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def canonical(kind: Type, value: Json, *, phase: Phase = "stored") -> Json:
    """A built-in document as its Go struct writes it, without defaults. Always a fresh value."""
    if isinstance(value, dict) and kind.is_map:
        return _struct(kind, value, phase) if kind.name and kind.names else _map(kind, value, phase)
    if isinstance(value, list) and kind.list_kind:
        items = kind.items()
        inner: Phase = "atomic" if phase == "decoded" and kind.list_kind == "atomic" else phase
        return [zero(items) if item is None else canonical(items, item, phase=inner) for item in value]
    if value is None:
        return None
    match kind.scalar:
        case "quantity":
            return str(value) if phase == "atomic" else canonical_quantity(value)
        case "integer" if isinstance(value, float):
            return int(value)
        case "bytes":
            return _bytes(value)
    return copied(value)


def coerced(kind: Type, value: Json) -> Json:
    """A custom document as a decoder gives it: `metadata`, of embedded objects too, is the server's own type."""
    if isinstance(value, dict) and kind.is_map:
        if kind.name:
            return canonical(kind, value)
        out: dict[str, Json] = {}
        for key, item in value.items():
            below = kind.child(key)
            out[key] = item if below is None else coerced(below, {} if item is None and below.name else item)
        return out
    if isinstance(value, list) and kind.list_kind:
        items = kind.items()
        return [coerced(items, item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _map(kind: Type, value: dict[str, Json], phase: Phase) -> Json:
    out: dict[str, Json] = {}
    for key, item in value.items():
        below = kind.child(key)
        if below is None:
            out[key] = copied(item)
        else:
            out[key] = zero(below) if item is None else canonical(below, item, phase=phase)
    return out


def _struct(kind: Type, value: dict[str, Json], phase: Phase) -> Json:
    out: dict[str, Json] = {}
    for key, item in value.items():
        below = kind.child(key)
        if below is None:
            continue
        flags = kind.flags(key)
        made = None if item is None else canonical(below, item, phase=phase)
        if phase == "stored" and made in ([], {}) and not (below.name and below.names) and "p" not in flags:
            made = None  # stored as nothing: what is always written comes back as null
        if made is None or ("p" not in flags and _is_dropped(below, flags, made)):
            continue
        out[key] = made
    for key in _always(kind):
        if key not in out:
            below = kind.child(key)
            out[key] = None if below is None else zero(below)
    return out


def _is_dropped(kind: Type, flags: str, made: Json) -> bool:
    """Whether a field that is no pointer is left out when it holds this value."""
    if "a" in flags:
        return False
    if isinstance(made, dict) and kind.name and kind.names:
        return "o" in flags and not made
    return made in ("", 0, False) or made == {} or made == []


def _always(kind: Type) -> tuple[str, ...]:
    """Fields that are written even when nobody set them."""
    if kind.always is None:
        kind.always = tuple(name for name in kind.names if _is_always(kind, name))
    return kind.always


def _is_always(kind: Type, name: str) -> bool:
    flags = kind.flags(name)
    if "a" in flags:
        return True
    below = kind.child(name)
    if below is None or "p" in flags or "o" in flags:
        return False
    return bool(below.name and below.names) or below.scalar in ("quantity", "int-or-string", "time")


def zero(kind: Type) -> Json:
    """What Go writes for a field that nobody set."""
    if kind.name and kind.names:
        return _struct(kind, {}, "stored")
    return _ZERO.get(kind.scalar)


def _bytes(value: Json) -> Json:
    try:
        return base64.b64encode(base64.b64decode(value, validate=False)).decode()
    except (binascii.Error, ValueError, TypeError):
        return value
