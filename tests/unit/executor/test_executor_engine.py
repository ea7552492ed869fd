"""The engine: order, durability of events around effects, failures, waiting, stopping, outputs and resuming."""

from __future__ import annotations

import gc
import random
import threading
import time
from pathlib import Path

import pytest

from planner.errors import (
    GraphError,
    OutcomeUnknown,
    PermanentError,
    PreconditionError,
    TemporaryError,
)
from planner.events import ChangeApplied, ChangeBegan, ChangeEnded, ChangeResult, Event
from planner.executor import ErrorPolicy, ExecutionOptions, ObserverChain, WaitPolicy, exit_code_of_run
from planner.executor.change_schedule import ChangeSchedule
from planner.plan import Action
from planner.ports import Readiness, Written
from planner.values import OutputRef, OutputTemplate
from tests.unit.executor.engine_world import R, holds_once
from tests.unit.executor.executor_fakes import FakeProvider, Recorder, address, change, ended, plan_of, results, run

DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


def test_each_effect_stands_between_a_begin_and_an_end_and_after_the_end_of_its_needs() -> None:
    recorder = Recorder()
    provider = FakeProvider()
    result = run(plan_of(DIAMOND), provider, recorder=recorder)
    assert set(results(result).values()) == {R.DONE}
    for name, needs in DIAMOND.items():
        begin, end = recorder.position(ChangeBegan, name), recorder.position(ChangeEnded, name)
        assert begin < recorder.position(ChangeApplied, name) < end
        assert all(recorder.position(ChangeEnded, need) < begin for need in needs)
    assert provider.calls[0] == ("apply", "a")
    assert provider.calls[-1] == ("apply", "d")
    assert exit_code_of_run(result) == 0


def test_an_effect_is_not_tried_before_its_begin_was_taken() -> None:
    provider = FakeProvider()

    def at_begin(event: object) -> Exception | None:
        if isinstance(event, ChangeBegan):
            time.sleep(0.02)  # a slow disk
            assert ("apply", event.address.name) not in provider.calls
        return None

    run(plan_of(DIAMOND), provider, recorder=Recorder(fail_at=at_begin))
    assert len(provider.calls) == 4


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_respect_needs_and_do_everything_once(seed: int) -> None:
    rng = random.Random(seed)
    names = [f"n{i:02}" for i in range(40)]
    edges = {name: tuple(rng.sample(names[:i], k=min(i, rng.randint(0, 3)))) for i, name in enumerate(names)}
    recorder, provider = Recorder(), FakeProvider()
    result = run(plan_of(edges), provider, ExecutionOptions(parallelism=rng.randint(1, 16)), recorder)
    assert sorted(name for _, name in provider.calls) == names
    assert set(results(result).values()) == {R.DONE}
    for name, needs in edges.items():
        assert all(recorder.position(ChangeEnded, need) < recorder.position(ChangeBegan, name) for need in needs)


def test_a_failure_skips_what_needs_it_and_nothing_else() -> None:
    provider = FakeProvider(script={"b": [PermanentError("quota exceeded", remedy="raise the quota")]})
    result = run(plan_of({**DIAMOND, "x": (), "y": ("x",), "e": ("d",)}), provider)
    assert results(result) == {"a": R.DONE, "b": R.FAILED, "c": R.DONE, "d": R.SKIPPED, "x": R.DONE, "y": R.DONE,
                               "e": R.SKIPPED}  # fmt: skip
    assert (ended(result, "b").message, ended(result, "b").remedy) == ("quota exceeded", "raise the quota")
    assert ended(result, "d").cause == ended(result, "e").cause == address("b")
    assert exit_code_of_run(result) == 1


def test_on_error_stop_begins_nothing_new() -> None:
    provider = FakeProvider(script={"a": [PermanentError("no")]})
    result = run(
        plan_of({"a": (), "b": (), "c": ()}), provider, ExecutionOptions(parallelism=1, on_error=ErrorPolicy.STOP)
    )
    assert results(result) == {"a": R.FAILED, "b": R.CANCELLED, "c": R.CANCELLED}
    assert [name for _, name in provider.calls] == ["a"]
    assert exit_code_of_run(result) == 1


def test_what_needs_a_blocked_resource_is_skipped() -> None:
    result = run(plan_of({"a": ("gone",), "b": ("a",), "c": ()}, blocked=["gone"]), FakeProvider())
    assert results(result) == {"a": R.SKIPPED, "b": R.SKIPPED, "c": R.DONE}
    assert ended(result, "b").cause == address("gone")
    assert exit_code_of_run(result) == 1


