"""Whether an apply would change anything, decided without a request.

This is on the hot path of every plan: it walks the raw `fieldsV1` of our entry together with the desired and the
live document, and builds nothing. It may say "not known" (False) where a dry run would find no change, never the
opposite. The comparison "desired is a subset of live" is not enough: it misses removals and reorderings.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, TypeAlias

from planner.values import Json, JsonObject, JsonValue
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.typed_values import equal_json

_UNTRACKED = frozenset(("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"))
_MISSING = object()
Keys: TypeAlias = tuple[tuple[str, Any], ...]
Steps: TypeAlias = tuple[str, ...]  # a path for a look-up of types: `[]` stands for any list item


def apply_changes_nothing(
    live: JsonObject, desired: JsonObject, *, manager: str, compare_leaves: bool, types: MergeTypeTable | None = None
) -> bool:
    """True only if applying `desired` as `manager` would change nothing at all, decided without a request.

    With `compare_leaves` every declared leaf is compared with the live one (mode A); without it the caller has already
    compared the applied-digest annotation (mode B). False means "not known to be unchanged". An object of which
    nothing is tracked (a bare Namespace) is unchanged when it exists. Times and order of the entries do not count: the
    server renews them for another spelling of the same value. `types` (else the built-in ones) says an atomic map
    from one that was declared empty; of a kind that it does not know, a map owned as a whole is never "unchanged".
    """
    metadata = live["metadata"]
    if "deletionTimestamp" in metadata:
        return False
    api_version = desired["apiVersion"]
    node = _our_fields(metadata.get("managedFields") or (), manager, api_version)
    if node is None:
        return _is_bare(desired) and not _has_entry(metadata.get("managedFields") or (), manager)
    table = types or MergeTypeTable.builtin()
    custom = table.is_custom(api_version, desired["kind"])
    walk = _Walk(compare_leaves or _is_shared(node, metadata["managedFields"], manager), custom)
    used = 0
    for key, value in desired.items():
        if key in ("apiVersion", "kind"):
            continue
        below = node.get("f:" + key)
        declared = value if key != "metadata" else tracked_metadata(value)
        if key == "metadata" and not declared:
            continue
        if below is None or not _same(walk, (key,), below, declared, live.get(key)):
            return False
        used += 1
    if used != len(node):
        return False
    kind = desired["kind"]
    return all(table.holding(api_version, kind, path) == "whole" for path in walk.wholes) and all(
        table.holding(api_version, kind, path) == "keyed" for path in walk.empties
    )


class _Walk:
    """One comparison: whether leaves count, whether the kind is a custom one (where an empty value is not the same as
    none), the paths of maps that we own as a whole, and of empty lists of which we own nothing."""

    __slots__ = ("compare_leaves", "custom", "empties", "wholes")

    def __init__(self, compare_leaves: bool, custom: bool) -> None:
        self.compare_leaves = compare_leaves
        self.custom = custom
        self.wholes: list[Steps] = []
        self.empties: list[Steps] = []


def tracked_metadata(metadata: JsonObject) -> JsonObject:
    """The fields of `metadata` that managedFields tracks: not names, versions and times, which belong to the server."""
    return {name: item for name, item in metadata.items() if name not in _UNTRACKED}


def _our_fields(entries: Json, manager: str, api_version: str) -> JsonObject | None:
    for entry in entries:
        if entry.get("manager") == manager and entry["operation"] == "Apply" and "subresource" not in entry:
            fields: JsonObject | None = entry.get("fieldsV1") if entry["apiVersion"] == api_version else None
            return fields
    return None


def _is_shared(node: JsonObject, entries: Json, manager: str) -> bool:
    """Whether another manager owns one of our leaves too. To write it again in another spelling is then a conflict,
    even if the value stored is the same."""
    return any(
        _overlap(node, entry.get("fieldsV1") or {}) for entry in entries if not is_our_apply_entry(entry, manager)
    )


def _overlap(node: JsonObject, other: JsonObject) -> bool:
    for key in node.keys() & other.keys():
        if key != ".":
            mine, theirs = node[key], other[key]
            if not mine or not theirs or _overlap(mine, theirs):
                return True
    return False


def _has_entry(entries: Json, manager: str) -> bool:
    return any(entry.get("manager") == manager and entry["operation"] == "Apply" for entry in entries)


def _is_bare(desired: JsonObject) -> bool:
    """Whether a document declares nothing that is tracked."""
    names = (desired.get("metadata") or {}).keys()
    return desired.keys() <= {"apiVersion", "kind", "metadata"} and names <= _UNTRACKED


def _same(walk: _Walk, path: Steps, node: JsonObject, want: JsonValue, have: JsonValue) -> bool:
    """Whether `node` owns exactly what `want` declares, and (if asked) the leaves of `have` are the same."""
    if not node or (len(node) == 1 and "." in node):
        return _same_leaf(walk, path, want, have)
    if want.__class__ is dict:
        return have.__class__ is dict and _same_map(walk, path, node, want, have)
    return want.__class__ is list and have.__class__ is list and _same_list(walk, path, node, want, have)


def _same_leaf(walk: _Walk, path: Steps, want: JsonValue, have: JsonValue) -> bool:
    if want.__class__ is dict and want:
        walk.wholes.append(path)
    elif (want == [] or want == {}) and (have or (walk.custom and path[0] != "metadata" and want != have)):
        return False  # the server put its default in the place of nothing, and that may depend on other fields
    return not walk.compare_leaves or equal_json(want, have)


def _same_map(walk: _Walk, path: Steps, node: JsonObject, want: JsonObject, have: JsonObject) -> bool:
    used = 1 if "." in node else 0
    compare_leaves = walk.compare_leaves
    for key, value in want.items():
        below = node.get("f:" + key)
        if below is None:
            if value != [] or (walk.custom and path[0] != "metadata" and key not in have):
                return False
            walk.empties.append((*path, key))
            continue
        if not below and value.__class__ is str:
            if compare_leaves and value != have.get(key):
                return False
        elif not _same(walk, (*path, key), below, value, have.get(key)) or (value is None and key not in have):
            return False
        used += 1
    return used == len(node)


def _same_list(walk: _Walk, path: Steps, node: JsonObject, want: list[Json], have: list[Json]) -> bool:
    """Items of a keyed list or set: all owned ones declared, in the order in which they stand in the live list."""
    if len(node) != len(want):
        return False
    left = {parse_item_keys(key): below for key, below in node.items()}
    below_items = (*path, "[]")
    live = iter(have)
    for item in want:
        keys = _find(left, item)
        if keys is None:
            return False
        below = left.pop(keys)
        for other in live:
            if item_matches_keys(keys, other):
                break
        else:
            return False
        if not _same(walk, below_items, below, item, other):
            return False
    return len(have) == len(want) or not _has_duplicates(node, have)


def _find(left: dict[Keys, JsonObject], item: JsonValue) -> Keys | None:
    """The one owned element that a declared item can be. When several fit (a key field was left to the server's
    default), None: only the server can determine which is meant."""
    found = None
    for keys in left:
        if item_may_match_keys(keys, item):
            if found is not None:
                return None
            found = keys
    return found


@lru_cache(maxsize=4096)
def parse_item_keys(key: str) -> Keys:
    """A list element's key in `fieldsV1`: the pairs of a keyed item, or the value of a set member under no name."""
    parsed = json.loads(key[2:])
    return tuple(parsed.items()) if key[0] == "k" else (("", parsed),)


