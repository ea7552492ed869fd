"""What every provider of kinds that only run promises: nothing happens before the run, and it ends as it should."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from planner.address import Address
from planner.contract.contract_case import RunCase
from planner.contract.plan_and_apply import apply_changes_until_stopped, plan_in_one_reading, shows_no_secret
from planner.errors import ProviderError
from planner.events import ChangeResult, ChangeWaiting
from planner.plan import Change
from planner.ports import Preview, PreviewEffect, Provider, Readiness, UnreadableObject

SOON = 30.0  # seconds; a run that can end, or is reported to, ends within them on a busy machine


class RunContract:
    """Subclass it with a fixture `case`: a RunCase that is made anew for each test."""

    def test_many_are_read_in_one_call_and_nothing_is_done(self, case: RunCase) -> None:
        before, found = case.state(), plan_in_one_reading(case, following=True)
        addresses = {one.address for one in case.wanted()}
        assert len(addresses) >= 3
        assert set(found.seen) == set(found.previews) == {change.address for change in found.changes} == addresses
        assert all(preview.effect is PreviewEffect.RUN and not preview.blocked for preview in found.previews.values())
        assert case.state() == before

    def test_nothing_is_read_for_nobody(self, case: RunCase) -> None:
        provider = case.provider()
        assert not provider.read((), (), ()).observations
        assert not provider.preview(()) and not provider.readiness(())

    def test_the_same_world_gives_the_same_plan(self, case: RunCase) -> None:
        assert plan_in_one_reading(case, following=True).changes == plan_in_one_reading(case, following=True).changes

    def test_it_ends_well_when_it_should_and_is_not_planned_again_by_itself(self, case: RunCase) -> None:
        changes = plan_in_one_reading(case, following=True).changes
        case.fulfil()
        result = apply_changes_until_stopped(changes, case.provider(), case.vault)
        assert {ended.result for ended in result.outcomes.values()} <= {ChangeResult.DONE, ChangeResult.UNCHANGED}, (
            result
        )
        assert all(
            not would_run_unprompted(preview) for preview in plan_in_one_reading(case, following=True).previews.values()
        )

    def test_it_does_not_end_well_while_it_should_not(self, case: RunCase) -> None:
        changes, provider = plan_in_one_reading(case, following=True).changes, case.provider()
        for change in changes:
            provider.apply(change, case.vault)
        for one in provider.readiness(changes).values():
            assert not one.ok and one.message

    def test_what_cannot_be_read_does_not_hold(self, case: RunCase) -> None:
        changes = plan_in_one_reading(case, following=True).changes
        case.fulfil()
        case.break_it()
        found = plan_in_one_reading(case, following=True)
        for one in case.wanted():
            seen = found.seen[one.address]
            unreadable = isinstance(seen, UnreadableObject) and seen.reason.isprintable()
            assert unreadable or found.previews[one.address].effect is PreviewEffect.RUN, seen
        provider = case.provider()
        for change in changes:
            assert not _made_and_ready(provider, change, case)

    def test_deletes_are_refused(self, case: RunCase) -> None:
        before = case.state()
        with pytest.raises(ProviderError):
            case.provider().delete(plan_in_one_reading(case, following=True).changes[0])
        assert case.state() == before

    def test_a_run_that_is_told_to_stop_does_not_wait(self, case: RunCase) -> None:
        changes, began = plan_in_one_reading(case, following=True).changes, time.monotonic()
        result = apply_changes_until_stopped(
            changes, case.provider(), case.vault, lambda event: isinstance(event, ChangeWaiting)
        )
        assert result.interrupted and time.monotonic() - began < SOON
        ends = {ended.result for ended in result.outcomes.values()}
        assert ends <= {ChangeResult.PENDING, ChangeResult.CANCELLED} and ChangeResult.PENDING in ends

    def test_many_threads_may_look_at_once(self, case: RunCase) -> None:
        changes, provider = plan_in_one_reading(case, following=True).changes, case.provider()
        case.fulfil()
        with ThreadPoolExecutor(len(changes)) as pool:
            list(pool.map(lambda change: provider.apply(change, case.vault), changes))
            found = list(pool.map(lambda change: wait_until_changes_done(provider, [change]), changes))
        assert all(one.ok for each in found for one in each.values()), found

    def test_no_secret_in_anything_that_is_shown(
        self, case: RunCase, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(0)
        provider, before = case.provider(), plan_in_one_reading(case, following=True)
        written = [provider.apply(change, case.vault) for change in before.changes]
        waiting = provider.readiness(before.changes)
        case.fulfil()
        over = wait_until_changes_done(provider, before.changes)
        after = plan_in_one_reading(case, following=True)
        assert shows_no_secret(before, written, waiting, over, after, repr(provider), repr(case))
        assert shows_no_secret(caplog.text, *capfd.readouterr())


def would_run_unprompted(preview: Preview) -> bool:
    """Whether a plan has a run of its own accord: not one that holds, nor one that follows a change."""
    return preview.effect is not PreviewEffect.NONE and preview.on_change is None


def wait_until_changes_done(provider: Provider, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
    """Ask the provider until every change is done, at most `SOON` seconds; gives the last readiness of each."""
    end = time.monotonic() + SOON
    while True:
        found = provider.readiness(changes)
        if all(one.done for one in found.values()):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.02)


def _made_and_ready(provider: Provider, change: Change, case: RunCase) -> bool:
    """Whether a run in a broken world would end well. A deliberate error says no."""
    try:
        provider.apply(change, case.vault)
        return provider.readiness([change])[change.address].ok
    except ProviderError:
        return False
