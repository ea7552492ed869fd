"""Waiting and stopping: what becomes ready, what never does, how a run ends early, and who is told."""

from __future__ import annotations

import threading
import time

import pytest

from planner.errors import (
    LockedError,
    PermanentError,
    StateError,
    TemporaryError,
)
from planner.events import ChangeApplied, ChangeBegan, ChangeEnded, ChangeWaiting
from planner.executor import ExecutionOptions, WaitPolicy, exit_code_of_run, readiness_waits, run_verdict
from planner.ports import Readiness, Written
from tests.unit.executor.engine_world import R, holds_once
from tests.unit.executor.executor_fakes import FakeProvider, Recorder, address, change, ended, plan_of, results, run


def test_what_is_needed_is_ready_before_its_dependents_begin() -> None:
    provider = FakeProvider(ready_after={"a": 0.1})
    recorder = Recorder()
    run(plan_of({"a": (), "b": ("a",)}), provider, recorder=recorder)
    assert recorder.position(ChangeEnded, "a") < recorder.position(ChangeBegan, "b")
    assert sum(isinstance(event, ChangeWaiting) for event in recorder.events) == 1, "only when the message changes"


def test_r13_what_is_awaited_is_said_again_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert readiness_waits._SAY_AGAIN == 15.0  # seconds
    monkeypatch.setattr(readiness_waits, "_SAY_AGAIN", 0.05)
    recorder = Recorder()
    run(plan_of([change("a", wait_seconds=0.4)]), FakeProvider(ready_after={"a": 60}), recorder=recorder)
    said = [event for event in recorder.events if isinstance(event, ChangeWaiting)]
    assert 3 <= len(said) <= 8 and len({event.message for event in said}) == 1
    assert said[-1].seconds > said[0].seconds


def test_waiting_ends_in_pending_after_its_own_budget() -> None:
    provider = FakeProvider(ready_after={"a": 60})
    options = ExecutionOptions(again="hwplan sync --confirm")
    result = run(plan_of([change("a", wait_seconds=0.1), change("b", ["a"]), change("c")]), provider, options)
    assert results(result) == {"a": R.PENDING, "b": R.SKIPPED, "c": R.DONE}
    (late,) = [one for one in result.outcomes.values() if one.result is R.PENDING]
    assert late.remedy.startswith("hwplan sync --confirm waits for it again")  # the verb that was given, not `apply`
    assert "0 of 1 ready" in ended(result, "a").message
    assert exit_code_of_run(result) == 4


def test_a_terminal_failure_ends_waiting_at_once() -> None:
    provider = FakeProvider(verdicts={"a": Readiness(done=True, ok=False, message="image cannot be pulled")})
    result = run(plan_of({"a": ()}), provider)
    assert results(result) == {"a": R.FAILED}
    assert ended(result, "a").message == "image cannot be pulled"
    assert ended(result, "a").seconds < 1


@pytest.mark.parametrize(
    ("options", "waits", "looked_at"),
    [
        (ExecutionOptions(wait=WaitPolicy.NONE), "ready", set()),
        (ExecutionOptions(wait=WaitPolicy.NEEDED), "ready", {"a"}),
        (ExecutionOptions(), "ready", {"a", "b"}),
        (ExecutionOptions(), "none", set()),
    ],
)
def test_what_is_waited_for(options: ExecutionOptions, waits: str, looked_at: set[str]) -> None:
    provider = FakeProvider()
    run(plan_of([change("a", wait=waits), change("b", ["a"], wait=waits)]), provider, options)
    assert {name for look in provider.looks for name in look} == looked_at


def test_what_is_ready_as_it_is_written_is_not_asked_for() -> None:
    provider = FakeProvider(script={"a": [Written("u", {"key": "value"}, ready=True)]})
    result = run(plan_of({"a": (), "b": ("a",)}), provider)
    assert provider.looks == [("b",)]
    assert results(result) == {"a": R.DONE, "b": R.DONE}
    assert result.outputs[address("a")] == {"key": "value", "uid": "u"}


