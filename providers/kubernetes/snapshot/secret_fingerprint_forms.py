"""The two forms of a Secret in a snapshot: fingerprints as text (on disk, across `Cluster`), as base64 for merging.

The merge rules take `data` for base64, because on a server it is. Both directions lose nothing, whatever a person
wrote there.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from planner.values import JsonObject


def secret_fingerprints_to_base64(document: JsonObject) -> JsonObject:
    """The Secret with fingerprints in base64, as the merge takes them; other kinds pass as they are."""
    return _mapped(document, lambda text: base64.b64encode(text.encode()).decode())


def secret_fingerprints_to_text(document: JsonObject) -> JsonObject:
    """The Secret with fingerprints as text, as a person reads them; the reverse of `secret_fingerprints_to_base64`."""
    return _mapped(document, _decoded)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return value


def _mapped(document: JsonObject, change: Callable[[str], str]) -> JsonObject:
    data = document.get("data")
    if document.get("kind") != "Secret" or document.get("apiVersion") != "v1" or not isinstance(data, dict):
        return document
    return {**document, "data": {key: change(v) if isinstance(v, str) else v for key, v in data.items()}}
