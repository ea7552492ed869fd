"""Nulls that a server stores, and those that it drops. Owns the rule; everything else may rely on it.

"Defaulting and Nullable" of CustomResourceDefinitions: a null is retained where the schema says `nullable: true`, and
below `x-kubernetes-preserve-unknown-fields`; else it is pruned before defaults are set. In a built-in kind it is
nothing, but for parts that are stored as they come (raw JSON).
"""

from __future__ import annotations

from typing import overload

from planner.values import JsonObject, JsonValue
from providers.kubernetes.ssa.merge_types import MergeType


@overload
def without_dropped_nulls(kind: MergeType | None, value: JsonObject) -> JsonObject: ...
@overload
def without_dropped_nulls(kind: MergeType | None, value: JsonValue) -> JsonValue: ...
def without_dropped_nulls(kind: MergeType | None, value: JsonValue) -> JsonValue:
    """A copy without the nulls that the server would drop. `kind` None is a part that no schema describes."""
    if isinstance(value, dict):
        out: dict[str, JsonValue] = {}
        for key, item in value.items():
            below = kind.child(key) if kind is not None else None
            if item is None and (_is_dropped(kind, below) or key == "creationTimestamp"):
                continue  # the time is what Go writes for an object that was never stored, in templates as well
            out[key] = without_dropped_nulls(below, item)
        return out
    if isinstance(value, list):
        items = kind.items() if kind is not None and kind.list_kind else None
        return [without_dropped_nulls(items, item) for item in value]
    return value


def _is_dropped(parent: MergeType | None, kind: MergeType | None) -> bool:
    if kind is None:  # nobody describes it: retained below what is retained, refused by the server elsewhere
        return parent is not None and not parent.open
    return not (kind.scalar == "untyped" or kind.checks.get("nullable"))
