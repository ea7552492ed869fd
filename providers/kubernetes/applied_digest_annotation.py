"""The annotation `hwplan.dev/applied` (the stamp): digest of what was applied, so that "nothing to do" needs no
request. Pure.

A document comes with the stamp of its declaration. That one is retained as long as it says the truth; where outputs
were filled in since, the stamp is made anew from the document itself. While outputs are unknown it says `pending`, and
the write makes it. Ignored fields do not count: they come and go with their other owners."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from planner.document_editing import remove_field
from planner.field_path import FieldPath, parse_path
from planner.resource import APPLIED, IGNORE_FIELDS, SET_LABEL
from planner.values import JsonObject, document_digest, encode_special_leaves
from providers.kubernetes.secret_values_as_fingerprints import is_secret

PENDING: Final = "pending"
_COMMA = re.compile(r",(?![^\[]*\])")  # commas between the keys of one list item do not count


def applied_digest_annotation(document: JsonObject) -> str:
    """The value of the annotation of the applied digest on a document; empty when it has none."""
    return str((document["metadata"].get("annotations") or {}).get(APPLIED, ""))


def with_applied_digest_annotation(document: JsonObject, *, outputs_unknown: bool) -> JsonObject:
    """The document with the annotation of its own digest; `outputs_unknown` (outputs not known yet) makes it
    `pending`."""
    if outputs_unknown:
        return _with_stamp(document, PENDING)
    return document if _is_true(document) else _with_stamp(document, _own_digest(document))


def complete_pending_applied_digest(document: JsonObject) -> JsonObject:
    """The document right before its write: an annotation that says `pending` becomes its digest."""
    return _with_stamp(document, _own_digest(document)) if applied_digest_annotation(document) == PENDING else document


def _with_stamp(document: JsonObject, stamp: str) -> JsonObject:
    metadata = document["metadata"]
    annotations = {**(metadata.get("annotations") or {}), APPLIED: stamp}
    return {**document, "metadata": {**metadata, "annotations": annotations}}


def _is_true(document: JsonObject) -> bool:
    """Whether the stamp is the digest of this document as it was declared, with or without its namespace."""
    bare = _declared(document)
    if (stamp := applied_digest_annotation(document)) == document_digest(bare):
        return True
    metadata = {key: value for key, value in bare["metadata"].items() if key != "namespace"}
    return stamp == document_digest({**bare, "metadata": metadata})


def _own_digest(document: JsonObject) -> str:
    bare = _declared(document)
    for path in _ignored(document):
        bare = remove_field(bare, path)
    return document_digest(bare)


def _declared(document: JsonObject) -> JsonObject:
    """The document without our marks; of a Secret, without values."""
    metadata = dict(document["metadata"])
    for part, ours in (("labels", SET_LABEL), ("annotations", APPLIED)):
        left = {key: value for key, value in (metadata.get(part) or {}).items() if key != ours}
        metadata.pop(part, None)
        metadata |= {part: left} if left else {}
    bare: JsonObject = {**document, "metadata": metadata}
    if is_secret(document) and "data" in document:
        bare["data"] = sorted(document["data"])
    encoded: JsonObject = encode_special_leaves(bare)
    return encoded


def _ignored(document: JsonObject) -> Iterable[FieldPath]:
    text = str((document["metadata"].get("annotations") or {}).get(IGNORE_FIELDS, ""))
    return [parse_path(part.strip()) for part in _COMMA.split(text) if part.strip()]
