"""The document that will really be sent for a resource: without nulls that mean nothing, in its namespace, with a true
stamp, without ignored fields.

Also looks for what cannot be sent yet or at all: outputs that are not known, secrets outside Secrets.
"""

from __future__ import annotations

from collections.abc import Callable

from planner.document_editing import MISSING, remove_field, replace_value, value_at
from planner.field_path import Element, FieldPath, ListItemPathElement
from planner.resource import Resource
from planner.values import (
    Json,
    JsonObject,
    JsonValue,
    OutputRef,
    OutputTemplate,
    SealedSecret,
    is_plain_json,
    outputs_in_document,
)
from providers.cluster_interface import FIELD_MANAGER
from providers.kubernetes.applied_digest_annotation import with_applied_digest_annotation
from providers.kubernetes.controller_derived_fields import document_to_send_by_derived_field_rules
from providers.kubernetes.object_location import ObjectLocation, with_resolved_namespace
from providers.kubernetes.secret_values_as_fingerprints import is_secret
from providers.kubernetes.ssa.field_set import FieldSet
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.stored_nulls import without_dropped_nulls


def document_to_send_unrevealed(
    resource: Resource,
    location: ObjectLocation,
    live: JsonObject | None,
    types: Callable[[], MergeTypeTable] = MergeTypeTable.builtin,
) -> JsonObject:
    """The document to send, references to secrets and outputs still in it. `live` is sealed; None for a create.

    `types` is asked only where the schema decides: for nulls, and for a declared status.
    """
    document: JsonObject = with_resolved_namespace(resource.manifest, location)
    if "status" in document or _has_null(document):
        document = _as_sent(document, types())
    if is_secret(document) and isinstance(plain := document.get("stringData"), dict):
        # the server would own `stringData`, which is never stored: it is not known what changed
        data = {**(document.get("data") or {}), **plain}
        document = {key: value for key, value in document.items() if key != "stringData"} | {"data": data}
    document = document_to_send_by_derived_field_rules(document)
    document = with_applied_digest_annotation(document, outputs_unknown=bool(outputs_in_document(document)))
    for path in resource.options.ignore_fields if live else ():
        document = _ignoring(document, path, live or {})
    return document


def _has_null(value: JsonValue) -> bool:
    pending = [value]
    for item in pending:  # it grows meanwhile
        if isinstance(item, dict):
            pending += [one for one in item.values() if one.__class__ is not str]
        elif isinstance(item, list):
            pending += item
        elif item is None:
            return True
    return False


def _as_sent(document: JsonObject, types: MergeTypeTable) -> JsonObject:
    """The document without what no write of the main resource changes: nulls that mean nothing, status elsewhere."""
    api_version, kind = str(document["apiVersion"]), str(document["kind"])
    if "status" in document and (types.has_status(api_version, kind) or not types.knows(api_version, kind)):
        document = {key: value for key, value in document.items() if key != "status"}
    sent: JsonObject = without_dropped_nulls(types.type_of(api_version, kind), document)
    return sent


def non_json_leaves(
    value: JsonValue, path: tuple[str | int, ...] = ()
) -> tuple[tuple[tuple[str | int, ...], Json], ...]:
    """The leaves that are no JSON (Ref, Sub, Sealed: references to outputs and secrets), each with its plain path."""
    if is_plain_json(value):
        return ()
    if isinstance(value, dict):
        return tuple(found for key, item in value.items() for found in non_json_leaves(item, (*path, key)))
    if isinstance(value, list):
        return tuple(found for at, item in enumerate(value) for found in non_json_leaves(item, (*path, at)))
    return ((path, value),) if isinstance(value, (OutputRef, OutputTemplate, SealedSecret)) else ()


# --- ignored fields ------------------------------------------------------------------------------------------------


def _ignoring(document: JsonObject, path: FieldPath, live: JsonObject) -> JsonObject:
    """Leave a field to its other owner; where there is none, keep what lives, so that nothing changes either way."""
    declared = value_at(document, path)
    if isinstance(declared, dict) and declared:
        for key in declared:
            document = _ignoring(document, (*path, key), live)
        return document
    if _others_own(live, path):
        return remove_field(document, path)
    alive = value_at(live, path, MISSING)
    there = isinstance(alive, (dict, list, str, int, float)) or alive is None
    return replace_value(document, path, alive) if there else document


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
    if isinstance(key, ListItemPathElement) and isinstance(element, ListItemPathElement):
        have = {name: str(value) for name, value in key.keys}
        return all(have.get(name) == str(value) for name, value in element.keys)
    return key == element
