"""Documents with one field replaced, put in or left out, by path. Copies only what lies on the way. Pure."""

from __future__ import annotations

from typing import Final, assert_never

from planner.field_path import Element, FieldPath, ListItemPathElement, SetMemberPathElement
from planner.values import Json, JsonMap, JsonValue

_DROP: Final[Json] = object()
MISSING: Final[Json] = object()  # for `value_at`: equal to no value of a document


def replace_value(document: JsonMap, path: FieldPath, value: JsonValue) -> JsonMap:
    """A copy in which the field has this value, if the document has the field at all."""
    return _edited_map(document, path, value)


def remove_field(document: JsonMap, path: FieldPath) -> JsonMap:
    """A copy without the field, and without the maps that only held it."""
    return _edited_map(document, path, _DROP)


def remove_field_keeping_parent(document: JsonMap, path: FieldPath) -> JsonMap:
    """A copy without the field; the map or the list that held it stays, also when it is empty then."""
    *way, last = path
    if not way:
        return {key: value for key, value in document.items() if key != last}
    match value_at(document, tuple(way)):
        case dict(held):
            return replace_value(document, tuple(way), {key: value for key, value in held.items() if key != last})
        case list(items):
            left = [item for index, item in enumerate(items) if not _is_at(index, item, last)]
            return replace_value(document, tuple(way), left)
        case _:
            return document


def set_field(document: JsonMap, path: FieldPath, value: JsonValue) -> JsonMap:
    """A copy in which the field stands with this value; what lies on the way to it is made where it is missing."""
    if has_field(document, path):
        return replace_value(document, path, value)
    head, *rest = path
    if not isinstance(head, str):
        raise ValueError("a document is a map: the path of a field begins with a key")
    return {**document, head: _placed(document.get(head), tuple(rest), value)}


def insert_list_item(document: JsonMap, path: FieldPath, value: JsonValue) -> JsonMap:
    """A copy in which a list has one item more, at the position that ends the path; nothing there is overwritten."""
    *way, position = path
    items = value_at(document, tuple(way))
    if not isinstance(items, list) or not isinstance(position, int):
        return set_field(document, path, value)
    return replace_value(document, tuple(way), [*items[:position], value, *items[position:]])


def value_at(document: JsonValue, path: FieldPath, missing: JsonValue = None) -> JsonValue:
    """The value of a field; `missing` where there is no such field.

    Keys of list items are compared as text: a path that was written down has lost their types.
    """
    node = document
    for element in path:
        if isinstance(element, str):
            node = node.get(element, MISSING) if isinstance(node, dict) else MISSING
        else:
            items = enumerate(node) if isinstance(node, list) else ()
            node = next((item for index, item in items if _is_at(index, item, element)), MISSING)
        if node is MISSING:
            return missing
    return node


def has_field(document: JsonValue, path: FieldPath) -> bool:
    """Whether a document has a field at this path, be it null."""
    return value_at(document, path, MISSING) is not MISSING


def _placed(node: JsonValue, path: FieldPath, value: JsonValue) -> JsonValue:
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
        case ListItemPathElement(keys):
            items = list(node) if isinstance(node, list) else []
            at = next((index for index, item in enumerate(items) if _is_at(index, item, head)), len(items))
            item = items[at] if at < len(items) else JsonMap(keys)
            return [*items[:at], _placed(item, rest, value), *items[at + 1 :]]
        case SetMemberPathElement():
            return [*(node if isinstance(node, list) else []), value]
        case _ as never:
            assert_never(never)


def _edited(node: JsonValue, path: FieldPath, value: JsonValue) -> JsonValue:
    head, *rest = path
    if isinstance(node, dict):
        return _edited_map(node, path, value)
    if isinstance(node, list) and not isinstance(head, str):
        return [item for found in enumerate(node) for item in _item(found, head, tuple(rest), value)]
    return node


def _edited_map(node: JsonMap, path: FieldPath, value: JsonValue) -> JsonMap:
    head, *rest = path
    if not isinstance(head, str) or head not in node:
        return node
    below = _edited(node[head], tuple(rest), value) if rest else value
    if below is _DROP or (rest and below == {} and node[head] != {}):
        return {key: item for key, item in node.items() if key != head}
    return {**node, head: below}


def _item(found: tuple[int, JsonValue], head: Element, rest: FieldPath, value: JsonValue) -> list[JsonValue]:
    """What becomes of one list item: itself, its edited copy, the value, or nothing."""
    index, item = found
    if not _is_at(index, item, head):
        return [item]
    if rest:
        return [_edited(item, rest, value)]
    return [] if value is _DROP else [value]


def _is_at(index: int, item: JsonValue, element: Element) -> bool:
    match element:
        case int():
            return index == element
        case ListItemPathElement(keys):
            return isinstance(item, dict) and all(str(item.get(name)) == str(value) for name, value in keys)
        case SetMemberPathElement(value):
            return bool(item == value)
        case _:
            return False
