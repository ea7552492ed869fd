"""JSON patches (RFC 6902) as far as hwplan sends them: add, replace, remove, test. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from planner.values import Json, JsonObject, deep_copy
from providers.kubernetes.errors import Invalid, InvalidField


def apply_json_patch(document: JsonObject, operations: Sequence[JsonObject]) -> JsonObject:
    """A changed copy. Raises Invalid when an operation does not fit, as a server does."""
    out: JsonObject = deep_copy(document)
    for number, operation in enumerate(operations):
        try:
            _apply(out, operation)
        except (KeyError, IndexError, ValueError, TypeError):
            raise Invalid(
                (InvalidField("", "Invalid", f"operation {number} of the patch does not fit the object"),)
            ) from None
    return out


def _apply(document: JsonObject, operation: JsonObject) -> None:
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    node: Json = document
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node[part]
    match operation["op"], node:
        case "add", list():
            node.insert(len(node) if last == "-" else int(last), operation["value"])
        case "add", _:
            node[last] = operation["value"]
        case "replace", _:
            key = int(last) if isinstance(node, list) else last
            node[key]  # it must be there
            node[key] = operation["value"]
        case "remove", _:
            del node[int(last) if isinstance(node, list) else last]
        case "test", _:
            if node[int(last) if isinstance(node, list) else last] != operation["value"]:
                raise ValueError("test")
        case _:
            raise ValueError("op")
