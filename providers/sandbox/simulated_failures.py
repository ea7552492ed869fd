"""Effects of a sandbox that fail because somebody said so: `hwplan sandbox fail DIR ADDRESS`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.plan import Change
from planner.ports import Observation, Preview, Provider, Readiness, ReadResult, Written
from planner.resource import Resource
from planner.values import Vault
from providers.sandbox.simulated_pipelines_file import FAILURES, read_simulated_failures

_OWN_FAILURE = ("PipelineRun",)  # a run is made all the same, and comes to a failed end


def with_simulated_failures(provider: Provider, sandbox: Path) -> Provider:
    """The provider itself, or one whose effects fail for what `hwplan sandbox fail` named."""
    if not (sandbox / FAILURES).exists():
        return provider
    return _Failing(provider, frozenset(read_simulated_failures(sandbox)))


@dataclass(frozen=True, slots=True)
class _Failing:
    """See planner.ports.Provider."""

    provider: Provider
    addresses: frozenset[str]

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        return self.provider.read(wanted, owned, also)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        return self.provider.preview(items)

    def apply(self, change: Change, vault: Vault) -> Written:
        self._check(change)
        return self.provider.apply(change, vault)

    def delete(self, change: Change) -> Written:
        self._check(change)
        return self.provider.delete(change)

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        return self.provider.readiness(changes)

    def _check(self, change: Change) -> None:
        if change.address.local in self.addresses and change.address.kind not in _OWN_FAILURE:
            raise PermanentError(
                "simulated: made to fail by `hwplan sandbox fail`",
                where=change.address.local,
                remedy="hwplan sandbox fail DIR ADDRESS --undo",
            )
