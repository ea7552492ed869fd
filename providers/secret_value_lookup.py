"""Looks up the value of a sealed leaf: the one way to it, for providers that write secrets. Keeps and shows nothing."""

from __future__ import annotations

from collections.abc import Callable

from planner.errors import PermanentError, PreconditionError
from planner.ports import Fingerprinter, SecretValueReader
from planner.values import SealedSecret, SecretValue, Vault


def create_secret_lookup(vault: Vault, secrets: SecretValueReader | None) -> Callable[[str], SecretValue]:
    """Create the function that gives secret values by `Sealed.ref`: from the vault of an apply, else read now. Raises
    PermanentError naming the source."""

    def find(ref: str) -> SecretValue:
        if ref in vault:
            return vault[ref]
        if secrets is None:
            raise PermanentError(f"nobody can read the secret {ref}", where=ref, remedy="give its source")
        return secrets.value(ref)

    return find


def secret_bytes_if_unchanged(
    leaf: SealedSecret, find: Callable[[str], SecretValue], fingerprinter: Fingerprinter
) -> bytes:
    """The bytes of a secret value, if it is still what the plan was made with.

    Raises PreconditionError, which names the source, when the value is no longer the one that the plan saw.
    """
    plain = find(leaf.ref).reveal()
    if leaf.fingerprint and fingerprinter.fingerprint(plain) != leaf.fingerprint:
        message = f"the value of {leaf.ref} is not the one that the plan was made with"
        raise PreconditionError(message, where=leaf.ref, remedy="plan again")
    return plain
