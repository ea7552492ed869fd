"""Keyed fingerprints of secrets: equal values can be distinguished from changed ones without keeping either (rule
R2)."""

from __future__ import annotations

import hashlib
import hmac

_DOMAIN = b"hwplan.dev/secret-value/1\x00"  # so that no other use of the key can ever give the same digest
_HEX_DIGITS = 16


class KeyedFingerprinter:
    """A planner.ports.Fingerprinter with the key of one state. Has no text form, for it holds the key."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def fingerprint(self, value: bytes) -> str:
        """`hmac-sha256:` and 16 hexadecimal digits."""
        return "hmac-sha256:" + hmac.new(self._key, _DOMAIN + value, hashlib.sha256).hexdigest()[:_HEX_DIGITS]

    def __repr__(self) -> str:
        return "KeyedFingerprinter(…)"
