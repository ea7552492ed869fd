"""Secrets on their way in and out: the only module that sees their values, and only for as long as a call lasts.

Everything that arrives from a cluster passes `seal` before any other code sees it: values of Secrets become `Sealed`
leaves that hold a keyed fingerprint. Comparing and merging work on *stand-ins* (the fingerprint in place of the
value, base64 as the API wants it), which is also what a dry run of a new Secret sends: a plan never sends a value.
`reveal` puts values into the body of a real write. Other kinds pass every function here untouched and uncopied.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Callable
from typing import Final

from planner.ports import Fingerprinter
from planner.values import Json, JsonObject, Sealed, SecretValue
from providers.secrets import value_of

GENERATE: Final = "generate:"
UNKNOWN: Final = "hmac-sha256:0000000000000000"  # stands for a value that does not exist yet
_FINGERPRINT = re.compile(r"hmac-sha256:[0-9a-f]{16,64}")
# Annotations in which other tools keep a copy of the whole object.
COPIES: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "kapp.k14s.io/original",
        "objectset.rio.cattle.io/applied",
        "banzaicloud.com/last-applied",
    }
)
_DOCKER_CONFIGS = {".dockerconfigjson": '{"auths":{}}', ".dockercfg": "{}"}


def is_secret(document: JsonObject) -> bool:
    """Whether the document is a core Secret, the one kind whose values hwplan never looks at."""
    return document.get("kind") == "Secret" and document.get("apiVersion") == "v1"


# --- in ------------------------------------------------------------------------------------------------------------


def seal(document: JsonObject, fingerprinter: Fingerprinter) -> JsonObject:
    """A document from a cluster with every secret value sealed. Fingerprints of a snapshot are taken as they are."""
    if not is_secret(document):
        return document
    out = dict(document)
    for part in ("data", "stringData"):
        if isinstance(values := document.get(part), dict):
            out[part] = {key: _sealed(key, value, part == "data", fingerprinter) for key, value in values.items()}
    metadata = document.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    if not COPIES.isdisjoint(annotations):
        masked = {k: _sealed(k, v, False, fingerprinter) if k in COPIES else v for k, v in annotations.items()}
        out["metadata"] = {**metadata, "annotations": masked}
    return out


def _sealed(key: str, value: Json, encoded: bool, fingerprinter: Fingerprinter) -> Json:
    if value is None or isinstance(value, Sealed):
        return value
    text = str(value)
    return Sealed(f"live:{key}", text if _FINGERPRINT.fullmatch(text) else _print_of(text, encoded, fingerprinter))


def _print_of(text: str, encoded: bool, fingerprinter: Fingerprinter) -> str:
    raw = text.encode()
    if encoded:
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return fingerprinter.fingerprint(raw)
    stood_in = raw.decode("ascii", "replace")
    return stood_in if encoded and _FINGERPRINT.fullmatch(stood_in) else fingerprinter.fingerprint(raw)


def as_fingerprints(document: JsonObject, fingerprinter: Fingerprinter) -> JsonObject:
    """The document as a snapshot keeps it: fingerprints as text in place of values."""
    return _each_leaf(seal(document, fingerprinter), lambda leaf, _encoded, _key: leaf.fingerprint or UNKNOWN)


# --- stand-ins -----------------------------------------------------------------------------------------------------


def stand_in(document: JsonObject, live: JsonObject | None = None) -> JsonObject:
    """The document with fingerprints in place of values, so that it can be merged and compared like any other.

    A `generate:` leaf stands for the value that lives already, if `live` (sealed) has its key.
    """
    kept = (live or {}).get("data") or {}

    def stand(leaf: Sealed, encoded: bool, key: str) -> str:
        if leaf.ref.startswith(GENERATE) and isinstance(alive := kept.get(key), Sealed):
            leaf = alive
        return _encode(leaf.fingerprint or UNKNOWN) if encoded else leaf.fingerprint

    return _each_leaf(document, stand) if is_secret(document) else document


def as_text(document: JsonObject) -> JsonObject:
    """Stand-ins in the form that a snapshot takes: the fingerprint as it is."""
    if not is_secret(document) or not isinstance(data := document.get("data"), dict):
        return document
    return {**document, "data": {k: _decode(v) if isinstance(v, str) else v for k, v in data.items()}}


def for_dry_run(document: JsonObject) -> JsonObject:
    """Stand-ins in a form that the server's validation of typed Secrets accepts (pull secrets must be JSON)."""
    data = document.get("data")
    if not is_secret(document) or not isinstance(data, dict) or _DOCKER_CONFIGS.keys().isdisjoint(data):
        return document
    stubs = {key: _encode(text) for key, text in _DOCKER_CONFIGS.items() if key in data}
    return {**document, "data": {**data, **stubs}}


def without_unknown(document: JsonObject, desired: JsonObject) -> JsonObject:
    """Stand-ins in which every key whose value `desired` (sealed) cannot know in advance reads the same."""
    wanted = desired.get("data")
    if not is_secret(desired) or not isinstance(wanted, dict) or not isinstance(data := document.get("data"), dict):
        return document
    unknown = {key for key, leaf in wanted.items() if isinstance(leaf, Sealed) and not leaf.fingerprint}
    return {**document, "data": {k: _encode(UNKNOWN) if k in unknown else v for k, v in data.items()}}


def fingerprint_of(stood_in: Json, encoded: bool) -> str:
    """The fingerprint inside a stand-in; empty for one that stands for nothing known."""
    text = _decode(stood_in) if encoded and isinstance(stood_in, str) else str(stood_in)
    return text if _FINGERPRINT.fullmatch(text) and text != UNKNOWN else ""


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
            out[part] = {k: change(v, part == "data", k) if isinstance(v, Sealed) else v for k, v in values.items()}
    metadata = document.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    if any(isinstance(value, Sealed) for value in annotations.values()):
        plain = {k: change(v, False, k) if isinstance(v, Sealed) else v for k, v in annotations.items()}
        out["metadata"] = {**metadata, "annotations": plain}
    return out


# --- out -----------------------------------------------------------------------------------------------------------


def reveal(
    desired: JsonObject, raw: JsonObject | None, look_up: Callable[[str], SecretValue], fingerprinter: Fingerprinter
) -> JsonObject:
    """The body of a real write: values in place of Sealed leaves. Call it only to hand the result to the cluster.

    `raw` is the live object as it came, for values that are generated once and kept. Raises PreconditionError, which
    names the source, when a value is no longer the one that the plan saw.
    """
    kept = (raw or {}).get("data") or {}

    def value(leaf: Sealed, encoded: bool, key: str) -> str:
        if leaf.ref.startswith(GENERATE) and isinstance(alive := kept.get(key), str):
            return alive
        plain = _value_of(leaf, look_up, fingerprinter)
        return base64.b64encode(plain).decode() if encoded else plain.decode()

    return _each_leaf(desired, value) if is_secret(desired) else desired


def _value_of(leaf: Sealed, look_up: Callable[[str], SecretValue], fingerprinter: Fingerprinter) -> bytes:
    if leaf.ref.startswith(GENERATE):
        length = int(leaf.ref.removeprefix(GENERATE))
        return secrets.token_urlsafe(length)[:length].encode()
    return value_of(leaf, look_up, fingerprinter)
