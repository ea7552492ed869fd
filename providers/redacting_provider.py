"""Between the core and every provider: whatever a provider returns or raises passes the redactor here.

What it returns ends up in plans, whose bytes are never changed afterwards, in the journal and in files. One function
cleans all of it (planner.redaction.clean_values): every text of every field, but documents that are written as
declared. An output is not masked, because other documents are made of it: one that holds a secret is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError
from planner.plan import Change
from planner.ports import (
    Observation,
    PresentObject,
    Preview,
    Provider,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.redaction.clean_values import FOREIGN, clean_texts_in_value, is_value_clean
from planner.resource import Resource
from planner.values import JsonObject, Vault

_T = TypeVar("_T")
_REMEDY = "take another output, or hand the secret over by a Secret"


@dataclass(frozen=True, slots=True)
class RedactingProvider:
    """A planner.ports.Provider that says what `inner` says, without secrets in it."""

    inner: Provider

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See planner.ports.Provider. A resource whose outputs hold a secret is unreadable."""
        seen = _guarded(lambda: self.inner.read(wanted, owned, also))
        if is_value_clean(seen, FOREIGN):  # nearly always, and then one look at everything was enough
            return seen
        strays = tuple(_observation(stray) for stray in seen.strays)
        rest = clean_texts_in_value(replace(seen, observations={}, strays=()), FOREIGN)
        return replace(
            rest,
            observations={address: _observation(one) for address, one in seen.observations.items()},
            strays=tuple(stray for stray in strays if isinstance(stray, PresentObject)),
            unlisted=(*rest.unlisted, *(stray for stray in strays if isinstance(stray, UnreadableObject))),
        )

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See planner.ports.Provider. A resource whose outputs would hold a secret is blocked."""
        found = _guarded(lambda: self.inner.preview(items))
        if is_value_clean(found, FOREIGN):
            return found
        return {address: _preview(one) for address, one in found.items()}

    def apply(self, change: Change, vault: Vault) -> Written:
        """See planner.ports.Provider. Raises PermanentError when the outputs hold a secret: the effect was made."""
        return _written(_guarded(lambda: self.inner.apply(change, vault)), change.address)

    def delete(self, change: Change) -> Written:
        """See planner.ports.Provider."""
        return _written(_guarded(lambda: self.inner.delete(change)), change.address)

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See planner.ports.Provider. What became ready with a secret among its outputs has failed."""
        found = _guarded(lambda: self.inner.readiness(changes))
        if is_value_clean(found, FOREIGN):
            return found
        return clean_texts_in_value({address: _readiness(one) for address, one in found.items()}, FOREIGN)


def _guarded(call: Callable[[], _T]) -> _T:
    """The call; a deliberate error is raised with every text in it cleaned, and without the one that caused it."""
    try:
        return call()
    except ProviderError as error:
        for name, value in vars(error).items():
            setattr(error, name, clean_texts_in_value(value, FOREIGN))
        error.args = (error.message,)
        raise error from None


def _secret_outputs(outputs: JsonObject) -> str:
    """What is wrong with outputs that hold a secret; "" when none does."""
    names = sorted(name for name, value in outputs.items() if not is_value_clean(value, FOREIGN))
    return f"its output {', '.join(names)} holds the value of a secret, and outputs are shown" if names else ""


def _written(made: Written, address: Address) -> Written:
    """Raises PermanentError when the outputs hold a secret."""
    if is_value_clean(made, FOREIGN):
        return made
    if reason := _secret_outputs(made.outputs):
        raise PermanentError(reason, where=str(address), remedy=_REMEDY)
    return clean_texts_in_value(made, FOREIGN)


def _observation(seen: Observation) -> Observation:
    after = clean_texts_in_value(seen, FOREIGN)
    if isinstance(seen, PresentObject) and isinstance(after, PresentObject) and after.outputs is not seen.outputs:
        return UnreadableObject(seen.address, _secret_outputs(seen.outputs))
    return after


def _preview(one: Preview) -> Preview:
    after = clean_texts_in_value(one, FOREIGN)
    if after.outputs is one.outputs:
        return after
    blocked, remedy = after.blocked or _secret_outputs(one.outputs), after.remedy or _REMEDY
    return replace(after, outputs={}, blocked=blocked, remedy=remedy)


def _readiness(one: Readiness) -> Readiness:
    reason = _secret_outputs(one.outputs)
    return replace(one, done=True, ok=False, message=reason, outputs={}) if reason else one
