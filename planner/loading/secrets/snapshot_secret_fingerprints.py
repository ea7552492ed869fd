"""What a snapshot knows of the sources of secrets: a keyed fingerprint for each reference, never a value.

A job without credentials reads no source. It believes what the snapshot says of the very reference that is declared; of
anything else nobody there can know. What a template or a manifest of the configuration writes into a Secret is no
secret to those who read the configuration: such a value is recognized again by a slow, salted digest (docs/adr/0025).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import field

from planner.dataclass import dataclass
from planner.ports import Fingerprinter
from planner.values import SealedSecret, Vault, parse_generated_secret_reference

INLINE = "manifest:"  # a value that stands in a manifest
KEY_CHECK = b"hwplan.dev/key-check"  # its fingerprint says whether two fingerprints were made with one key


@dataclass(frozen=True, slots=True)
class RecordedSecretFingerprints:
    """`fingerprints` by reference, "" where the source had no such key; `inline` are those of values in templates, by
    `recognition` with the `salt`. With `same_key` all are comparable with those made here, and a source that is at hand
    is read.
    """

    fingerprints: Mapping[str, str]
    same_key: bool
    inline: Mapping[str, str] = field(default_factory=dict)
    salt: str = ""

    def find(self, refs: Iterable[str], tried: list[str]) -> SealedSecret | None:
        """The first of `refs` (in the order of the sources) that had a value; `tried` gets the reasons why none had.

        One that the snapshot did not look at ends the search: it may have a value, and would win.
        """
        for ref in refs:
            if parse_generated_secret_reference(ref):  # a value that is made at the first apply has no source
                return SealedSecret(ref, "")
            if (known := self.fingerprints.get(ref)) is None:
                tried.append(f"the snapshot knows nothing of {ref}")
                return None
            if known:
                return SealedSecret(ref, known)
            tried.append(f"{ref} had no value when the snapshot was saved")
        return None

    def fingerprinter(self, own: Fingerprinter) -> Fingerprinter:
        """One that gives known values the fingerprints of the snapshot."""
        return own if self.same_key or not self.inline else _Recognizing(self, own)


@dataclass(frozen=True, slots=True)
class _Recognizing:
    recorded: RecordedSecretFingerprints
    own: Fingerprinter

    def fingerprint(self, value: bytes) -> str:
        """See Fingerprinter."""
        known = self.recorded.inline.get(slow_secret_digest(value, self.recorded.salt))
        return known or self.own.fingerprint(value)


def fingerprints_of_inline_secrets(vault: Vault, fingerprinter: Fingerprinter, salt: str) -> dict[str, str]:
    """What is retained of the values that came with templates and manifests."""
    values = {value.reveal() for ref, value in vault.items() if ref.startswith(INLINE)}
    return {slow_secret_digest(value, salt): fingerprinter.fingerprint(value) for value in values}


def slow_secret_digest(value: bytes, salt: str) -> str:
    """A digest that takes some 20 ms, so that guessing is slow."""
    return hashlib.scrypt(value, salt=salt.encode(), n=1 << 13, r=8, p=1, dklen=16).hex()
