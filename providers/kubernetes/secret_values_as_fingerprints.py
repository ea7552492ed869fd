"""Secrets on their way in and out: the only module that sees their values, and only for as long as a call lasts.

Everything that arrives from a cluster passes `seal` before any other code sees it: values of Secrets become `Sealed`
leaves that hold a keyed fingerprint. Comparing and merging work on *stand-ins* (the fingerprint in place of the
value, base64 as the API wants it), which is also what a dry run of a new Secret sends: a plan never sends a value.
What stands in is taken for what it stands for only by `seal_prediction`: a live value that reads like a fingerprint is
a value like any other, or whoever can write it could make it look like the declared one.
`reveal` puts values into the body of a real write. Other kinds pass every function here untouched and uncopied.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

from planner.ports import Fingerprinter
from planner.redaction.public_secret_values import is_public_by_secret_type_and_key
from planner.redaction.redactor import REDACTOR, SHORTEST
from planner.resource import COPIES, GENERATED
from planner.values import Json, JsonObject, JsonValue, SealedSecret, SecretValue, parse_generated_secret_reference
from providers.secret_value_lookup import secret_bytes_if_unchanged

UNKNOWN: Final = "hmac-sha256:0000000000000000"  # stands for a value that does not exist yet
_FINGERPRINT = re.compile(r"hmac-sha256:[0-9a-f]{16,64}")
_DOCKER_CONFIGS = {".dockerconfigjson": '{"auths":{}}', ".dockercfg": "{}"}


def is_secret(document: JsonObject) -> bool:
    """Whether the document is a core Secret, the one kind whose values hwplan never looks at."""
    return document.get("kind") == "Secret" and document.get("apiVersion") == "v1"


# --- in ------------------------------------------------------------------------------------------------------------


def seal_live_document(document: JsonObject, fingerprinter: Fingerprinter) -> JsonObject:
    """A document from a cluster with every secret value sealed. Fingerprints of a snapshot are taken as they are: no
    server takes such a text for base64."""
    if not is_secret(document):
        return document
    out = dict(document)
    for part in ("data", "stringData"):
        if isinstance(values := document.get(part), dict):
            out[part] = {
                key: _sealed(key, value, part == "data", fingerprinter, document) for key, value in values.items()
            }
    metadata = document.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    copies = {key for key, text in annotations.items() if key in COPIES or _repeats(text, document)}
    if copies:
        masked = {
            k: _sealed(k, v, False, fingerprinter, document) if k in copies else v for k, v in annotations.items()
        }
        out["metadata"] = {**metadata, "annotations": masked}
    return out


def _repeats(text: JsonValue, document: JsonObject) -> bool:
    """Whether an annotation holds a value of the same Secret, in clear or as base64."""
    if not isinstance(text, str) or len(text) < SHORTEST:
        return False
    for value in (document.get("data") or {}).values():
        if isinstance(value, str) and len(value) >= SHORTEST:
            plain = _decode(value)
            if value in text or (len(plain) >= SHORTEST and plain in text):
                return True
    return False


def seal_prediction(document: JsonObject, fingerprinter: Fingerprinter) -> JsonObject:
    """A document that was merged from stand-ins, sealed: each stands for what it stood for before."""
    data = document.get("data")
    if not is_secret(document) or not isinstance(data, dict):
        return document
    texts = {key: _decode(value) if isinstance(value, str) else value for key, value in data.items()}
    stood_in = {
        key: SealedSecret(f"live:{key}", text if text != UNKNOWN else "")
        for key, text in texts.items()
        if isinstance(text, str) and _FINGERPRINT.fullmatch(text)
    }
    return seal_live_document({**document, "data": {**data, **stood_in}}, fingerprinter)


def _sealed(key: str, value: JsonValue, encoded: bool, fingerprinter: Fingerprinter, document: JsonObject) -> Json:
    if value is None or isinstance(value, SealedSecret):
        return value
    text = str(value)
    if _FINGERPRINT.fullmatch(text):
        return SealedSecret(f"live:{key}", text)
    return SealedSecret(f"live:{key}", _print_of(key, text, encoded, fingerprinter, document))


def _print_of(key: str, text: str, encoded: bool, fingerprinter: Fingerprinter, document: JsonObject) -> str:
    raw = text.encode("utf-8", "surrogatepass")
    if encoded:
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass  # no server stores it; it is sealed as it is
        else:
            if not is_public_by_secret_type_and_key(document, key, raw):
                REDACTOR.learn(raw)
    return fingerprinter.fingerprint(raw)


def document_with_secret_fingerprints(document: JsonObject, fingerprinter: Fingerprinter) -> JsonObject:
    """The document as a snapshot keeps it: fingerprints as text in place of values."""
    return _each_leaf(
        seal_live_document(document, fingerprinter), lambda leaf, _encoded, _key: leaf.fingerprint or UNKNOWN
    )


# --- stand-ins -----------------------------------------------------------------------------------------------------


def with_secret_stand_ins(document: JsonObject, live: JsonObject | None = None) -> JsonObject:
    """The document with fingerprints in place of its secret values, so that it can be merged and compared like any
    other.

    A `generate:` leaf stands for the value that lives already, if `live` (sealed) has its key in this rotation.
    """

    def stand(leaf: SealedSecret, encoded: bool, key: str) -> str:
        if isinstance(alive := _kept(leaf, key, live), SealedSecret):
            leaf = alive
        return _encode(leaf.fingerprint or UNKNOWN) if encoded else leaf.fingerprint

    return _each_leaf(document, stand) if is_secret(document) else document


def secret_stand_ins_as_text(document: JsonObject) -> JsonObject:
    """The document with its stand-ins for secret values as a snapshot takes them: the fingerprint as text."""
    if not is_secret(document) or not isinstance(data := document.get("data"), dict):
        return document
    return {**document, "data": {k: _decode(v) if isinstance(v, str) else v for k, v in data.items()}}


def secret_stand_ins_for_dry_run(document: JsonObject) -> JsonObject:
    """The document with its stand-ins for secret values in a form that the server's validation of typed Secrets accepts
    (pull secrets must be JSON)."""
    data = document.get("data")
    if not is_secret(document) or not isinstance(data, dict) or _DOCKER_CONFIGS.keys().isdisjoint(data):
        return document
    stubs = {key: _encode(text) for key, text in _DOCKER_CONFIGS.items() if key in data}
    return {**document, "data": {**data, **stubs}}


def mask_unknown_secret_values(document: JsonObject, desired: JsonObject) -> JsonObject:
    """The document with one mask in place of every secret value that `desired` (sealed) cannot know in advance."""
    wanted = desired.get("data")
    if not is_secret(desired) or not isinstance(wanted, dict) or not isinstance(data := document.get("data"), dict):
        return document
    unknown = {key for key, leaf in wanted.items() if isinstance(leaf, SealedSecret) and not leaf.fingerprint}
    return {**document, "data": {k: _encode(UNKNOWN) if k in unknown else v for k, v in data.items()}}


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text


def _each_leaf(document: JsonObject, change: Callable[..., str]) -> JsonObject:
    """Every Sealed leaf of a Secret replaced. `change` gets the leaf, whether it must be base64, and its key."""
    out = dict(document)
    for part in ("data", "stringData"):
        if isinstance(values := document.get(part), dict):
            out[part] = {
                k: change(v, part == "data", k) if isinstance(v, SealedSecret) else v for k, v in values.items()
            }
    metadata = document.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    if any(isinstance(value, SealedSecret) for value in annotations.values()):
        plain = {k: change(v, False, k) if isinstance(v, SealedSecret) else v for k, v in annotations.items()}
        out["metadata"] = {**metadata, "annotations": plain}
    return out


def _kept(leaf: SealedSecret, key: str, live: JsonObject | None) -> Json:
    """What lives in the place of a value that is made once: it stays, unless the live object records another rotation.

    An object without a record was made by somebody else, or is older than rotations: its value stays too.
    """
    generation = parse_generated_secret_reference(leaf.ref)
    if generation is None or live is None:
        return None
    record = str(((live.get("metadata") or {}).get("annotations") or {}).get(GENERATED, ""))
    rotations = dict(pair.rpartition("=")[::2] for pair in record.split(",") if "=" in pair)
    return (live.get("data") or {}).get(key) if rotations.get(key) in (None, str(generation[1])) else None


# --- out -----------------------------------------------------------------------------------------------------------


def reveal_secrets_in_document(
    desired: JsonObject, raw: JsonObject | None, look_up: Callable[[str], SecretValue], fingerprinter: Fingerprinter
) -> JsonObject:
    """The body of a real write: values in place of Sealed leaves. Call it only to hand the result to the cluster.

    `raw` is the live object as it came, for values that are generated once and retained. Raises PreconditionError,
    which names the source, when a value is no longer the one that the plan saw."""

    def value(leaf: SealedSecret, encoded: bool, key: str) -> str:
        if isinstance(alive := _kept(leaf, key, raw), str):
            return alive
        plain = _value_of(leaf, look_up, fingerprinter)
        return base64.b64encode(plain).decode() if encoded else plain.decode()

    return _each_leaf(desired, value) if is_secret(desired) else desired


def _value_of(leaf: SealedSecret, look_up: Callable[[str], SecretValue], fingerprinter: Fingerprinter) -> bytes:
    if generation := parse_generated_secret_reference(leaf.ref):
        length, _ = generation
        import secrets  # only where one is made

        return SecretValue(secrets.token_urlsafe(length)[:length].encode()).reveal()
    return secret_bytes_if_unchanged(leaf, look_up, fingerprinter)