def item_may_match_keys(keys: Keys, item: JsonValue) -> bool:
    """Whether a declared item can be this element: the key fields that it has agree."""
    if item.__class__ is not dict:
        return bool(keys[0][0] == "" and keys[0][1] == item)
    for name, value in keys:  # noqa: SIM110 - a generator here costs a tenth of a whole plan
        if item.get(name, value) != value:
            return False
    return True


def item_matches_keys(keys: Keys, item: JsonValue) -> bool:
    """Whether an item is the one that these keys name: the set member itself, or all of its key fields."""
    if item.__class__ is not dict:
        return bool(keys[0][0] == "" and keys[0][1] == item)
    for name, value in keys:  # noqa: SIM110
        if item.get(name, _MISSING) != value:
            return False
    return True


def _has_duplicates(node: JsonObject, have: list[Json]) -> bool:
    """Whether one of the owned items stands in the live list twice: then the server does not merge it."""
    return any(sum(item_matches_keys(parse_item_keys(key), item) for item in have) > 1 for key in node)


def is_our_apply_entry(entry: JsonObject, manager: str) -> bool:
    """Whether an entry of managedFields is that of an apply by `manager` to the main resource."""
    return entry.get("manager") == manager and entry["operation"] == "Apply" and not entry.get("subresource")
