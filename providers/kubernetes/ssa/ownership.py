"""Who owns which field of a live object, and whether an apply would change anything. Reads managedFields only.

`unchanged` is on the hot path of every plan: it walks the raw `fieldsV1` of our entry together with the desired and the
live document, and builds nothing. It may say "not known" (False) where a dry run would find no change, never the
opposite. The comparison "desired is a subset of live" is not enough: it misses removals and reorderings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from planner.path import Element, FieldPath, Item, Member
from planner.values import Json, JsonObject
from providers.kubernetes.ssa.fieldset import EMPTY, FieldSet, element_of
from providers.kubernetes.ssa.schema import Type, TypeTable
from providers.kubernetes.ssa.typed import element_of as item_element
from providers.kubernetes.ssa.typed import equal, fields_of

_UNTRACKED = frozenset(("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"))
_MISSING = object()
Keys: TypeAlias = tuple[tuple[str, Any], ...]
Steps: TypeAlias = tuple[str, ...]  # a path for a look-up of types: `[]` stands for any list item


@dataclass(frozen=True, slots=True)
class Owner:
    """One entry of managedFields. `operation` is Apply or Update; `time` is RFC 3339 or ""."""

    manager: str
    operation: str
    time: str = ""
    subresource: str = ""


def unchanged(
    live: JsonObject, desired: JsonObject, *, manager: str, leaves_too: bool, types: TypeTable | None = None
) -> bool:
    """True only if applying `desired` as `manager` would change nothing at all, decided without a request.

    With `leaves_too` every declared leaf is compared with the live one (mode A); without it the caller has already
    compared the applied-digest annotation (mode B). False means "not known to be unchanged". An object of which
    nothing is tracked (a bare Namespace) is unchanged when it exists. Times and order of the entries do not count: the
    server renews them for another spelling of the same value. `types` (else the built-in ones) tells an atomic map
    from one that was declared empty; of a kind that it does not know, a map owned as a whole is never "unchanged".
    """
    metadata = live["metadata"]
    if "deletionTimestamp" in metadata:
        return False
    api_version = desired["apiVersion"]
    node = _our_fields(metadata.get("managedFields") or (), manager, api_version)
    if node is None:
        return _is_bare(desired) and not _has_entry(metadata.get("managedFields") or (), manager)
    table = types or TypeTable.builtin()
    custom = table.is_custom(api_version, desired["kind"])
    walk = _Walk(leaves_too or _is_shared(node, metadata["managedFields"], manager), custom, [])
    used = 0
    for key, value in desired.items():
        if key in ("apiVersion", "kind") or value is None:
            continue
        below = node.get("f:" + key)
        tracked = value if key != "metadata" else _tracked(value)
        if key == "metadata" and not tracked:
            continue
        if below is None or not _same(walk, (key,), below, tracked, live.get(key)):
            return False
        used += 1
    if used != len(node):
        return False
    return all(table.is_leaf(api_version, desired["kind"], path) for path in walk.wholes)


class _Walk:
    """One comparison: whether leaves count, whether the kind is a custom one (where an empty value is not the same as
    none), and the paths of maps that we own as a whole."""

    __slots__ = ("custom", "leaves_too", "wholes")

    def __init__(self, leaves_too: bool, custom: bool, wholes: list[Steps]) -> None:
        self.leaves_too = leaves_too
        self.custom = custom
        self.wholes = wholes


def _tracked(metadata: JsonObject) -> JsonObject:
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
    return any(_overlap(node, entry.get("fieldsV1") or {}) for entry in entries if not _is_ours(entry, manager))


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


def _same(walk: _Walk, path: Steps, node: JsonObject, want: Json, have: Json) -> bool:
    """Whether `node` owns exactly what `want` declares, and (if asked) the leaves of `have` are the same."""
    if not node or (len(node) == 1 and "." in node):
        return _same_leaf(walk, path, want, have)
    if want.__class__ is dict:
        return have.__class__ is dict and _same_map(walk, path, node, want, have)
    return want.__class__ is list and have.__class__ is list and _same_list(walk, path, node, want, have)


def _same_leaf(walk: _Walk, path: Steps, want: Json, have: Json) -> bool:
    if want.__class__ is dict and want:
        walk.wholes.append(path)
    elif (want == [] or want == {}) and (have or (walk.custom and want != have)):
        return False  # the server put its default in the place of nothing, and that may depend on other fields
    return not walk.leaves_too or equal(want, have)


def _same_map(walk: _Walk, path: Steps, node: JsonObject, want: JsonObject, have: JsonObject) -> bool:
    used = 1 if "." in node else 0
    leaves_too = walk.leaves_too
    for key, value in want.items():
        if value is None:
            continue
        below = node.get("f:" + key)
        if below is None:
            return False
        if not below and value.__class__ is str:
            if leaves_too and value != have.get(key):
                return False
        elif not _same(walk, (*path, key), below, value, have.get(key)):
            return False
        used += 1
    return used == len(node)


def _same_list(walk: _Walk, path: Steps, node: JsonObject, want: list[Json], have: list[Json]) -> bool:
    """Items of a keyed list or set: all owned ones declared, in the order in which they stand in the live list."""
    if len(node) != len(want):
        return False
    left = {_keys(key): below for key, below in node.items()}
    below_items = (*path, "[]")
    live = iter(have)
    for item in want:
        keys = _find(left, item)
        if keys is None:
            return False
        below = left.pop(keys)
        for other in live:
            if _is_exactly(keys, other):
                break
        else:
            return False
        if not _same(walk, below_items, below, item, other):
            return False
    return len(have) == len(want) or not _has_duplicates(node, have)


def _find(left: dict[Keys, JsonObject], item: Json) -> Keys | None:
    """The one owned element that a declared item can be. When several fit (a key field was left to the server's
    default), None: only the server can tell which is meant."""
    found = None
    for keys in left:
        if _is_item(keys, item):
            if found is not None:
                return None
            found = keys
    return found


@lru_cache(maxsize=4096)
def _keys(key: str) -> Keys:
    """A list element's key in `fieldsV1`: the pairs of a keyed item, or the value of a set member under no name."""
    parsed = json.loads(key[2:])
    return tuple(parsed.items()) if key[0] == "k" else (("", parsed),)


