"""Where two free-form documents differ: bodies of other APIs, answers to probes, documents of two plans.

For messages, not for plans: lists are compared by index, for nothing is known of them (planner.document_diff aligns
them and knows keys). DeepDiff does it; it is imported when two documents are known to differ, and sees only the
smallest part that holds every difference. Pure.
"""

from __future__ import annotations

import json

from planner.document_diff import equal_documents
from planner.field_path import Element, FieldPath, path_sort_key
from planner.plan import FieldChange, FieldOp
from planner.values import Json, JsonValue, encode_special_leaves

_OPS = {
    "dictionary_item_added": FieldOp.ADD,
    "iterable_item_added": FieldOp.ADD,
    "dictionary_item_removed": FieldOp.REMOVE,
    "iterable_item_removed": FieldOp.REMOVE,
    "values_changed": FieldOp.CHANGE,
    "type_changes": FieldOp.CHANGE,
}


def smallest_differing_parts(before: JsonValue, after: JsonValue) -> tuple[FieldChange, ...]:
    """The smallest parts that differ, in the order of their paths; empty exactly for equal documents.

    Type-strict but for numbers: `1` and `1.0` are one value. Special leaves appear encoded (planner.values).
    """
    if equal_documents(before, after):
        return ()
    from deepdiff import DeepDiff

    path, one, other = _smallest(encode_special_leaves(before), encode_special_leaves(after))
    tree = DeepDiff(
        _with_text_leaves(one), _with_text_leaves(other), view="tree",
        threshold_to_diff_deeper=0,  # else small maps are reported whole
        ignore_private_variables=False,  # else keys that begin with two underscores are left out
    )  # fmt: skip
    changes = [
        FieldChange(
            (*path, *level.path(output_format="list")), _OPS[kind],
            None if _OPS[kind] is FieldOp.ADD else _with_leaves(level.t1),
            None if _OPS[kind] is FieldOp.REMOVE else _with_leaves(level.t2),
        )
        for kind, levels in tree.items()
        for level in levels
    ]  # fmt: skip
    return tuple(sorted(changes, key=lambda change: path_sort_key(change.path)))


def _smallest(before: Json, after: Json) -> tuple[FieldPath, Json, Json]:
    """The smallest part that holds every difference, with its path."""
    path: list[Element] = []
    while True:
        match before, after:
            case dict(), dict() if before.keys() == after.keys():
                keys: list[Element] = [key for key in before if not equal_documents(before[key], after[key])]
            case list(), list() if len(before) == len(after):
                keys = [at for at in range(len(before)) if not equal_documents(before[at], after[at])]
            case _:
                return tuple(path), before, after
        if len(keys) != 1:
            return tuple(path), before, after
        path.append(keys[0])
        before, after = before[keys[0]], after[keys[0]]


def _with_text_leaves(value: JsonValue) -> Json:
    """Every leaf as JSON text: DeepDiff takes True for 1 in lists, and looks into texts of several lines."""
    match value:
        case dict():
            return {key: _with_text_leaves(item) for key, item in value.items()}
        case list():
            return [_with_text_leaves(item) for item in value]
        case float() if value.is_integer():
            return json.dumps(int(value))
        case _:
            return json.dumps(value)


def _with_leaves(value: Json) -> Json:
    match value:
        case dict():
            return {key: _with_leaves(item) for key, item in value.items()}
        case list():
            return [_with_leaves(item) for item in value]
        case _:
            return json.loads(value)