@pytest.mark.parametrize(
    ("answers", "result", "calls", "code"),
    [
        ([TemporaryError("busy"), TemporaryError("busy", retry_after=1)], R.DONE, 3, 0),
        ([TemporaryError("busy")] * 5, R.FAILED, 5, 1),
        ([OutcomeUnknown("cut off")], R.DONE, 2, 0),
        ([OutcomeUnknown("cut off")] * 2, R.UNKNOWN, 2, 1),
        ([OutcomeUnknown("cut off"), PermanentError("forbidden")], R.UNKNOWN, 2, 1),
        ([OutcomeUnknown("cut off"), PreconditionError("another content")], R.UNKNOWN, 2, 1),
        ([PreconditionError("changed since")], R.STALE, 1, 3),
        ([Written("u", already=True)], R.UNCHANGED, 1, 0),
    ],
)
def test_results_of_one_effect(answers: list[object], result: ChangeResult, calls: int, code: int) -> None:
    provider = FakeProvider(script={"a": list(answers)})
    got = run(plan_of({"a": ()}), provider)
    assert (results(got)["a"], len(provider.calls), exit_code_of_run(got)) == (result, calls, code)


def test_a_foreign_error_is_named_by_type_only_and_its_trace_is_private(tmp_path: Path) -> None:
    provider = FakeProvider(script={"a": [ValueError("hunter2")]})
    result = run(plan_of({"a": ()}), provider, ExecutionOptions(crash_folder=tmp_path / "crash"))
    end = ended(result, "a")
    assert end.message == "internal error in the provider: ValueError"
    (retained,) = (tmp_path / "crash").iterdir()
    assert str(retained) in end.remedy
    assert retained.stat().st_mode & 0o777 == 0o600
    assert "executor_fakes.py" in retained.read_text()
    assert "hunter2" not in retained.read_text() + str(end)


def test_no_crash_file_without_debug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(plan_of({"a": ()}), FakeProvider(script={"a": [KeyError("hunter2")]}))
    assert list(tmp_path.iterdir()) == []


def test_deletes_call_delete() -> None:
    provider = FakeProvider()
    run(plan_of([change("a", action=Action.DELETE, desired=None), change("b", ["a"], action=Action.DELETE)]), provider)
    assert provider.calls == [("delete", "a"), ("delete", "b")]


def test_no_ops_are_no_effects_and_only_end() -> None:
    recorder, provider = Recorder(), FakeProvider()
    result = run(plan_of([change("a", action=Action.NOOP), change("b", ["a"])]), provider, recorder=recorder)
    assert provider.calls == [("apply", "b")]
    assert results(result) == {"a": R.UNCHANGED, "b": R.DONE}
    assert [type(event) for event in recorder.events if event.address == address("a")] == [ChangeEnded]


@pytest.mark.parametrize(
    ("seen", "ended"),
    [
        (Readiness(done=True, ok=False, message="the Job failed"), R.FAILED),
        (Readiness(done=False, ok=False, message="0 of 1 ready"), R.PENDING),
    ],
)
def test_what_is_unchanged_and_not_ready_is_asked_again(seen: Readiness, ended: ChangeResult) -> None:
    """A pipeline that is started again must not go past what failed the first time."""
    provider = FakeProvider(verdicts={"a": seen})
    plan = plan_of([change("a", action=Action.NOOP, wait_seconds=0.05), change("b", ["a"]), change("c")])
    for options in (ExecutionOptions(), ExecutionOptions(done={address("a"): {}})):
        result = run(plan, provider, options)
        assert results(result) == {"a": ended, "b": R.SKIPPED, "c": R.DONE}
        assert exit_code_of_run(result) == (1 if ended is R.FAILED else 4)


def test_what_an_unchanged_resource_gives_when_it_is_ready_is_filled_in() -> None:
    given = {"status.ip": "10.0.0.7"}
    provider = FakeProvider(verdicts={"a": Readiness(done=True, ok=True, outputs=given)})
    taking = change("b", ["a"], desired={"ip": OutputRef(address("a"), "status.ip")})
    assert results(run(plan_of([change("a", action=Action.NOOP), taking]), provider)) == {"a": R.UNCHANGED, "b": R.DONE}
    assert provider.documents["b"] == {"ip": "10.0.0.7"}


def test_outputs_are_filled_into_later_changes() -> None:
    commit, sub = (
        OutputRef(address("git"), "commit"),
        OutputTemplate(("poll-", OutputRef(address("git"), "status.short"))),
    )
    desired = {"spec": {"commit": commit, "list": [sub, "plain"]}}
    provider = FakeProvider(script={"git": [Written("u", {"commit": "c0ffee", "status": {"short": "c0f"}})]})
    run(plan_of([change("git"), change("run", ["git"], desired=desired)]), provider)
    assert provider.documents["run"] == {"spec": {"commit": "c0ffee", "list": ["poll-c0f", "plain"]}}


def test_outputs_of_readiness_are_filled_in_and_made_durable() -> None:
    provider = FakeProvider(verdicts={"run": Readiness(done=True, ok=True, outputs={"digest": "sha256:1"})})
    recorder = Recorder()
    desired = {"image": OutputRef(address("run"), "digest")}
    run(plan_of([change("run"), change("use", ["run"], desired=desired, wait="none")]), provider, recorder=recorder)
    assert provider.documents["use"] == {"image": "sha256:1"}
    outputs = [event.outputs for event in recorder.events if isinstance(event, ChangeApplied)]
    assert outputs[1] == {"uid": "uid-run", "digest": "sha256:1"}


