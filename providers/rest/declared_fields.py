"""The declared fields of an object, wanted and live, and what differs between the two. Pure.

A field that nobody declared is left alone and no part of the version token, so that a counter or a time that the
service keeps makes no plan stale (docs/adr/0003). Secrets that the API does not give back are no part of the comparison
either: what is known of them is the fingerprint in the note (docs/adr/0018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from planner.document_diff import HIDDEN, diff_documents
from planner.document_editing import remove_field, set_field
from planner.field_path import FieldPath
from planner.plan import FieldChange, FieldOp
from planner.values import (
    Json,
    JsonObject,
    SealedSecret,
    document_digest,
    encode_special_leaves,
    outputs_in_document,
    value_leaves,
)
from providers.rest.object_spec import ParsedRestObjectSpec
from providers.web.json_body import find_json_value_at_path

Seal: TypeAlias = Callable[[Json], SealedSecret]


def secret_leaves_by_path(body: JsonObject) -> dict[FieldPath, SealedSecret]:
    """The sealed leaves of a body, by the path of their field."""
    return {path: leaf for path, leaf in value_leaves(body) if isinstance(leaf, SealedSecret)}


def secrets_not_returned_by_api(wanted: ParsedRestObjectSpec) -> dict[FieldPath, SealedSecret]:
    """The secret fields that the API does not return when the object is read."""
    return {path: leaf for path, leaf in secret_leaves_by_path(wanted.body).items() if path not in wanted.readable}


def sources_of_secrets_without_fingerprint(wanted: ParsedRestObjectSpec) -> tuple[str, ...]:
    """The sources of secrets that have no fingerprint, and need one to be compared with a live object."""
    found = secret_leaves_by_path(wanted.body).items()
    return tuple(leaf.ref for path, leaf in found if not leaf.fingerprint and (wanted.note or path in wanted.readable))


def body_with_fingerprint_note(wanted: ParsedRestObjectSpec) -> JsonObject:
    """The body as it is sent: with the fingerprints of what cannot be read back, where a field keeps them."""
    hidden = secrets_not_returned_by_api(wanted)
    if not wanted.note or not hidden:
        return wanted.body
    rows = sorted((".".join(map(str, path)), leaf.fingerprint) for path, leaf in hidden.items())
    return set_field(wanted.body, wanted.note, "hwplan " + document_digest(rows)[: len("sha256:") + 16])


def comparable_body(wanted: ParsedRestObjectSpec) -> JsonObject:
    """What a live object is compared with: the body without what cannot be read back."""
    body = body_with_fingerprint_note(wanted)
    for path in secrets_not_returned_by_api(wanted):
        body = remove_field(body, path)
    return body


def declared_fields(live: JsonObject, target: JsonObject, seal: Seal) -> JsonObject:
    """The fields of a live object that `target` has, its secrets sealed."""
    return {key: _declared(live[key], one, seal) for key, one in target.items() if key in live}


def _declared(live: Json, target: Json, seal: Seal) -> Json:
    if isinstance(target, SealedSecret):
        return seal(live)
    return declared_fields(live, target, seal) if isinstance(target, dict) and isinstance(live, dict) else live


def version_token_of_declared(fields: JsonObject) -> str:
    """The version token over declared fields: their digest, secrets by fingerprint."""
    return document_digest(encode_special_leaves(_fingerprints(fields)))


def _fingerprints(value: Json) -> Json:
    match value:
        case dict():
            return {key: _fingerprints(item) for key, item in value.items()}
        case list():
            return [_fingerprints(item) for item in value]
        case SealedSecret(fingerprint=fingerprint):
            return {"fingerprint": fingerprint}
        case _:
            return value


def rest_field_changes(seen: JsonObject | None, wanted: ParsedRestObjectSpec) -> tuple[FieldChange, ...]:
    """Field by field what an update (of what is `seen`) or a create (of nothing) does; empty when nothing differs."""
    if seen is None:
        return diff_documents({}, body_with_fingerprint_note(wanted))
    found = diff_documents(seen, comparable_body(wanted))
    noted = any(one.path == wanted.note for one in found) if wanted.note else True
    return (*found, *_resent(wanted)) if found and noted else found


def _resent(wanted: ParsedRestObjectSpec) -> Iterator[FieldChange]:
    """The secrets that go along with a change, because nothing says that the service has them already."""
    for path, leaf in secrets_not_returned_by_api(wanted).items():
        yield FieldChange(path, FieldOp.CHANGE, HIDDEN, leaf.fingerprint, sensitive=True)


def _merged(live: Json, body: Json) -> Json:
    """The live value with the declared fields in it."""
    if not isinstance(live, dict) or not isinstance(body, dict):
        return body
    return {**live, **{key: _merged(live.get(key), item) for key, item in body.items()}}


def rest_put_body(live: JsonObject, wanted: ParsedRestObjectSpec) -> JsonObject:
    """What a PUT sends: the whole object, but for what the API does not take."""
    whole: JsonObject = _merged(_taken(live, wanted), body_with_fingerprint_note(wanted))
    return whole


def rest_patch_body(live: JsonObject, seen: JsonObject, wanted: ParsedRestObjectSpec) -> JsonObject:
    """What a PATCH sends: each top-level field that changes from what is `seen`, whole, which is right whether the API
    merges or not."""
    body, taken = body_with_fingerprint_note(wanted), _taken(live, wanted)
    changed = {one.path[0] for one in diff_documents(seen, comparable_body(wanted))} | {
        path[0] for path in secrets_not_returned_by_api(wanted)
    }
    return {key: _merged(taken.get(key), item) for key, item in body.items() if key in changed}


def _taken(live: JsonObject, wanted: ParsedRestObjectSpec) -> JsonObject:
    """What the API would take back of what it answered."""
    for path in wanted.omit:
        live = remove_field(live, path)
    return live


def declared_outputs(live: JsonObject, wanted: ParsedRestObjectSpec) -> JsonObject:
    """The declared outputs that the object has."""
    found = ((name, find_json_value_at_path(live, path)) for name, path in wanted.outputs)
    return {name: values[0] for name, values in found if values}


def outputs_before_write(now: JsonObject, wanted: ParsedRestObjectSpec) -> JsonObject:
    """The outputs that are certain before the write: declared fields, and of an object that is there its id."""
    retained = {name: now[name] for name, path in wanted.outputs if path == wanted.collection.id and name in now}
    body = {name: values[0] for name, path in wanted.outputs if (values := find_json_value_at_path(wanted.body, path))}
    return {**retained, **{name: value for name, value in body.items() if not outputs_in_document(value)}}
