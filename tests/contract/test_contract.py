"""What every provider promises (planner.ports.Provider and spec 04, "What a plan promises")."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from planner.address import Address
from planner.errors import PreconditionError, ProviderError
from planner.plan import Change
from planner.ports import Absent, Effect, Observation, Present, Preview, Unreadable
from planner.resource import Resource
from tests.contract.case import SECRET, Case
from tests.contract.cases import CASES
from tests.unit.kubernetes.world import change_of


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    return CASES[request.param](tmp_path)


def _plan(case: Case) -> tuple[Mapping[Address, Observation], Mapping[Address, Preview], list[Change]]:
    """A plan of everything by a new command, in one reading."""
    provider, wanted = case.provider(), case.wanted()
    seen = provider.read(wanted, (), ()).observations
    previews = provider.preview([(one, seen[one.address]) for one in wanted])
    made = [change_of(one, seen[one.address], previews[one.address]) for one in wanted]
    return seen, previews, [change for change in made if change is not None]


def _apply(case: Case) -> list[Change]:
    _, _, changes = _plan(case)
    for change in changes:
        case.provider().apply(change, case.vault)
    return changes


def _first(case: Case) -> Resource:
    return case.wanted()[0]


def test_many_are_read_in_one_call_and_nothing_is_written(case: Case) -> None:
    before = case.state()
    seen, previews, changes = _plan(case)
    addresses = {one.address for one in case.wanted()}
    assert set(seen) == set(previews) == {change.address for change in changes} == addresses
    assert all(isinstance(one, Absent) for one in seen.values())
    assert all(preview.effect in (Effect.CREATE, Effect.RUN) and preview.fields for preview in previews.values())
    assert case.state() == before


def test_the_effect_is_what_was_previewed_and_the_second_plan_is_empty(case: Case) -> None:
    assert not any(case.holds(one) for one in case.wanted())
    changes = _apply(case)
    assert all(case.holds(one) for one in case.wanted())
    seen, previews, left = _plan(case)
    assert not left and all(one.effect is Effect.NONE and not one.blocked for one in previews.values())
    for change in changes:
        there = seen[change.address]
        assert isinstance(there, Present) and there.content
        if change.api_version == "hwplan.dev/v1":  # elsewhere `expects` is the digest of the owned fields only
            assert there.content == change.expects


def test_an_effect_twice_is_one_effect(case: Case) -> None:
    changes = _apply(case)
    after = case.state()
    assert all(case.provider().apply(change, case.vault).already for change in changes)
    assert case.state() == after


def test_a_stale_precondition_is_refused_and_nothing_changes(case: Case) -> None:
    _, _, changes = _plan(case)
    case.meddle(_first(case))
    before = case.state()
    with pytest.raises(PreconditionError):
        case.provider().apply(changes[0], case.vault)
    assert case.state() == before and not case.holds(_first(case))


def test_unreadable_is_not_absent(case: Case) -> None:
    case.break_it()
    provider, wanted = case.provider(), case.wanted()
    if case.refused_as_a_whole:
        with pytest.raises(ProviderError):
            provider.read(wanted, (), ())
        return
    seen = provider.read(wanted, (), ()).observations
    assert all(isinstance(one, Unreadable) and one.reason.isprintable() for one in seen.values()), seen


def test_deletes_of_own_kinds_are_refused(case: Case) -> None:
    change = _apply(case)[0]
    if change.api_version != "hwplan.dev/v1":
        return  # objects of Kubernetes are deleted
    before = case.state()
    with pytest.raises(ProviderError):
        case.provider().delete(change)
    assert case.state() == before


def test_no_secret_in_anything_that_is_shown(case: Case) -> None:
    seen, previews, changes = _plan(case)
    written = [case.provider().apply(change, case.vault) for change in changes]
    again, _, _ = _plan(case)
    texts = repr((seen, previews, changes, written, again)), repr([(one.outputs, one.said) for one in written])
    known = [one.outputs for one in again.values() if isinstance(one, Present)]
    for text in (*texts, repr(known), repr(case)):
        assert SECRET.decode() not in text