@pytest.mark.parametrize("wait", [WaitPolicy.ALL, WaitPolicy.NONE])
def test_what_an_effect_said_is_told_with_its_end(wait: WaitPolicy) -> None:
    said = {"a": [Written(uid="", said="exit code 0\nlog")], "b": [Written(uid="", already=True, said="before")]}
    result = run(plan_of({"a": (), "b": ()}), FakeProvider(script=said), ExecutionOptions(wait=wait))  # type: ignore[arg-type]
    ends = [(ended(result, name).result, ended(result, name).message) for name in "ab"]
    assert ends == [(R.DONE, "exit code 0\nlog"), (R.UNCHANGED, "before")]


def test_a_missing_output_fails_the_change_by_name_and_before_any_effect() -> None:
    provider = FakeProvider()
    desired = {"spec": OutputTemplate(("x", OutputRef(address("a"), "nope")))}
    result = run(plan_of([change("a"), change("b", ["a"], desired=desired)]), provider)
    assert results(result)["b"] is R.FAILED
    assert "ConfigMap/ns/a#nope" in ended(result, "b").message
    assert provider.calls == [("apply", "a")]


def test_resuming_passes_over_what_is_done_and_knows_its_outputs() -> None:
    provider = FakeProvider(script={"b": [Written("u", already=True)]})
    desired = {"x": OutputRef(address("a"), "commit")}
    plan = plan_of([change("a"), change("b", ["a"]), change("c", ["a", "b"], desired=desired)])
    result = run(plan, provider, ExecutionOptions(done={address("a"): {"commit": "c0ffee"}}))
    assert [name for _, name in provider.calls] == ["b", "c"]
    assert provider.documents["c"] == {"x": "c0ffee"}
    assert results(result) == {"a": R.UNCHANGED, "b": R.UNCHANGED, "c": R.DONE}


def test_the_longest_chain_goes_first() -> None:
    provider = FakeProvider()
    edges = {"a": (), "b": (), "c": (), "c1": ("c",), "c2": ("c1",), "b1": ("b",)}
    run(plan_of(edges), provider, ExecutionOptions(parallelism=1, wait=WaitPolicy.NONE))
    assert [name for _, name in provider.calls] == ["c", "b", "c1", "a", "c2", "b1"]


def test_parallelism_is_bounded_and_used() -> None:
    provider = FakeProvider(seconds=0.02)
    run(plan_of({f"n{i}": () for i in range(20)}), provider, ExecutionOptions(parallelism=4))
    assert provider.most_running == 4


def test_a_plan_in_the_wrong_order_is_refused() -> None:
    with pytest.raises(GraphError, match="needs"):
        run(plan_of({"a": ("b",), "b": ("a",)}), FakeProvider())


def test_other_observers_come_after_the_journal_and_one_at_a_time() -> None:
    journal, other, inside = Recorder(), Recorder(), threading.Lock()

    class Careful:
        def on(self, event: Event) -> None:
            assert inside.acquire(blocking=False), "two calls at once"
            assert event in journal.events, "before the journal"
            other.events.append(event)
            inside.release()

    run(plan_of({f"n{i}": () for i in range(50)}), FakeProvider(), recorder=ObserverChain(journal, Careful()))
    assert len(other.events) == len(journal.events) == 150


def test_ordering_a_hundred_thousand_changes_is_linear() -> None:
    def seconds(count: int) -> float:
        changes = plan_of({f"n{i}": (f"n{i // 2}",) if i > 1 else () for i in range(1, count)}).changes
        begin = time.process_time()
        schedule = ChangeSchedule(changes)
        while (one := schedule.pop()) is not None:
            schedule.succeed(one.address)
        return time.process_time() - begin

    small, large = seconds(10_000), seconds(100_000)
    assert large < small * 10 * 2.5


def test_carrying_out_many_changes_is_linear() -> None:
    def seconds(count: int) -> float:
        plan = plan_of({f"n{i}": (f"n{i // 2}",) if i > 1 else () for i in range(1, count)})
        gc.collect()
        gc.freeze()  # what other tests left is not searched for garbage: the more objects are made, the more often
        begin = time.process_time()
        run(plan, FakeProvider(), ExecutionOptions(parallelism=1, wait=WaitPolicy.NONE))
        taken = time.process_time() - begin
        gc.unfreeze()
        return taken

    small, large = seconds(1_000), seconds(10_000)
    assert large < small * 10 * 2.5


@pytest.mark.parametrize("seed", range(3))
def test_makespan_is_the_critical_path(seed: int) -> None:
    rng = random.Random(seed)
    names = [f"n{i:02}" for i in range(30)]
    edges = {name: tuple(rng.sample(names[:i], k=min(i, rng.randint(0, 2)))) for i, name in enumerate(names)}
    waits = {name: rng.uniform(0.05, 0.3) for name in names}
    finish: dict[str, float] = {}
    for name, needs in edges.items():
        finish[name] = max((finish[need] for need in needs), default=0.0) + waits[name]

    def once() -> float:
        return run(plan_of(edges), FakeProvider(ready_after=waits), ExecutionOptions(parallelism=64)).seconds

    assert holds_once(once, max(finish.values()) * 1.1)
