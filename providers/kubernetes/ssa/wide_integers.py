"""Integers that do not fit into the 32 bits of their field. Pure.

An API server stores what is left of them (4294967297 becomes 1), and the next apply adds the item or the value again.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.field_path import FieldPath
from planner.values import JsonValue
from providers.kubernetes.ssa.merge_types import MergeType


def holds_wide_integer(value: JsonValue) -> bool:
    """Whether any integer of a document needs more than 32 bits."""
    pending = [value]
    for item in pending:  # it grows meanwhile
        if isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif _is_wide(item):
            return True
    return False


def wide_integer_errors(kind: MergeType, value: JsonValue, path: FieldPath = ()) -> Iterator[tuple[FieldPath, str]]:
    """What is wrong with the integers of a value that are too wide for their fields, with the path of each."""
    if isinstance(value, dict):
        for key, item in value.items():
            if (below := kind.child(key)) is not None:
                yield from wide_integer_errors(below, item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from wide_integer_errors(kind.items(), item, (*path, index))
    elif kind.is_narrow and isinstance(value, int) and _is_wide(value):
        yield path, f"{value} does not fit into 32 bits"


def _is_wide(value: JsonValue) -> bool:
    return isinstance(value, int) and not -(2**31) <= value < 2**31
