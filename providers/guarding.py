"""Between the core and every provider: the words that come from the outside world pass the redactor here.

Reasons, messages and warnings end up in plans, whose bytes are never changed afterwards, and in the journal. Values,
documents and outputs pass as they are: those of secrets are sealed by their type.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from planner.address import Address
from planner.errors import ProviderError
from planner.plan import Change
from planner.ports import Observation, Preview, Provider, Readiness, ReadResult, Unreadable, Written
from planner.redaction import GUARD
from planner.resource import Resource
from planner.snapshot import KindPlace
from planner.values import Vault

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class GuardedProvider:
    """A planner.ports.Provider that says what `inner` says, without secrets in it."""

    inner: Provider

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindPlace]) -> ReadResult:
        """See planner.ports.Provider."""
        seen = _guarded(lambda: self.inner.read(wanted, owned, also))
        return replace(
            seen,
            observations={address: _observation(one) for address, one in seen.observations.items()},
            unlisted=tuple(_unreadable(one) for one in seen.unlisted),
            warnings=_texts(seen.warnings),
        )

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See planner.ports.Provider."""
        return {address: _preview(one) for address, one in _guarded(lambda: self.inner.preview(items)).items()}

    def apply(self, change: Change, vault: Vault) -> Written:
        """See planner.ports.Provider."""
        return _written(_guarded(lambda: self.inner.apply(change, vault)))

    def delete(self, change: Change) -> Written:
        """See planner.ports.Provider."""
        return _written(_guarded(lambda: self.inner.delete(change)))

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See planner.ports.Provider."""
        found = _guarded(lambda: self.inner.readiness(changes))
        return {
            address: replace(one, message=GUARD.clean(one.message)) if one.message else one
            for address, one in found.items()
        }


def _guarded(call: Callable[[], _T]) -> _T:
    """The call; a deliberate error is raised with its words cleaned, and without the one that caused it."""
    try:
        return call()
    except ProviderError as error:
        error.message, error.where, error.remedy = _texts((error.message, error.where, error.remedy))
        error.args = (error.message,)
        raise error from None


def _texts(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(GUARD.clean(text) for text in texts)


def _observation(seen: Observation) -> Observation:
    return _unreadable(seen) if isinstance(seen, Unreadable) else seen


def _unreadable(seen: Unreadable) -> Unreadable:
    return replace(seen, reason=GUARD.clean(seen.reason))


def _preview(one: Preview) -> Preview:
    if not (one.blocked or one.evidence or one.remedy or one.warnings or one.awaiting):
        return one
    blocked, evidence, remedy, awaiting = _texts((one.blocked, one.evidence, one.remedy, one.awaiting))
    return replace(
        one, blocked=blocked, evidence=evidence, remedy=remedy, awaiting=awaiting, warnings=_texts(one.warnings)
    )


def _written(one: Written) -> Written:
    return replace(one, warnings=_texts(one.warnings)) if one.warnings else one
