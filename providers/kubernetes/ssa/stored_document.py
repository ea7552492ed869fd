"""From a merged document to the stored one: defaults, write strategies, admission, and the entries of managedFields.

Owns the order of these steps and the rule that a write which changes nothing keeps its old times.
"""

from __future__ import annotations

from planner.dataclass import dataclass
from planner.values import JsonObject, JsonValue, deep_copy
from providers.kubernetes.ssa import admission_additions as admission
from providers.kubernetes.ssa.canonical_document import canonical_document, coerce_custom_metadata, go_zero_value
from providers.kubernetes.ssa.defaults import fill_custom_defaults, fill_defaults
from providers.kubernetes.ssa.managed_fields import Managers, write_managers
from providers.kubernetes.ssa.merge_types import MergeType, MergeTypeTable
from providers.kubernetes.ssa.typed_values import equal_json

# Kinds whose generation is counted up when an empty list or map takes the place of none, and the part compared.
_LITERAL = {
    "NetworkPolicy": "spec",
    "ValidatingWebhookConfiguration": "webhooks",
    "MutatingWebhookConfiguration": "webhooks",
}


@dataclass(slots=True)
class KindWithMergeType:
    """The kind of one object with its merge type: what the type table says about it."""

    table: MergeTypeTable
    type: MergeType
    api_version: str
    kind: str
    custom: bool
    status: bool

    @classmethod
    def of(cls, document: JsonObject, table: MergeTypeTable) -> KindWithMergeType:
        api_version, kind = str(document["apiVersion"]), str(document["kind"])
        return cls(
            table,
            table.type_of(api_version, kind),
            api_version,
            kind,
            table.is_custom(api_version, kind),
            table.has_status(api_version, kind),
        )

    def empty(self) -> JsonObject:
        """The object that an absent one is compared with: typed for a built-in kind, bare for a custom one."""
        made: JsonObject = {} if self.custom else go_zero_value(self.type)
        return made | {"apiVersion": self.api_version, "kind": self.kind}


def without_managed_fields(document: JsonObject) -> JsonObject:
    """A copy of a document (its parts shared) without managedFields."""
    metadata = document.get("metadata") or {}
    return document | {"metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


def decode_document_as_server(kind: KindWithMergeType, given: JsonObject, *, merged: bool = False) -> JsonObject:
    """A document as the server decodes it, before it is stored: in its Go form and with defaults. A merged custom one
    does not pass through the decoder, which tidies metadata."""
    if kind.custom:
        out: JsonObject = deep_copy(given) if merged else coerce_custom_metadata(kind.type, deep_copy(given))
        fill_custom_defaults(kind.type, out)
        return out
    made: JsonObject = canonical_document(kind.type, given, phase="decoded")
    fill_defaults(kind.type, made)
    return made


def merged_document_as_stored(
    kind: KindWithMergeType, live: JsonObject | None, merged: JsonObject, managers: Managers
) -> JsonObject:
    """The document that is stored for one that was merged by an apply."""
    return stored_document(
        kind,
        live,
        decode_document_as_server(kind, without_managed_fields(merged), merged=True),
        managers,
        written=merged,
    )


def stored_document(
    kind: KindWithMergeType,
    live: JsonObject | None,
    decoded: JsonObject,
    managers: Managers,
    *,
    keep_status: bool = True,
    written: JsonObject | None = None,
) -> JsonObject:
    """A decoded document after write strategy and admission, with its managedFields. `decoded` is used up."""
    if kind.status and keep_status:
        _keep_status(kind, live, decoded)
    admission.add_admission_fields(live, decoded)
    same = live is not None and _same(kind, live, decoded, written or decoded)
    stored: JsonObject = (
        coerce_custom_metadata(kind.type, decoded) if kind.custom else canonical_document(kind.type, decoded)
    )
    entries = _entries(live, managers, same)
    if entries:
        stored["metadata"]["managedFields"] = entries
    return stored


def _keep_status(kind: KindWithMergeType, live: JsonObject | None, stored: JsonObject) -> None:
    """A write of the main resource leaves the status as it is; a new object begins without one."""
    if live is not None:
        if "status" in live:
            stored["status"] = deep_copy(live["status"])
        else:
            stored.pop("status", None)
    elif kind.custom:
        stored.pop("status", None)
    else:
        fresh: JsonObject = canonical_document(kind.type, {**stored, "status": {}})
        fill_defaults(kind.type, fresh)
        stored["status"] = fresh["status"]


def _entries(live: JsonObject | None, managers: Managers, same: bool) -> list[JsonObject]:
    """managedFields, with the old times when nothing but times changed."""
    entries = write_managers(managers)
    before: list[JsonObject] = ((live or {}).get("metadata") or {}).get("managedFields") or []
    if same and len(entries) == len(before) and _timeless(entries) == _timeless(before):
        return [deep_copy(entry) for entry in before]
    return entries


def _timeless(entries: list[JsonObject]) -> list[JsonObject]:
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries]


def _same(kind: KindWithMergeType, live: JsonObject, decoded: JsonObject, written: JsonObject) -> bool:
    """Whether the server sees two equal objects. In a custom one 2.0 is not 2 and an empty map is not none; in a
    built-in one they are the same but for a few kinds."""
    if kind.custom:
        return equal_json(without_managed_fields(live), decoded, int_differs_from_float=True)
    part = _LITERAL.get(kind.kind)
    if part is not None and _has_empty(kind.type.child(part), written.get(part)):
        return False
    return equal_json(without_managed_fields(live), canonical_document(kind.type, decoded))


def _has_empty(kind: MergeType | None, value: JsonValue) -> bool:
    """Whether an empty list or an empty map that is no struct stands anywhere in a value."""
    if kind is None:
        return False
    if isinstance(value, dict):
        if not value:
            return not kind.names
        return any(_has_empty(kind.child(key), item) for key, item in value.items())
    if isinstance(value, list):
        return not value or any(_has_empty(kind.items(), item) for item in value)
    return False