def _is_item(keys: Keys, item: Json) -> bool:
    """Whether a declared item can be this element: the key fields that it has agree."""
    if item.__class__ is not dict:
        return bool(keys[0][0] == "" and keys[0][1] == item)
    for name, value in keys:  # noqa: SIM110 - a generator here costs a tenth of a whole plan
        if item.get(name, value) != value:
            return False
    return True


def _is_exactly(keys: Keys, item: Json) -> bool:
    if item.__class__ is not dict:
        return bool(keys[0][0] == "" and keys[0][1] == item)
    for name, value in keys:  # noqa: SIM110
        if item.get(name, _MISSING) != value:
            return False
    return True


def _has_duplicates(node: JsonObject, have: list[Json]) -> bool:
    """Whether one of the owned items stands in the live list twice: then the server does not merge it."""
    return any(sum(_is_exactly(_keys(key), item) for item in have) > 1 for key in node)


def _owner(entry: JsonObject) -> Owner:
    return Owner(entry.get("manager", ""), entry["operation"], entry.get("time") or "", entry.get("subresource", ""))


def _entries(live: JsonObject) -> list[JsonObject]:
    return list((live.get("metadata") or {}).get("managedFields") or ())


def _is_ours(entry: JsonObject, manager: str) -> bool:
    return entry.get("manager") == manager and entry["operation"] == "Apply" and not entry.get("subresource")


def owners_of(live: JsonObject, path: FieldPath) -> tuple[Owner, ...]:
    """Every manager that owns this path or an atomic container around it, in managedFields order."""
    return tuple(_owner(entry) for entry in _entries(live) if _owns(entry.get("fieldsV1") or {}, path))


def _owns(node: JsonObject, path: FieldPath) -> bool:
    for position, element in enumerate(path):
        if not node:
            return position > 0
        below = node.get("f:" + element) if isinstance(element, str) else _below(node, element)
        if below is None:
            return False
        node = below
    return not node or "." in node


def _below(node: JsonObject, element: Element) -> JsonObject | None:
    """The node of a list element; an index stands for a keyed item or set member only if it is in the set itself."""
    for key, below in node.items():
        if key != "." and element_of(key) == element:
            found: JsonObject = below
            return found
    return None


def owned_by(live: JsonObject, manager: str) -> FieldSet:
    """What `manager` owns by Apply (main resource). Empty when it has no entry."""
    for entry in _entries(live):
        if _is_ours(entry, manager):
            return FieldSet.parse(entry.get("fieldsV1") or {})
    return EMPTY


def foreign(live: JsonObject, manager: str) -> tuple[tuple[FieldPath, Json, Owner], ...]:
    """Leaves that others own and `manager` does not: path, live value, owner. Owners of subresources are left out, and
    so are leaves that are owned but not there."""
    ours = owned_by(live, manager)
    out: list[tuple[FieldPath, Json, Owner]] = []
    for entry in _entries(live):
        if _is_ours(entry, manager) or entry.get("subresource"):
            continue
        owner = _owner(entry)
        for path in FieldSet.parse(entry.get("fieldsV1") or {}).leaves():
            value = _value_at(live, path)
            if value is not _MISSING and not _covers(ours, path):
                out.append((path, value, owner))
    return tuple(out)


