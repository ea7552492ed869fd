"""Documents with one field replaced, put in or left out, by path. Copies only what lies on the way. Pure."""

from __future__ import annotations

from typing import Final, assert_never

from planner.path import Element, FieldPath, Item, Member
from planner.values import Json, JsonObject

_DROP: Final = object()


def with_value(document: JsonObject, path: FieldPath, value: Json) -> JsonObject:
    """A copy in which the field has this value, if the document has the field at all."""
    edited: JsonObject = _edited(document, path, value)
    return edited


def without(document: JsonObject, path: FieldPath) -> JsonObject:
    """A copy without the field, and without the maps that only held it."""
    edited: JsonObject = _edited(document, path, _DROP)
    return edited


def with_field(document: JsonObject, path: FieldPath, value: Json) -> JsonObject:
    """A copy in which the field stands with this value; what lies on the way to it is made where it is missing."""
    if _has(document, path):
        return with_value(document, path, value)
    edited: JsonObject = _placed(document, path, value)
    return edited


def _has(node: Json, path: FieldPath) -> bool:
    for element in path:
        if isinstance(node, dict) and isinstance(element, str) and element in node:
            node = node[element]
            continue
        found = list(node) if isinstance(node, list) and not isinstance(element, str) else []
        matching = [item for index, item in enumerate(found) if _is_at(index, item, element)]
        if not matching:
            return False
        node = matching[0]
    return True


def _placed(node: Json, path: FieldPath, value: Json) -> Json:
    if not path:
        return value
    head, rest = path[0], path[1:]
    match head:
        case str():
            inside = node if isinstance(node, dict) else {}
            return {**inside, head: _placed(inside.get(head), rest, value)}
        case int():
            items = list(node) if isinstance(node, list) else []
            old = items[head : head + 1]
            return [*items[:head], _placed(old[0] if old and rest else None, rest, value), *items[head + bool(rest) :]]
        case Item(keys):
            items = list(node) if isinstance(node, list) else []
            at = next((index for index, item in enumerate(items) if _is_at(index, item, head)), len(items))
            item = items[at] if at < len(items) else dict(keys)
            return [*items[:at], _placed(item, rest, value), *items[at + 1 :]]
        case Member():
            return [*(node if isinstance(node, list) else []), value]
        case _ as never:
            assert_never(never)


def _edited(node: Json, path: FieldPath, value: Json) -> Json:
    head, *rest = path
    if isinstance(node, dict) and isinstance(head, str):
        if head not in node:
            return node
        below = _edited(node[head], tuple(rest), value) if rest else value
        if below is _DROP or (below == {} and node[head] != {}):
            return {key: item for key, item in node.items() if key != head}
        return {**node, head: below}
    if isinstance(node, list) and not isinstance(head, str):
        return [item for found in enumerate(node) for item in _item(found, head, tuple(rest), value)]
    return node


def _item(found: tuple[int, Json], head: Element, rest: FieldPath, value: Json) -> list[Json]:
    """What becomes of one list item: itself, its edited copy, the value, or nothing."""
    index, item = found
    if not _is_at(index, item, head):
        return [item]
    if rest:
        return [_edited(item, rest, value)]
    return [] if value is _DROP else [value]


def _is_at(index: int, item: Json, element: Element) -> bool:
    match element:
        case int():
            return index == element
        case Item(keys):
            return isinstance(item, dict) and all(str(item.get(name)) == str(value) for name, value in keys)
        case Member(value):
            return bool(item == value)
        case _:
            return False
