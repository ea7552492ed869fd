"""Random changes of documents that know the types: blends of two, parts of one, list items in another order."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from providers.kubernetes.ssa.merge_types import MergeType
from providers.kubernetes.ssa.typed_values import list_item_element

Doc = dict[str, Any]
_KEPT = frozenset(("apiVersion", "kind", "metadata", "name", "namespace"))


def blend(rng: Random, kind: MergeType | None, one: Any, other: Any) -> Any:
    """Something between two documents of one type."""
    if kind is not None and isinstance(one, dict) and isinstance(other, dict):
        return _blend_maps(rng, kind, one, other)
    if kind is not None and isinstance(one, list) and isinstance(other, list):
        if kind.list_kind in ("map", "set"):
            return _blend_items(rng, kind, one, other)
        return copy.deepcopy(rng.choice((one, one, other, list(reversed(one)))))
    return copy.deepcopy(rng.choice((one, one, other)))


def _blend_maps(rng: Random, kind: MergeType, one: Doc, other: Doc) -> Doc:
    out: Doc = {}
    for key in sorted(one.keys() | other.keys()):
        if key in one and key in other:
            out[key] = blend(rng, kind.child(key), one[key], other[key])
        elif key in kind.required or rng.random() < (0.85 if key in one else 0.3):
            out[key] = copy.deepcopy(one[key] if key in one else other[key])
    return out


def _blend_items(rng: Random, kind: MergeType, one: list[Any], other: list[Any]) -> list[Any]:
    mine = {list_item_element(kind, item): item for item in one}
    theirs = {list_item_element(kind, item): item for item in other}
    out = []
    for element in [*mine, *(element for element in theirs if element not in mine)]:
        if element in mine and element in theirs:
            out.append(blend(rng, kind.items(), mine[element], theirs[element]))
        elif rng.random() < (0.85 if element in mine else 0.3):
            out.append(copy.deepcopy(mine.get(element, theirs.get(element))))
    if rng.random() < 0.25:
        rng.shuffle(out)
    return out


def part(rng: Random, kind: MergeType | None, value: Any, keep: float = 0.6) -> Any:
    """A document with some of its fields; key fields of list items stay."""
    if kind is not None and isinstance(value, dict) and not kind.atomic:
        return {
            key: part(rng, kind.child(key), item, keep)
            for key, item in value.items()
            if key in _KEPT or rng.random() < keep
        }
    if kind is not None and isinstance(value, list) and kind.list_kind == "map":
        return [_item(rng, kind, item, keep) for item in value if rng.random() < keep]
    return copy.deepcopy(value)


def _item(rng: Random, kind: MergeType, item: Doc, keep: float) -> Doc:
    retained = part(rng, kind.items(), item, keep)
    return {**retained, **{name: item[name] for name in kind.keys if name in item}}


def holes(rng: Random, value: Any) -> Any:
    """A merge patch made of a document: some fields are deleted."""
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        out[key] = None if rng.random() < 0.25 and key not in _KEPT else holes(rng, item)
    return out


def some_nulls(rng: Random, kind: MergeType | None, value: Any) -> Any:
    """A document in which a few fields that the schema describes are null, as exporters write them."""
    if not isinstance(value, dict) or kind is None or kind.atomic:
        return value
    out: Doc = {}
    for key, item in value.items():
        below = kind.child(key)
        out[key] = item if key in _KEPT else some_nulls(rng, below, item)
        if below is not None and key not in _KEPT and key not in kind.required and rng.random() < 0.02:
            out[key] = None
    return out
