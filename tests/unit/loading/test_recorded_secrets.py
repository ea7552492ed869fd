"""What a snapshot knows of the sources of secrets: believed for the very reference, and nothing is guessed."""

from __future__ import annotations

import pytest

from planner.loading.secrets.snapshot_secret_fingerprints import (
    RecordedSecretFingerprints,
    fingerprints_of_inline_secrets,
    slow_secret_digest,
)
from planner.values import SealedSecret, SecretValue
from state.fingerprint import KeyedFingerprinter

OURS, THEIRS = KeyedFingerprinter(b"a" * 32), KeyedFingerprinter(b"b" * 32)
KNOWN = {"file:D601/a.env#X": "hmac-sha256:00", "file:D601/b.env#X": ""}


@pytest.mark.parametrize(
    ("refs", "found", "reported"),
    [
        (["file:D601/a.env#X"], SealedSecret("file:D601/a.env#X", "hmac-sha256:00"), 0),
        (["file:D601/b.env#X", "file:D601/a.env#X"], SealedSecret("file:D601/a.env#X", "hmac-sha256:00"), 1),
        (["env:X", "file:D601/a.env#X"], None, 1),  # a source that is new may have a value, and would win
        (["file:D601/b.env#X", "generate:32"], SealedSecret("generate:32", ""), 1),
        (["env:X", "generate:32"], None, 1),
        ([], None, 0),
    ],
)
def test_the_first_source_that_had_a_value(refs: list[str], found: SealedSecret | None, reported: int) -> None:
    tried: list[str] = []
    assert RecordedSecretFingerprints(KNOWN, same_key=False).find(refs, tried) == found
    assert len(tried) == reported


def test_values_of_templates_are_recognized_and_others_are_not() -> None:
    vault = {"manifest:Secret/a/b#data.c": SecretValue(b"url"), "file:D601/a.env#X": SecretValue(b"hunter2")}
    inline = fingerprints_of_inline_secrets(vault, THEIRS, "salt")
    assert list(inline) == [slow_secret_digest(b"url", "salt")], "nothing is retained of what comes from a source"
    known = RecordedSecretFingerprints({}, False, inline, "salt").fingerprinter(OURS)
    assert known.fingerprint(b"url") == THEIRS.fingerprint(b"url")
    assert known.fingerprint(b"hunter2") == OURS.fingerprint(b"hunter2")
    assert RecordedSecretFingerprints({}, True, inline, "salt").fingerprinter(OURS) is OURS
