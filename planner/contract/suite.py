"""What every provider of things with a state promises (planner.ports.Provider; "What a plan promises")."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from planner.address import is_hwplan_kind
from planner.contract.contract_case import RemoteCase, StateCase
from planner.contract.plan_and_apply import (
    apply_changes_until_stopped,
    plan_and_apply_all,
    plan_in_one_reading,
    shows_no_secret,
)
from planner.errors import PreconditionError, ProviderError
from planner.events import ChangeBegan, ChangeResult
from planner.plan import Change
from planner.ports import AbsentObject, PresentObject, PreviewEffect, UnreadableObject
from planner.resource import Resource

SOON = 30.0  # seconds; a call that is cut, or a run that is asked to stop, ends within them on a busy machine


class ProviderContract:
    """Subclass it with a fixture `case`: a Case that is made anew for each test."""

    def test_many_are_read_in_one_call_and_nothing_is_written(self, case: StateCase) -> None:
        before = case.state()
        found = plan_in_one_reading(case)
        addresses = {one.address for one in case.wanted()}
        assert len(addresses) >= 3
        assert set(found.seen) == set(found.previews) == {change.address for change in found.changes} == addresses
        assert case.effect is PreviewEffect.RUN or all(isinstance(one, AbsentObject) for one in found.seen.values())
        assert all(preview.effect is case.effect and preview.fields for preview in found.previews.values())
        assert case.state() == before

    def test_many_cost_no_more_requests_than_a_bulk_does(self, case: StateCase) -> None:
        """Where the case counts what its world is asked: one reading for each resource would cost one request more."""
        wanted = case.wanted()
        first, everything = (_asked(case, part) for part in (wanted[:1], wanted))
        assert everything - first < len(wanted) - 1, f"{first} requests for one, {everything} for {len(wanted)}"

    def test_what_somebody_else_put_there_is_not_what_is_wanted(self, case: StateCase) -> None:
        first = _first(case)
        case.meddle(first)
        assert not case.holds(first)
        found = plan_in_one_reading(case)
        if not isinstance(found.seen[first.address], UnreadableObject):
            preview = found.previews[first.address]
            assert preview.effect is not PreviewEffect.NONE or preview.blocked, (
                "nothing to do, although another thing is there"
            )

    def test_nothing_is_read_for_nobody(self, case: StateCase) -> None:
        provider = case.provider()
        assert not provider.read((), (), ()).observations
        assert not provider.preview(()) and not provider.readiness(())

    def test_the_same_world_gives_the_same_plan(self, case: StateCase) -> None:
        assert plan_in_one_reading(case).changes == plan_in_one_reading(case).changes

    def test_the_effect_is_what_was_previewed_and_the_second_plan_is_empty(self, case: StateCase) -> None:
        assert not any(case.holds(one) for one in case.wanted())
        changes = plan_and_apply_all(case)
        assert all(case.holds(one) for one in case.wanted())
        left = plan_in_one_reading(case)
        assert not left.changes and not any(one.blocked for one in left.previews.values())
        assert all(one.effect is PreviewEffect.NONE or one.on_change for one in left.previews.values())
        for change in changes:
            there = left.seen[change.address]
            assert isinstance(there, PresentObject) and there.content
            if is_hwplan_kind(change.api_version) and change.expects:  # of objects it is a digest of owned fields only
                assert there.content == change.expects

    def test_an_effect_twice_is_one_effect(self, case: StateCase) -> None:
        changes = plan_and_apply_all(case)
        after = case.state()
        assert all(case.provider().apply(change, case.vault).already for change in changes)
        assert case.state() == after

    def test_a_stale_precondition_is_refused_and_nothing_changes(self, case: StateCase) -> None:
        first, change = _first(case), plan_in_one_reading(case).changes[0]
        case.meddle(first)
        before = case.state()
        with pytest.raises(PreconditionError) as refused:
            case.provider().apply(change, case.vault)
        assert case.state() == before and not case.holds(first)
        assert shows_no_secret(refused.value)

    def test_unreadable_is_not_absent(self, case: StateCase) -> None:
        case.break_it()
        provider, wanted = case.provider(), case.wanted()
        if case.refused_as_a_whole:
            with pytest.raises(ProviderError) as refused:
                provider.read(wanted, (), ())
            assert shows_no_secret(refused.value)
            return
        seen = provider.read(wanted, (), ()).observations
        assert set(seen) == {one.address for one in wanted}
        assert all(isinstance(one, UnreadableObject) and one.reason.isprintable() for one in seen.values()), seen
        assert shows_no_secret(seen)

    def test_deletes_of_own_kinds_are_refused(self, case: StateCase) -> None:
        change = plan_and_apply_all(case)[0]
        if not is_hwplan_kind(change.api_version):
            return  # objects of Kubernetes are deleted
        before = case.state()
        with pytest.raises(ProviderError):
            case.provider().delete(change)
        assert case.state() == before

    def test_calls_from_many_threads_make_each_effect_once(self, case: StateCase) -> None:
        changes, provider = plan_in_one_reading(case).changes, case.provider()

        def apply(change: Change) -> bool:
            return provider.apply(change, case.vault).already

        with ThreadPoolExecutor(2 * len(changes)) as pool:
            assert not any(pool.map(apply, changes))
            assert all(case.holds(one) for one in case.wanted())
            after = case.state()
            looks = [pool.submit(case.provider().read, case.wanted(), (), ()) for _ in changes]
            assert all(pool.map(apply, changes))
            for asked in looks:
                assert all(isinstance(one, PresentObject) for one in asked.result().observations.values())
        assert case.state() == after

    def test_a_run_that_is_told_to_stop_finishes_what_it_began_and_the_next_one_the_rest(self, case: StateCase) -> None:
        changes, began = plan_in_one_reading(case).changes, time.monotonic()
        result = apply_changes_until_stopped(
            changes, case.provider(), case.vault, lambda event: isinstance(event, ChangeBegan)
        )
        assert time.monotonic() - began < SOON
        ends = {address: ended.result for address, ended in result.outcomes.items()}
        made = {address for address, end in ends.items() if end in (ChangeResult.DONE, ChangeResult.PENDING)}
        assert (
            result.interrupted
            and len(made) == 1
            and list(ends.values()).count(ChangeResult.CANCELLED) == len(changes) - 1
        )
        assert {one.address for one in case.wanted() if case.holds(one)} == made
        assert set(
            apply_changes_until_stopped(plan_in_one_reading(case).changes, case.provider(), case.vault).outcomes
        ) < set(ends)
        assert all(case.holds(one) for one in case.wanted()) and not plan_in_one_reading(case).changes

    def test_no_secret_in_anything_that_is_shown(
        self, case: StateCase, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(0)
        provider, before = case.provider(), plan_in_one_reading(case)
        written = [provider.apply(change, case.vault) for change in before.changes]
        ready = provider.readiness(before.changes)
        assert shows_no_secret(before, written, ready, plan_in_one_reading(case), repr(provider), repr(case))
        assert shows_no_secret(caplog.text, *capfd.readouterr())


class RemoteContract(ProviderContract):
    """The same for a world behind a network: the fixture `case` gives a RemoteCase."""

    def test_an_effect_that_is_cut_off_is_a_named_error_and_the_next_run_converges(self, case: RemoteCase) -> None:
        changes, wanted = plan_in_one_reading(case).changes, case.wanted()
        assert 0 < len(case.harms) <= len(changes)
        for how, change, resource in zip(case.harms, changes, wanted, strict=False):
            case.harm(how)
            began = time.monotonic()
            for error in _errors(case, change):
                assert shows_no_secret(error) and error.message
            assert time.monotonic() - began < SOON, how
            case.harm(None)
            new = case.holds(resource)
            assert new or isinstance(plan_in_one_reading(case).seen[resource.address], AbsentObject), (
                f"half of it is there after: {how}"
            )
            again = apply_changes_until_stopped([change], case.provider(), case.vault).outcomes[change.address].result
            assert again is (ChangeResult.UNCHANGED if new else ChangeResult.DONE), how
        plan_and_apply_all(case)
        assert all(case.holds(one) for one in wanted) and not plan_in_one_reading(case).changes

    def test_what_no_answer_comes_from_is_unreadable(self, case: RemoteCase) -> None:
        case.harm(case.harms[0])
        began = time.monotonic()
        seen = case.provider().read(case.wanted(), (), ()).observations
        assert time.monotonic() - began < SOON
        assert all(isinstance(one, UnreadableObject) and one.reason.isprintable() for one in seen.values()), seen


def _asked(case: StateCase, wanted: Sequence[Resource]) -> int:
    """How many requests one reading costs; 0 where nobody counts."""
    count = getattr(case, "requests", lambda: 0)
    before = count()
    case.provider().read(wanted, (), ())
    return int(count() - before)


def _first(case: StateCase) -> Resource:
    return case.wanted()[0]


def _errors(case: StateCase, change: Change) -> Iterator[ProviderError]:
    """The deliberate error of an effect, if it failed. Any other error passes through and fails the test."""
    try:
        case.provider().apply(change, case.vault)
    except ProviderError as error:
        yield error
