"""Parsed values of large inputs, retained between runs: a file per content, never with a Secret in it.

A text is cut at its document markers. Documents that name the kind Secret are neither part of the key nor of the file:
they are parsed again each time. The files are those of planner.sealed_cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from planner.dataclass import dataclass
from planner.loading.yaml.load_documents import VERSION, YamlDocument, YamlLimits, load_documents
from planner.sealed_cache import SealedCache
from planner.user_cache_folder import user_cache_folder
from planner.values import decode_special_leaves, encode_special_leaves

WORTH_IT: Final = 32 << 10  # bytes; smaller inputs are parsed faster than looked up
_MOST_FILES: Final = 64
_MOST_BYTES: Final = 128 << 20
_MARKER: Final = re.compile(rb"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_SECRET: Final = re.compile(rb"Secret")  # generous: any mention keeps a document out
_KIND_SECRET: Final = re.compile(rb"kind[\"']?[ \t]*:[^\n]*Secret")
_NOT_CACHED: Final = re.compile(
    rb"^(%|\.\.\.|\? )|[&*][A-Za-z0-9_-]+[ \t\r\n]|kind[\"']?\s*:\s*[\"'][^\"'\n]*\\", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """The bytes of one document, the line it begins on (from 0), and whether it may be a Secret."""

    data: bytes
    line: int
    secret: bool


def load_documents_cached(
    data: bytes, file: str, limits: YamlLimits, folder: Path | None = None
) -> tuple[YamlDocument, ...]:
    """As `load_documents`, from the cache where possible. `folder` is that of the cache; None means the user's."""
    if len(data) < WORTH_IT or len(data) > limits.size:
        return load_documents(data, file, limits)
    pieces = _pieces(data)
    cache = SealedCache(folder or user_cache_folder("parsed"), _MOST_FILES, _MOST_BYTES)
    key = f"{_key(pieces, limits)}.json"
    if (known := _documents(cache.read(key), pieces)) is not None:
        return _merge(known, _secrets(pieces, file, limits))
    documents = load_documents(data, file, limits)
    if not _NOT_CACHED.search(data):
        with contextlib.suppress(ValueError, TypeError):
            if (payload := _payload(pieces, documents)) is not None:
                cache.write(key, payload)
    return documents


def _pieces(data: bytes) -> tuple[_Piece, ...]:
    cuts = [match.start() for match in _MARKER.finditer(data)]
    starts = cuts if cuts and cuts[0] == 0 else [0, *cuts]
    pieces, line = [], 0
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        part = data[start:end]
        pieces.append(_Piece(part, line, _SECRET.search(part) is not None and _KIND_SECRET.search(part) is not None))
        line += part.count(b"\n")
    return tuple(pieces)


def _key(pieces: Sequence[_Piece], limits: YamlLimits) -> str:
    hashed = hashlib.sha256(f"{VERSION} {limits}".encode())
    for piece in pieces:
        if not piece.secret:
            hashed.update(b"%d:" % len(piece.data))
            hashed.update(piece.data)
    return hashed.hexdigest()


def _secrets(pieces: Sequence[_Piece], file: str, limits: YamlLimits) -> tuple[YamlDocument, ...]:
    """The documents of the pieces that may be Secrets, at their own lines: everything else is blank lines."""
    if not any(piece.secret for piece in pieces):
        return ()
    text = b"".join(piece.data if piece.secret else b"\n" * piece.data.count(b"\n") for piece in pieces)
    return load_documents(text, file, limits)


def _merge(known: Sequence[YamlDocument], secrets: Sequence[YamlDocument]) -> tuple[YamlDocument, ...]:
    return tuple(sorted((*known, *secrets), key=lambda document: document.line)) if secrets else tuple(known)


def _documents(payload: bytes | None, pieces: Sequence[_Piece]) -> list[YamlDocument] | None:
    try:
        entries = json.loads(payload or b"")
    except ValueError:
        return None
    open_pieces = [piece for piece in pieces if not piece.secret]
    return [
        YamlDocument(
            decode_special_leaves(value) if tagged else value, open_pieces[piece].line + line, bool(tagged), bool(nulls)
        )
        for piece, line, tagged, nulls, value in entries
    ]


def _payload(pieces: Sequence[_Piece], documents: Sequence[YamlDocument]) -> bytes | None:
    """What is retained; None when a Secret turned up in a piece that did not look like one."""
    lines = [piece.line for piece in pieces]
    numbers: dict[int, int] = {}
    entries: list[Any] = []
    for index, piece in enumerate(pieces):
        if not piece.secret:
            numbers[index] = len(numbers)
    for document in documents:
        index = bisect_right(lines, document.line - 1) - 1
        if pieces[index].secret:
            continue
        if _holds_secret(document.value):
            return None
        value = encode_special_leaves(document.value) if document.tagged else document.value
        place = document.line - pieces[index].line
        entries.append([numbers[index], place, document.tagged, document.nulls, value])
    return json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()


def _holds_secret(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    kind = value.get("kind")
    if isinstance(kind, str) and kind.startswith("Secret") and kind != "SecretSource":
        return True
    items = value.get("items")
    return isinstance(items, list) and any(_holds_secret(item) for item in items)
