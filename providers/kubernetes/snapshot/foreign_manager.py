"""Plays somebody else in a snapshot, who changes or deletes an object: so that drift can be tried without a cluster.

What a server would refuse is refused, and of a value of a Secret only the fingerprint gets into the snapshot.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from planner.address import Address
from planner.errors import PermanentError
from planner.field_path import Element, FieldPath, ListItemPathElement, SetMemberPathElement, parse_path, render_path
from planner.ports import Fingerprinter
from planner.values import Json, JsonObject, JsonValue, deep_copy
from providers.kubernetes.secret_values_as_fingerprints import is_secret
from providers.kubernetes.snapshot import snapshot_admission
from providers.kubernetes.snapshot.folder_layout import ObjectIdentity
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster, open_snapshot
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.merge_types import MergeTypeTable

_LONGEST_MANAGER = 128  # characters; a server takes no more, and only printable ones
_IDENTITY = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"), ("metadata", "uid")}


def change_as_foreign_manager(
    folder: Path,
    address: Address,
    values: Mapping[str, Json],
    manager: str,
    fingerprinter: Fingerprinter | None = None,
) -> JsonObject:
    """Set fields of an object (path in the form plans show -> value; None removes) as `manager`; the object as stored.

    A value of a Secret is given as plain text, and needs `fingerprinter`. Raises PermanentError for an object or a
    place that is not there, Invalid for what a server would refuse.
    """
    if not manager or len(manager) > _LONGEST_MANAGER or not manager.isprintable():
        raise PermanentError("not a field manager", where="--manager", remedy="1 to 128 printable characters")
    cluster = open_snapshot(folder)
    identity = _find(cluster, address)

    def change(live: JsonObject, types: MergeTypeTable) -> JsonObject:
        new = deep_copy(live)
        for text, value in values.items():
            path = _parsed(text)
            _set(new, path, _hidden(path, value, fingerprinter) if is_secret(live) else value)
        snapshot_admission.check_field_types(identity, new, types)
        snapshot_admission.validate_object_to_store(identity, new, types, live)
        return merge.merge_plain_update(live, new, manager=manager, types=types, now=cluster.now())

    return cluster.change(identity, change)


def _hidden(path: FieldPath, value: JsonValue, fingerprinter: Fingerprinter | None) -> Json:
    """What a snapshot may keep of a field of a Secret, in the form that is merged: base64 of the fingerprint."""
    if path[0] not in ("data", "stringData") or value is None:
        return value
    if path[0] != "data" or len(path) != 2 or not isinstance(value, str) or fingerprinter is None:
        raise PermanentError(
            f"{render_path(path)} is no single text of a Secret's data",
            remedy="set data.KEY to one text, as plain text",
        )
    return base64.b64encode(fingerprinter.fingerprint(value.encode()).encode()).decode()


def delete_as_foreign_manager(folder: Path, address: Address) -> None:
    """Delete an object as somebody else. Raises PermanentError when it is not there."""
    cluster = open_snapshot(folder)
    cluster.drop(_find(cluster, address))


def _find(cluster: SnapshotCluster, address: Address) -> ObjectIdentity:
    """The object, whether or not the address repeats the default namespace."""
    identity = ObjectIdentity(address.group, address.kind, address.namespace, address.name)
    for candidate in (identity, identity._replace(namespace="default")):
        if cluster.holds(candidate):
            return candidate
    raise PermanentError("no such object in this cluster", where=address.local, remedy="look into its folder for names")


def _parsed(path: str) -> FieldPath:
    try:
        found = parse_path(path)
    except ValueError as error:
        raise PermanentError(str(error), remedy="write it as plans show it: spec.containers[name=api].image") from None
    if not found or found in _IDENTITY:
        raise PermanentError(f"{path or 'this'} is what the object is known by", remedy="change another field")
    return found


def _set(document: JsonObject, path: FieldPath, value: JsonValue) -> None:
    node: Json = document
    for position, element in enumerate(path[:-1]):
        found = _look(node, element)
        if found is None:
            _put(node, element, {} if isinstance(path[position + 1], str) else [], path)
            found = _look(node, element)
        node = found
    _put(node, path[-1], value, path)


def _look(node: JsonValue, element: Element) -> Json | None:
    if isinstance(node, dict) and isinstance(element, (str, int)):
        return node.get(str(element))
    if not isinstance(node, list):
        return None
    if isinstance(element, int):
        return node[element] if element < len(node) else None
    return next((item for item in node if _is(item, element)), None)


def _is(item: JsonValue, element: Element) -> bool:
    if isinstance(element, ListItemPathElement):
        return isinstance(item, dict) and all(str(item.get(name)) == str(value) for name, value in element.keys)
    return isinstance(element, SetMemberPathElement) and str(item) == str(element.value)


def _put(node: JsonValue, element: Element, value: JsonValue, path: FieldPath) -> None:
    if isinstance(node, dict) and isinstance(element, (str, int)):
        node[str(element)] = value
        if value is None:
            del node[str(element)]
        return
    if isinstance(node, list):
        _put_item(node, element, value)
        return
    raise PermanentError(f"{render_path(path)} leads through something that is no map or list")


def _put_item(items: list[Json], element: Element, value: JsonValue) -> None:
    old = _look(items, element)
    if old is not None:
        position = next(index for index, item in enumerate(items) if item is old)
        items[position : position + 1] = [] if value is None else [value]
    elif value is not None:
        new = (
            {**dict(element.keys), **value}
            if isinstance(element, ListItemPathElement) and isinstance(value, dict)
            else value
        )
        items.append(element.value if isinstance(element, SetMemberPathElement) else new)
