"""A JSON schema of a CustomResourceDefinition with nothing in it but keywords whose values have the right form.

The definition may be anybody's: a keyword that is malformed says nothing here, and whether the definition may be is
the server's to say. Pure. Source: JSONSchemaProps of apiextensions v1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from planner.values import JsonObject, JsonValue

_NUMBER, _COUNT, _FLAG, _TEXT = (int, float), (int,), (bool,), (str,)
_FORMS: Final[Mapping[str, tuple[type, ...]]] = {
    "type": _TEXT,
    "format": _TEXT,
    "pattern": _TEXT,
    "enum": (list,),
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _FLAG,
    "exclusiveMaximum": _FLAG,
    "multipleOf": _NUMBER,
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "minProperties": _COUNT,
    "maxProperties": _COUNT,
    "uniqueItems": _FLAG,
    "nullable": _FLAG,
    "x-kubernetes-int-or-string": _FLAG,
    "x-kubernetes-preserve-unknown-fields": _FLAG,
    "x-kubernetes-embedded-resource": _FLAG,
    "x-kubernetes-list-type": _TEXT,
    "x-kubernetes-map-type": _TEXT,
}
_TEXTS: Final = frozenset(("required", "x-kubernetes-list-map-keys"))
_SCHEMAS: Final = frozenset(("allOf", "anyOf", "oneOf"))


def schema_without_malformed_keywords(schema: JsonValue) -> JsonObject:
    """The schema with every malformed keyword left out, in all its parts; an empty one for what is no map."""
    if not isinstance(schema, dict):
        return {}
    read = ((key, _readable(key, value)) for key, value in schema.items())
    return {key: value for key, value in read if value is not None}


def map_at(parent: JsonObject, name: str) -> JsonObject:
    """The map under a name; an empty one where there is none."""
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _readable(key: str, value: Any) -> Any:
    """The value of a keyword, None for a malformed one (null stands for nothing there as well)."""
    if (forms := _FORMS.get(key)) is not None:
        right = isinstance(value, forms) and (bool in forms or not isinstance(value, bool))
        return value if right else None
    if key in _TEXTS:
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else None
    if key in _SCHEMAS:
        return [schema_without_malformed_keywords(one) for one in value] if isinstance(value, list) else None
    if key == "properties":
        return (
            {name: schema_without_malformed_keywords(one) for name, one in value.items()}
            if isinstance(value, dict)
            else None
        )
    if key in ("items", "not"):
        return schema_without_malformed_keywords(value) if isinstance(value, dict) else None
    if key == "additionalProperties":
        return (
            schema_without_malformed_keywords(value)
            if isinstance(value, dict)
            else value
            if isinstance(value, bool)
            else None
        )
    if key == "x-kubernetes-validations":
        return [one for one in value if _is_rule(one)] if isinstance(value, list) else None
    return value


def _is_rule(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("rule"), str)
