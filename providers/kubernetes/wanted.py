"""The document that will really be sent for a resource: nulls out, namespace in, a true stamp, ignored fields left out.

Also looks for what cannot be sent yet or at all: outputs that are not known, secrets outside Secrets.
"""

from __future__ import annotations

from planner.editing import with_value, without
from planner.path import Element, FieldPath, Item
from planner.resource import Resource
from planner.values import Json, JsonObject, Ref, Sealed, Sub, open_outputs
from providers.kubernetes.cluster import FIELD_MANAGER
from providers.kubernetes.comparing import value_at
from providers.kubernetes.placing import Spot, placed
from providers.kubernetes.sealing import is_secret
from providers.kubernetes.ssa.fieldset import FieldSet
from providers.kubernetes.stamping import stamped


def prepared(resource: Resource, spot: Spot, live: JsonObject | None) -> JsonObject:
    """The document to send, special leaves still inside. `live` is sealed; None for a create."""
    document: JsonObject = placed(_without_nulls(resource.manifest), spot)
    if is_secret(document) and isinstance(plain := document.get("stringData"), dict):
        # the server would own `stringData`, which is never stored: nobody could tell what changed
        data = {**(document.get("data") or {}), **plain}
        document = {key: value for key, value in document.items() if key != "stringData"} | {"data": data}
    document = stamped(document, unknown=bool(open_outputs(document)))
    for path in resource.options.ignore_fields if live else ():
        document = _ignoring(document, path, live or {})
    return document


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def special_leaves(value: Json, path: tuple[str | int, ...] = ()) -> tuple[tuple[tuple[str | int, ...], Json], ...]:
    """Every Ref, Sub and Sealed with its plain path."""
    if isinstance(value, dict):
        return tuple(found for key, item in value.items() for found in special_leaves(item, (*path, key)))
    if isinstance(value, list):
        return tuple(found for at, item in enumerate(value) for found in special_leaves(item, (*path, at)))
    return ((path, value),) if isinstance(value, (Ref, Sub, Sealed)) else ()


# --- ignored fields ------------------------------------------------------------------------------------------------


def _ignoring(document: JsonObject, path: FieldPath, live: JsonObject) -> JsonObject:
    """Leave a field to its other owner; where there is none, keep what lives, so that nothing changes either way."""
    declared = value_at(document, path)
    if isinstance(declared, dict) and declared:
        for key in declared:
            document = _ignoring(document, (*path, key), live)
        return document
    if _others_own(live, path):
        return without(document, path)
    alive = value_at(live, path)
    there = isinstance(alive, (dict, list, str, int, float)) or alive is None
    return with_value(document, path, alive) if there else document


def _others_own(live: JsonObject, path: FieldPath) -> bool:
    for entry in live["metadata"].get("managedFields") or ():
        if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply":
            continue
        if _reaches(FieldSet.parse(entry.get("fieldsV1") or {}), path):
            return True
    return False


def _reaches(fields: FieldSet, path: FieldPath) -> bool:
    """Whether a set holds the path, something below it, or an atomic container around it."""
    for element in path:
        found = next((child for key, child in fields.children.items() if _alike(key, element)), None)
        if found is None:
            return any(_alike(key, element) for key in fields.members)
        fields = found
    return True


def _alike(key: Element, element: Element) -> bool:
    """Whether a path element, which may name only some of an item's keys, means this element of a set."""
    if isinstance(key, Item) and isinstance(element, Item):
        have = {name: str(value) for name, value in key.keys}
        return all(have.get(name) == str(value) for name, value in element.keys)
    return key == element
