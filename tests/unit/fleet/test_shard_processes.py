"""A process that ends without an answer is one row: how it ended and what it printed; the others are looked at."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from planner.app.fleet import shard_processes
from planner.app.fleet.shard_look import FleetChoices, look_at_fleet
from planner.app.fleet.shard_processes import ShardProcesses, ShardsStopped
from planner.app.request import Request
from planner.fleet import FleetReport, ShardResult, ShardState
from planner.fleet_document import fleet_document
from planner.render.json_text import render_document_as_json
from tests.unit.fleet.fleets import QUIET, planned, shard

SHARDS = (shard(0, lane="bad"), shard(1, lane="good"))
ANSWER = render_document_as_json(fleet_document(FleetReport((planned(QUIET, at=SHARDS[1]),))))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is started in the place of hwplan: the lane `good` has an answer, `bad` is up to the test."""
    (tmp_path / "answer.json").write_text(ANSWER)
    path = tmp_path / "program"
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def look(program: Path, bad: str, timeout: float = 60, concurrency: int = 2) -> list[ShardResult]:
    program.write_text(
        f'#!/bin/sh\ncase " $* " in *" --lane good "*) cat "{program.parent}/answer.json";; *) {bad};; esac\n'
    )
    program.chmod(0o700)
    request = Request(config=Path("config"), nodes=("*",), lanes=("*",))
    return list(look_at_fleet(request, SHARDS, FleetChoices(concurrency, timeout)).results)


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("kill -9 $$", "signal 9"),
        ("echo oops >&2; exit 3", "exit code 3 and no answer: oops"),
        ("echo {}", "exit code 0 and no answer"),
        (r"printf '\377['", "exit code 0 and no answer"),
        ("printf '[%.0s' $(seq 100000)", "exit code 0 and no answer"),
    ],
)
def test_no_answer(program: Path, does: str, words: str) -> None:
    bad, good = look(program, does)
    assert bad.state is ShardState.FAILED and words in bad.problems[0].message and bad.problems[0].remedy
    assert good.state is ShardState.ALIGNED and good.seconds > 0


def test_one_that_hangs_is_ended(program: Path) -> None:
    bad, good = look(program, "exec sleep 60", timeout=1)
    assert bad.state is ShardState.FAILED and "not done after 1 s" in bad.problems[0].message
    assert good.state is ShardState.ALIGNED


def test_a_single_shard_is_bounded_as_well(program: Path) -> None:
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    began = time.monotonic()
    report = look_at_fleet(Request(config=Path("config")), SHARDS[:1], FleetChoices(4, 1))
    (found,) = report.results
    assert found.state is ShardState.FAILED and "not done after 1 s" in found.problems[0].message
    assert time.monotonic() - began < 20


def test_what_does_not_end_when_told_is_killed_and_none_begins_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_processes, "_GRACE", 0.3)
    processes = ShardProcesses()
    stubborn = ("sh", "-c", "trap '' TERM; echo up >&2; sleep 60 >&- 2>&- & wait; sleep 60")
    told = ("sh", "-c", "trap 'echo told; exit 7' TERM; sleep 60 >&- 2>&- & wait")
    with ThreadPoolExecutor(2) as pool:
        ran = [pool.submit(processes.run, argv, 60.0) for argv in (stubborn, told)]
        time.sleep(0.5)
        began = time.monotonic()
        processes.stop()
        killed, ended = (one.result(10) for one in ran)
    assert (killed.returncode, ended.returncode, ended.stdout) == (-9, 7, b"told\n")
    assert time.monotonic() - began < 10
    with pytest.raises(ShardsStopped):
        processes.run(("true",), 60.0)


def test_an_interrupted_look_ends_its_processes_at_once(program: Path) -> None:
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            look_at_fleet(Request(config=Path("config")), SHARDS, FleetChoices(1, 60))
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < 20


def test_a_program_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    report = look_at_fleet(Request(config=Path("config")), SHARDS, FleetChoices(1, 60))
    assert {one.state for one in report.results} == {ShardState.FAILED} and report.exit_code == 1


def test_the_order_is_that_of_the_fleet_and_the_bound_holds(program: Path) -> None:
    program.write_text("")  # made by `look`
    slow_first = look(program, "sleep 1; echo {}", concurrency=1)
    assert (
        [one.shard.lane for one in slow_first]
        == ["bad", "good"]
        == [one.shard.lane for one in look(program, "sleep 1; echo {}")]
    )


def test_each_that_is_done_is_told(program: Path) -> None:
    told: list[str] = []
    lock = threading.Lock()

    def ended(result: ShardResult) -> None:
        with lock:
            told.append(result.shard.lane)

    look(program, "echo {}")
    look_at_fleet(Request(config=Path("config")), SHARDS, FleetChoices(2, 60, ended))
    assert sorted(told) == ["bad", "good"]
