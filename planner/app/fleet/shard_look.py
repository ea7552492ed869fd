"""Looking at shards, each in a process of its own.

A process of its own has its own redactor, state, connections and memory. So a shard reads exactly what `hwplan plan` of
its lane reads and has the same plan id, no secret of one is ever in the process of another, and whatever happens to one
(killed, out of memory, stuck) happens to its row alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from planner.app.drift_report import judge_drift, load_drift_rules
from planner.app.fleet.fleet_shards import request_of_shard
from planner.app.fleet.shard_processes import ShardProcesses, ShardsStopped
from planner.app.plan_with_inputs import open_session_with_plan
from planner.app.request import Request
from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import HwplanError
from planner.fleet import FleetReport, Shard, ShardProblem, ShardResult, ShardState, failed_shard, shard_result
from planner.fleet_document import shard_result_from_document
from planner.text_safe import safe_text

_LAST_WORDS = 600  # characters of what a process printed that ended without an answer


@dataclass(frozen=True, slots=True)
class FleetChoices:
    """How shards are looked at: `concurrency` at the same time, each for `timeout` seconds at most. `ended` is
    told of each that is done."""

    concurrency: int
    timeout: float
    ended: Callable[[ShardResult], None] | None = None


def look_at_fleet(request: Request, shards: Sequence[Shard], choices: FleetChoices) -> FleetReport:
    """The results of `shards` in their order. What is wrong with one of them is in its row, and no error. Whatever
    ends the looking (KeyboardInterrupt, SystemExit) ends the processes first."""
    nodes = frozenset(one.node for one in shards)
    processes = ShardProcesses()

    def look(shard: Shard) -> ShardResult:
        began = time.monotonic()
        found = _look_from_own_process(request_of_shard(request, shard, nodes), shard, choices.timeout, processes)
        found = replace(found, seconds=time.monotonic() - began)
        if choices.ended is not None:
            choices.ended(found)
        return found

    with ThreadPoolExecutor(choices.concurrency, "shard") as pool:
        try:
            return FleetReport(tuple(pool.map(look, shards)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            raise


def look_here(request: Request, shard: Shard) -> FleetReport:
    """The report of one shard, looked at in this process: what each process of `look_at_fleet` does."""
    began = time.monotonic()
    found = look_at_shard(request_of_shard(request, shard), shard)
    return FleetReport((replace(found, seconds=time.monotonic() - began),))


def look_at_shard(request: Request, shard: Shard) -> ShardResult:
    """Plan and judge one shard by one reading; `request` is that of its lane alone."""
    try:
        rules = load_drift_rules(request)
        with open_session_with_plan(request) as (made, session):
            return shard_result(
                shard, made.plan, judge_drift(made.inputs, made.snapshot, rules, session.world.clock.now())
            )
    except HwplanError as error:
        return failed_shard(shard, error)


def _look_from_own_process(request: Request, shard: Shard, timeout: float, processes: ShardProcesses) -> ShardResult:
    """The same by `hwplan fleet --in-process` about this lane alone."""
    argv = [sys.executable, "-m", "planner", "fleet", "--in-process", *_words(request), "--json"]
    try:
        ran = processes.run(argv, timeout)
    except subprocess.TimeoutExpired:
        return _failed(shard, f"not done after {timeout:g} s", "give it more with --timeout, or plan it alone")
    except ShardsStopped:
        return _failed(shard, "the command ended before it", "give the command again")
    except OSError as error:
        return _failed(shard, disk_error_text(error, "no process can be started for it"), "try again")
    try:
        found = shard_result_from_document(shard, json.loads(ran.stdout))
    except (ValueError, RecursionError):
        found = None
    return found if found is not None else _without_answer(shard, ran)


def _words(request: Request) -> list[str]:
    """The request of a lane as words of a command."""
    pairs = (*request.selecting_words, *request.world_words, ("--config", str(request.config)))
    return [*(word for pair in pairs for word in pair), "--parallelism", str(request.parallelism)]


def _without_answer(shard: Shard, ran: subprocess.CompletedProcess[bytes]) -> ShardResult:
    how = f"signal {-ran.returncode}" if ran.returncode < 0 else f"exit code {ran.returncode}"
    lines = ran.stderr.decode(errors="replace").strip().splitlines()
    printed = safe_text(" ".join(lines)[-_LAST_WORDS:])
    message = f"its process ended with {how} and no answer" + (f": {printed}" if printed else "")
    return _failed(shard, message, "plan it alone, with --debug")


def _failed(shard: Shard, message: str, remedy: str) -> ShardResult:
    return ShardResult(shard, ShardState.FAILED, problems=(ShardProblem(message, remedy=remedy),))
