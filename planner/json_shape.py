"""Whether a JSON document has the shape that is expected of it: a shape is written as an example of types. Pure.

A type (or several) stands for a leaf, a map of shapes for a map of fields that may be missing, a list of one shape for
a list of such items; `object` for anything. Fields that the shape does not name are let pass.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from planner.values import JsonValue

JsonShape: TypeAlias = Any
_WORDS: dict[type, str] = {str: "text", int: "number", float: "number", bool: "boolean"}


def json_shape_fault(shape: JsonShape, value: JsonValue, *, null: bool = False) -> str:
    """What is wrong, by field (`.spec.items[0] is no map`); "" when nothing is. With `null`, null stands for nothing as
    a field; as an item of a list it never does."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return " is no map"
        for key, below in shape.items():
            if key not in value or (null and value[key] is None):
                continue
            if wrong := json_shape_fault(below, value[key], null=null):
                return f".{key}{wrong}"
        return ""
    if isinstance(shape, list):
        if not isinstance(value, list):
            return " is no list"
        found = ((index, json_shape_fault(shape[0], item, null=null)) for index, item in enumerate(value))
        return next((f"[{index}]{wrong}" for index, wrong in found if wrong), "")
    kinds: tuple[type, ...] = shape if isinstance(shape, tuple) else (shape,)
    right = isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds or object in kinds)
    return "" if right else f" is no {_WORDS.get(kinds[0], 'value that is known here')}"
