"""JSON documents that answers hold: reading one, and finding a value in it. Pure."""

from __future__ import annotations

from planner.field_path import FieldPath, ListItemPathElement, SetMemberPathElement
from planner.values import Json, JsonObject, JsonValue, canonical_bytes
from providers.json_answer import parse_json_answer


def parse_json_body(body: bytes) -> Json:
    """The JSON document of a body. Raises ValueError that says what is wrong, without any of the body."""
    return parse_json_answer(body)


def find_json_value_at_path(document: JsonValue, path: FieldPath) -> list[Json]:
    """Find the value at a path of a JSON document, in a list of one; an empty list where there is none."""
    for element in path:
        match element, document:
            case str(), dict() if element in document:
                document = document[element]
            case int(), list() if element < len(document):
                document = document[element]
            case ListItemPathElement(keys), list():
                held = [item for item in document if isinstance(item, dict) and _has(item, keys)]
                if len(held) != 1:
                    return []
                document = held[0]
            case SetMemberPathElement(value), list() if value in document:
                document = value
            case _:
                return []
    return [document]


def _has(item: JsonObject, keys: tuple[tuple[str, Json], ...]) -> bool:
    return all(name in item and canonical_bytes(item[name]) == canonical_bytes(value) for name, value in keys)
