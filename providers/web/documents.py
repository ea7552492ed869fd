"""JSON documents that answers hold: reading one, and finding a value in it. Pure."""

from __future__ import annotations

import json
from typing import NoReturn

from planner.path import FieldPath, Item, Member
from planner.values import Json, JsonObject, canonical


def document_of(body: bytes) -> Json:
    """The JSON document of a body. Raises ValueError, without any of the body, when it is none (NaN is none)."""
    try:
        return json.loads(body, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise ValueError("the body is no JSON") from None


def _no_json(_: str) -> NoReturn:
    raise ValueError


def value_at(document: Json, path: FieldPath) -> list[Json]:
    """The value at a path, in a list of one; an empty list where there is none."""
    for element in path:
        match element, document:
            case str(), dict() if element in document:
                document = document[element]
            case int(), list() if element < len(document):
                document = document[element]
            case Item(keys), list():
                held = [item for item in document if isinstance(item, dict) and _has(item, keys)]
                if len(held) != 1:
                    return []
                document = held[0]
            case Member(value), list() if value in document:
                document = value
            case _:
                return []
    return [document]


def _has(item: JsonObject, keys: tuple[tuple[str, Json], ...]) -> bool:
    return all(name in item and canonical(item[name]) == canonical(value) for name, value in keys)
