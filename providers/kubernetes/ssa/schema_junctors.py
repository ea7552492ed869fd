"""`allOf`, `anyOf`, `oneOf` and `not` of a CRD's schema: whether a value fits them. Pure.

The parts are value validations only (a structural schema allows no more), so they are read as they stand in the CRD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planner.field_path import FieldPath
from planner.values import JsonObject, JsonValue

NAMES = ("allOf", "anyOf", "oneOf", "not")
Limits = Callable[[Mapping[str, Any], JsonValue], Iterator[str]]  # validate.limits, which calls this module

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "number": (int, float),
    "integer": (int,),
}


def junctor_errors(schema: Mapping[str, Any], value: JsonValue, limits: Limits) -> Iterator[tuple[FieldPath, str]]:
    """What `value` breaks of the junctors of a schema, with the path below it."""
    for part in schema.get("allOf", ()):
        yield from _problems(part, value, limits)
    if "anyOf" in schema and not any(_fits(part, value, limits) for part in schema["anyOf"]):
        yield (), "must validate at least one schema (anyOf)"
    if "oneOf" in schema and sum(_fits(part, value, limits) for part in schema["oneOf"]) != 1:
        yield (), "must validate one and only one schema (oneOf)"
    if "not" in schema and _fits(schema["not"], value, limits):
        yield (), "must not validate the schema (not)"


def _fits(schema: JsonObject, value: JsonValue, limits: Limits) -> bool:
    return next(_problems(schema, value, limits), None) is None


def _problems(schema: JsonObject, value: JsonValue, limits: Limits) -> Iterator[tuple[FieldPath, str]]:
    if "type" in schema and not _has_type(str(schema["type"]), value) and not (value is None and _nullable(schema)):
        yield (), f"must be of type {schema['type']}"
    yield from (((), message) for message in limits(schema, value))
    yield from junctor_errors(schema, value, limits)
    for key, part, item in _below(schema, value):
        yield from (((key, *path), message) for path, message in _problems(part, item, limits))
    if isinstance(value, dict):
        yield from (((name,), "Required value") for name in schema.get("required", ()) if name not in value)


def _nullable(schema: JsonObject) -> bool:
    return bool(schema.get("nullable"))


def _below(schema: JsonObject, value: JsonValue) -> Iterator[tuple[str | int, JsonObject, JsonValue]]:
    """The members of a value that the schema says something about."""
    if isinstance(value, dict):
        fields, rest = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, item in value.items():
            part = fields.get(key, rest)
            if isinstance(part, dict):
                yield key, part, item
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield index, schema["items"], item


def _has_type(name: str, value: JsonValue) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(name, (object,)))
