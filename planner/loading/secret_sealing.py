"""Secrets in documents: values go to the vault, sealed leaves take their place. Nothing after this sees a value."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeAlias

from planner.address import Address
from planner.loading.secret_content_rules import secret_content_problems, secret_key_problem
from planner.ports import Fingerprinter
from planner.redaction.public_secret_values import is_public_by_secret_type_and_key
from planner.redaction.redactor import SHORTEST
from planner.values import JsonObject, SealedSecret, SecretValue

Report: TypeAlias = Callable[[tuple[str | int, ...], str, str], None]  # path, message, suggestion


def seal_secret_document(
    manifest: JsonObject, address: Address, fingerprinter: Fingerprinter, vault: dict[str, SecretValue], report: Report
) -> JsonObject:
    """A copy of a `v1 Secret` whose data and stringData became `data` of sealed leaves; `stringData` wins.

    Values that are sealed already stay. What is not text or not base64 is reported by its key alone.
    """
    out = {key: value for key, value in manifest.items() if key not in ("data", "stringData")}
    data: dict[str, SealedSecret] = {}
    for part in ("data", "stringData"):
        entries = manifest.get(part)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            report((part,), f"{part} is not a mapping", "")
            continue
        for key, value in entries.items():
            sealed = _leaf(part, key, value, manifest, address, fingerprinter, vault, report)
            if sealed is not None:
                data[key] = sealed
    if data or "data" in manifest or "stringData" in manifest:
        out["data"] = dict(sorted(data.items()))
    _refuse_repeated(out, data, vault, report)
    values = {key: vault[leaf.ref] for key, leaf in data.items() if leaf.ref in vault}
    if values:
        of_type = str(manifest.get("type") or "Opaque")
        for message in secret_content_problems(of_type, values, frozenset(data)):
            report(("data" if "data" in manifest else "stringData",), f"Secret {address.name}: {message}", "")
    return out


def _refuse_repeated(
    manifest: JsonObject, data: dict[str, SealedSecret], vault: dict[str, SecretValue], report: Report
) -> None:
    """An annotation is shown like any other field: a value that is repeated there would be no secret any more."""
    for name, text in ((manifest.get("metadata") or {}).get("annotations") or {}).items():
        for key, leaf in data.items():
            raw = vault[leaf.ref].reveal() if leaf.ref in vault else b""
            encoded = base64.b64encode(raw).decode()
            if len(raw) >= SHORTEST and (encoded in text or raw.decode("utf-8", "replace") in text):
                path = ("metadata", "annotations", name)
                report(path, f"this annotation holds the value of data.{key} in clear", "take it out")


def _leaf(
    part: str,
    key: str,
    value: Any,
    manifest: JsonObject,
    address: Address,
    fingerprinter: Fingerprinter,
    vault: dict[str, SecretValue],
    report: Report,
) -> SealedSecret | None:
    if message := secret_key_problem(key):
        report((part, key), message, "")
        return None
    if isinstance(value, SealedSecret):
        return value
    if not isinstance(value, str):
        report((part, key), f"{part}.{key} of a Secret is not text", "put it in quotes")
        return None
    try:
        raw = value.encode() if part == "stringData" else base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        if part == "stringData":
            report((part, key), f"stringData.{key} of a Secret is not Unicode", "put its bytes under data, in base64")
        else:
            report((part, key), f"data.{key} of a Secret is not base64", "encode it, or put it under stringData")
        return None
    ref = f"manifest:{address}#data.{key}"
    vault[ref] = SecretValue(raw, public=is_public_by_secret_type_and_key(manifest, key, raw))
    return SealedSecret(ref, fingerprinter.fingerprint(raw))
