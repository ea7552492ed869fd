"""Whether the secrets of a plan still are those that it was made with: looked at before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.errors import ProviderError
from planner.plan import Change
from planner.ports import Fingerprinter, SecretValueReader
from planner.values import SealedSecret, value_leaves


def secret_sources_changed_since_plan(
    changes: Sequence[Change], secrets: SecretValueReader, fingerprinter: Fingerprinter
) -> list[str]:
    """The secrets whose values are not those that the plan was made with, each with what is wrong; none when all are
    as planned."""
    wanted = {
        (leaf.ref, leaf.fingerprint): f"{change.address} {'.'.join(map(str, path))}"
        for change in changes
        for path, leaf in value_leaves(change.desired)
        if isinstance(leaf, SealedSecret) and leaf.fingerprint
    }
    return [
        text for (ref, planned), where in wanted.items() for text in _wrong(ref, planned, where, secrets, fingerprinter)
    ]


def _wrong(
    ref: str, planned: str, where: str, secrets: SecretValueReader, fingerprinter: Fingerprinter
) -> Iterator[str]:
    try:
        now = fingerprinter.fingerprint(secrets.value(ref).reveal())
    except ProviderError as error:
        yield f"{where}: {error.message}"
        return
    if now != planned:
        yield f"{where}: the value of {ref} is another one"
