"""The suite finds providers that are wrong: each of these keeps all promises but one, and one test of it fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.contract.suite import ProviderContract
from planner.plan import Change
from planner.ports import Observation, PresentObject, Preview, PreviewEffect, Provider, Readiness, ReadResult, Written
from planner.resource import Resource
from planner.values import Vault
from tests.contract.case import StateCase
from tests.contract.cases import CASES


@dataclass(frozen=True)
class Honest:
    """A provider that passes everything on to a right one."""

    to: Provider
    another: Callable[[], Provider]

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        return self.to.read(wanted, owned, also)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        return self.to.preview(items)

    def apply(self, change: Change, vault: Vault) -> Written:
        return self.to.apply(change, vault)

    def delete(self, change: Change) -> Written:
        return self.to.delete(change)

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        return self.to.readiness(changes)


class SeesNoDifference(Honest):
    """Says that there is nothing to do whenever something is there."""

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        found = dict(self.to.preview(items))
        there = [resource.address for resource, seen in items if isinstance(seen, PresentObject)]
        return found | dict.fromkeys(there, Preview(PreviewEffect.NONE))


class ReadsOneByOne(Honest):
    """Asks for each resource by itself, and remembers nothing of it."""

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        parts = [self.another().read([resource], owned, also) for resource in wanted]
        return ReadResult({address: seen for part in parts for address, seen in part.observations.items()})


class SendsAgain(Honest):
    """Never says that the effect was there already."""

    def apply(self, change: Change, vault: Vault) -> Written:
        return replace(self.to.apply(change, vault), already=False)


@pytest.fixture(params=["rest", "files", "kubernetes"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateCase]:
    made = CASES[request.param](tmp_path)
    yield made
    getattr(made, "close", lambda: None)()


def fails(test: Callable[[ProviderContract, StateCase], None], case: StateCase, bad: type[Honest]) -> bool:
    """Whether this test of the suite fails for the case with a bad provider in the place of its own."""
    right = case.provider
    case.provider = lambda: bad(right(), right)  # type: ignore[method-assign]
    try:
        test(ProviderContract(), case)
    except AssertionError:
        return True
    return False


CONTRACT = {
    Honest: ProviderContract.test_what_somebody_else_put_there_is_not_what_is_wanted,
    SeesNoDifference: ProviderContract.test_what_somebody_else_put_there_is_not_what_is_wanted,
    SendsAgain: ProviderContract.test_an_effect_twice_is_one_effect,
}


@pytest.mark.parametrize("bad", CONTRACT)
def test_the_suite_tells_a_bad_provider_from_a_right_one(case: StateCase, bad: type[Honest]) -> None:
    assert fails(CONTRACT[bad], case, bad) is (bad is not Honest)


@pytest.mark.parametrize("bad", [Honest, ReadsOneByOne])
def test_the_suite_counts_requests(tmp_path: Path, bad: type[Honest]) -> None:
    made = CASES["rest"](tmp_path)
    try:
        found = fails(ProviderContract.test_many_cost_no_more_requests_than_a_bulk_does, made, bad)
    finally:
        getattr(made, "close", lambda: None)()
    assert found is (bad is ReadsOneByOne)