def test_an_error_of_looking_is_narrowed_down_to_who_causes_it() -> None:
    provider = FakeProvider(verdicts={"c": PermanentError("forbidden: get widgets")})
    result = run(plan_of(dict.fromkeys("abcdefgh", ())), provider)
    assert {name for name, r in results(result).items() if r is not R.DONE} == {"c"}
    assert "forbidden: get widgets" in ended(result, "c").message


def test_a_passing_error_of_looking_is_waited_out() -> None:
    provider = FakeProvider(verdicts={"a": TemporaryError("503")})
    threading.Timer(0.15, provider.verdicts.clear).start()
    assert results(run(plan_of({"a": ()}), provider)) == {"a": R.DONE}


def test_looks_are_few_and_prompt() -> None:
    def once() -> float:
        provider = FakeProvider(ready_after={f"n{i}": 0.5 + i * 0.005 for i in range(40)})
        seconds = run(plan_of({f"n{i}": () for i in range(40)}), provider).seconds
        assert len(provider.looks) < 200, "not one look per waiting change"
        return seconds

    assert holds_once(once, 0.695 * 1.1 + 0.05)


def test_the_time_of_the_whole_run_bounds_waits_and_beginnings() -> None:
    provider = FakeProvider(ready_after={"a": 60})
    result = run(plan_of({"a": (), "b": ("a",)}), provider, ExecutionOptions(timeout=0.1))
    assert results(result) == {"a": R.PENDING, "b": R.CANCELLED}
    assert result.late
    assert exit_code_of_run(result) == 4


def test_cancel_drains_effects_ends_waits_and_begins_nothing() -> None:
    cancel = threading.Event()
    started = threading.Event()

    def slow() -> Written:
        started.set()
        time.sleep(0.2)
        return Written("u")

    provider = FakeProvider(script={"a": [slow]}, ready_after={"w": 60})

    def interrupt() -> None:
        started.wait()
        cancel.set()

    threading.Thread(target=interrupt).start()
    changes = [change("w"), change("v", ["w"]), change("a", wait="none"), change("b", ["a"])]
    result = run(plan_of(changes), provider, ExecutionOptions(cancel=cancel))
    assert results(result) == {"w": R.PENDING, "v": R.CANCELLED, "a": R.DONE, "b": R.CANCELLED}
    assert result.interrupted
    assert exit_code_of_run(result) == 130
    assert run_verdict(result) == "interrupted"


def test_cancel_ends_trying_again() -> None:
    options = ExecutionOptions()

    def busy() -> Written:
        options.cancel.set()
        raise TemporaryError("busy")

    provider = FakeProvider(script={"a": [busy]})
    result = run(plan_of({"a": (), "b": ("a",)}), provider, options)
    assert results(result) == {"a": R.FAILED, "b": R.SKIPPED}
    assert len(provider.calls) == 1


def test_cancel_after_the_last_end_changes_nothing() -> None:
    options = ExecutionOptions()

    def last() -> Written:
        options.cancel.set()
        return Written("u")

    provider = FakeProvider(script={"a": [last]})
    assert exit_code_of_run(run(plan_of([change("a", wait="none")]), provider, options)) == 0


@pytest.mark.parametrize("kind", [ChangeBegan, ChangeApplied, ChangeEnded])
@pytest.mark.parametrize("error", [StateError("disk full"), LockedError("taken over")])
def test_an_error_of_the_journal_breaks_the_run_off(kind: type, error: Exception) -> None:
    provider = FakeProvider(ready_after={"x": 60})
    recorder = Recorder(
        fail_at=lambda event: error if isinstance(event, kind) and event.address == address("a") else None
    )
    with pytest.raises(type(error)):
        run(plan_of({"x": (), "a": (), "b": ("a",), "c": ("b",)}), provider, recorder=recorder)
    names = {name for _, name in provider.calls}
    assert not names & {"b", "c"}
    assert ("a" in names) is (kind is not ChangeBegan)