def _covers(fields: FieldSet, path: FieldPath) -> bool:
    """Whether a set holds this path, an atomic container around it, or something below it."""
    for element in path:
        below = fields.children.get(element)
        if below is None:
            return element in fields.members
        fields = below
    return True


def _value_at(document: Json, path: FieldPath) -> Json:
    for element in path:
        document = _step(document, element)
        if document is _MISSING:
            return _MISSING
    return document


def _step(value: Json, element: Element) -> Json:
    match element:
        case str():
            return value.get(element, _MISSING) if isinstance(value, dict) else _MISSING
        case int():
            return value[element] if isinstance(value, list) and element < len(value) else _MISSING
        case Item(keys):
            found = (item for item in value if _is_exactly(keys, item)) if isinstance(value, list) else iter(())
            return next(found, _MISSING)
        case Member(wanted):
            return wanted if isinstance(value, list) and wanted in value else _MISSING


def lost(live: JsonObject, desired: JsonObject, manager: str) -> tuple[tuple[FieldPath, Owner], ...]:
    """Declared leaves that `manager` does not own any more, with the owner who took each. Fields that nobody owns (we
    never applied them) are none of these."""
    ours: JsonObject = {}
    others: list[tuple[Owner, JsonObject]] = []
    for entry in _entries(live):
        if _is_ours(entry, manager):
            ours = entry.get("fieldsV1") or {}
        elif not entry.get("subresource"):
            others.append((_owner(entry), entry.get("fieldsV1") or {}))
    wanted = {key: value for key, value in desired.items() if key not in ("apiVersion", "kind")}
    metadata = wanted.get("metadata") or {}
    wanted["metadata"] = _tracked(metadata)
    return tuple(_lost((), wanted, ours, others))


def _lost(
    path: FieldPath, want: Json, ours: JsonObject | None, others: list[tuple[Owner, JsonObject]]
) -> Iterator[tuple[FieldPath, Owner]]:
    """`ours` is None where we own nothing at this place."""
    if not others:
        return
    leaf = [owner for owner, node in others if not node or set(node) == {"."}]
    below: list[tuple[str, Element, Json]] = []
    if isinstance(want, dict):
        below = [("f:" + key, key, value) for key, value in want.items() if value is not None]
    elif isinstance(want, list):
        below = _keyed(want, [node for _, node in others])
    if leaf and path and (ours is None or not below):
        if ours is None:
            yield path, leaf[0]
        return
    for key, element, value in below:
        inner = [(owner, node[key]) for owner, node in others if key in node]
        mine = ours.get(key) if ours else None
        yield from _lost((*path, element), value, mine, inner)


def _keyed(want: list[Json], nodes: list[JsonObject]) -> list[tuple[str, Element, Json]]:
    """Declared items by the keys under which the other managers know them."""
    out: dict[str, tuple[str, Element, Json]] = {}
    for node in nodes:
        for key in node:
            if key[:2] in ("k:", "v:") and key not in out:
                match = next((item for item in want if _is_item(_keys(key), item)), _MISSING)
                element = element_of(key)
                if match is not _MISSING and element is not None:
                    out[key] = (key, element, match)
    return list(out.values())


def project(document: JsonObject, kept: JsonObject | FieldSet, types: TypeTable) -> Json:
    """The part of `document` at the fields of `kept` (a desired object, or a set of fields). Items of keyed lists keep
    their key fields; a map of which only the map itself is kept is `{}`."""
    kind = types.type_of(str(document["apiVersion"]), str(document["kind"]))
    fields = kept if isinstance(kept, FieldSet) else fields_of(kind, kept)
    return _project(kind, document, fields)


def _project(kind: Type | None, value: Json, fields: FieldSet) -> Json:
    if kind is None:
        return value
    if isinstance(value, dict) and not kind.atomic:
        out = {}
        for key, item in value.items():
            if key in fields.members or key in fields.children:
                out[key] = _project(kind.child(key), item, fields.below(key))
        return out
    if isinstance(value, list) and kind.list_kind not in ("atomic", ""):
        return [item for item in _items(kind, value, fields) if item is not _MISSING]
    return value


def _items(kind: Type, value: list[Json], fields: FieldSet) -> Iterator[Json]:
    for item in value:
        element = item_element(kind, item)
        if element in fields.members or element in fields.children:
            kept = _project(kind.items(), item, fields.below(element))
            if isinstance(kept, dict):
                kept = {name: item[name] for name in kind.keys if name in item} | kept
            yield kept
