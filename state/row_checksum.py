"""Seals: short digests retained beside rows, so that a damaged row is an error and never an answer (fault F30).

They find accidents, not attackers: who can write the file can write the seals too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from planner.errors import StateError

_HEX_DIGITS = 32


def row_checksum(values: Iterable[object]) -> str:
    """The checksum (seal) of the values of a row, by their text."""
    text = "\x1f".join(map(str, values))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HEX_DIGITS]


def verify_checksum(expected: str, found: str, what: str, where: Path | str) -> None:
    """Raise StateError that `what` is damaged when the stored checksum of a row is not that of its values."""
    if expected != found:
        raise StateError(f"{what} is damaged", where=str(where), remedy="restore the state file from a backup")
