"""The values of secrets, for as long as a request takes: credentials, and fields of a body.

Plans hold a reference and a keyed fingerprint. Before a value is sent it is read once more, and refused when it is not
the one that the plan was made with.
"""

from __future__ import annotations

from dataclasses import field, replace

from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError
from planner.ports import Fingerprinter, SecretValueReader
from planner.values import Json, JsonObject, JsonValue, SealedSecret, SecretValue, Vault, canonical_bytes
from providers.rest.object_spec import RestAuthHeader
from providers.secret_value_lookup import create_secret_lookup, secret_bytes_if_unchanged


@dataclass(frozen=True, slots=True)
class RestSecretValues:
    """Where values come from: `vault` first, then their `source`.

    `simulated` is for a sandbox, which stores fingerprints where values would be, and makes up what it cannot read.
    """

    source: SecretValueReader = field(repr=False)
    fingerprinter: Fingerprinter = field(repr=False)
    vault: Vault = field(default_factory=dict, repr=False)
    simulated: bool = False

    def with_vault(self, vault: Vault) -> RestSecretValues:
        """The same for one call that brings values."""
        return replace(self, vault=vault)

    def credential(self, auth: RestAuthHeader) -> str:
        """The value of the header. Raises ProviderError, which names the Secret, when there is none to send."""
        text = _text(self._find(auth.ref).reveal(), auth.shown)
        if not text or any(not " " <= char <= "~" for char in text):
            raise PermanentError(
                f"{auth.shown} cannot stand in a header: it is empty or has a line end or other characters in it",
                remedy="store the bare credential, without a line end",
            )
        return auth.prefix + text

    def known(self, body: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
        """The body with the fingerprints of all secrets that can be read now, and why others cannot."""
        reasons: list[str] = []
        return self._known(body, reasons), tuple(dict.fromkeys(reasons))

    def _known(self, value: JsonValue, reasons: list[str]) -> Json:
        if isinstance(value, dict):
            return {key: self._known(item, reasons) for key, item in value.items()}
        if not isinstance(value, SealedSecret) or value.fingerprint:
            return value
        try:
            return SealedSecret(value.ref, self.fingerprinter.fingerprint(self._find(value.ref).reveal()))
        except ProviderError as error:
            reasons.append(error.message)
            return value

    def seal(self, value: JsonValue) -> SealedSecret:
        """A secret field of a live object, as it may be looked at."""
        if self.simulated and isinstance(value, str):
            return SealedSecret("live", value)
        raw = value.encode(errors="surrogatepass") if isinstance(value, str) else canonical_bytes(value)
        return SealedSecret("live", self.fingerprinter.fingerprint(raw))

    def revealed(self, value: JsonValue) -> Json:
        """A body with values in place of its secrets. Call it only while building the request that writes them."""
        match value:
            case dict():
                return {key: self.revealed(item) for key, item in value.items()}
            case SealedSecret():
                return _text(secret_bytes_if_unchanged(value, self._find, self.fingerprinter), value.ref)
            case _:
                return value

    def _find(self, ref: str) -> SecretValue:
        try:
            return create_secret_lookup(self.vault, self.source)(ref)
        except ProviderError:
            if not self.simulated:
                raise
            return SecretValue(f"simulated {ref}".encode())


def _text(raw: bytes, shown: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise PermanentError(f"{shown} is no text, and JSON holds nothing else") from None
