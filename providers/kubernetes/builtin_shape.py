"""Whether a live object of a built-in kind has its shape: maps, lists and scalars where the schema has them.

What reads objects behind the client relies on it. Fields that the schema does not know are those of a newer server, and
are let pass; null stands for nothing. Pure. Source: the OpenAPI schema of Kubernetes (`ssa/builtin.json`).
"""

from __future__ import annotations

from planner.values import JsonObject, JsonValue
from providers.kubernetes.ssa.merge_types import MergeType, MergeTypeTable

_CHECKED_BEFORE = ("apiVersion", "kind", "metadata")  # by answer_shape, for every kind
_TEXT, _NUMBER = (str,), (int, float)
_SCALARS: dict[str, tuple[tuple[type, ...], str]] = {
    "string": (_TEXT, "text"),
    "time": (_TEXT, "text"),
    "bytes": (_TEXT, "text"),
    "integer": (_NUMBER, "number"),
    "number": (_NUMBER, "number"),
    "boolean": ((bool,), "boolean"),
    "quantity": ((*_TEXT, *_NUMBER), "quantity"),
    "int-or-string": ((*_TEXT, *_NUMBER), "number or text"),
}


def builtin_shape_faults(document: JsonObject) -> str:
    """What is wrong below the top fields of an object, by field; "" when nothing is, or the kind is not built in."""
    types = MergeTypeTable.builtin()
    api_version, name = str(document.get("apiVersion")), str(document.get("kind"))
    if types.is_custom(api_version, name):
        return ""
    kind = types.type_of(api_version, name)
    for key, value in document.items():
        below = None if key in _CHECKED_BEFORE else kind.child(key)
        if below is not None and (wrong := _wrong(below, value)):
            return f"{key}{wrong}"
    return ""


def _wrong(kind: MergeType, value: JsonValue) -> str:
    """Names of free keys are left out: they are words of the answer."""
    if value is None:
        return ""
    if kind.scalar:
        accepted, word = _SCALARS.get(kind.scalar, ((object,), ""))
        right = isinstance(value, accepted) and (bool in accepted or object in accepted or not isinstance(value, bool))
        return "" if right else f" is no {word}"
    if kind.is_map:
        if not isinstance(value, dict):
            return " is no map"
        for key, item in value.items():
            below = None if item is None else kind.child(key)
            if below is None or (below.scalar == "string" and item.__class__ is str):  # most of what there is
                continue
            if wrong := _wrong(below, item):
                return f".{key if key in kind.names else '*'}{wrong}"
        return ""
    if not isinstance(value, list):
        return " is no list"
    items = kind.items()
    return next((f"[{index}]{wrong}" for index, item in enumerate(value) if (wrong := _wrong_item(items, item))), "")


def _wrong_item(kind: MergeType, value: JsonValue) -> str:
    """Null is nothing as a field, and no map where a list has it as an item."""
    return " is no map" if value is None and kind.is_map else _wrong(kind, value)
