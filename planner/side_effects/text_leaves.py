"""Every text in a document with its path. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from planner.field_path import FieldPath, ListItemPathElement
from planner.values import JsonValue


def text_leaves(value: JsonValue, path: FieldPath = ()) -> Iterator[tuple[FieldPath, str]]:
    """The texts at and below `value`; items of a list by their name where they have one. Values that are not known yet
    and secrets are no text."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from text_leaves(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            name = item.get("name") if isinstance(item, dict) else None
            yield from text_leaves(
                item, (*path, ListItemPathElement((("name", name),)) if isinstance(name, str) else at)
            )
