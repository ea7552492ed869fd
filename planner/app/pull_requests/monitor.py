"""The loop of cycles of one lane, what is stored of them, and the way back after a lane paused itself (P17, P19, S01).

One cycle at a time for a lane and a state: a lock of the operating system, which a killed process gives back.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from planner.app.apply_plan import ApplyChoices
from planner.app.pull_requests.apply_cycle import PlannedCycle
from planner.app.pull_requests.cycle import run_cycle
from planner.app.pull_requests.cycle_context import CycleContext
from planner.app.pull_requests.cycle_progress import CycleProgress
from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.app.pull_requests.pull_requests_reader import PullRequestsReader
from planner.app.pull_requests.standing_failures import forget_merge_mismatches
from planner.app.runtime import open_state_store, sandbox_folder_of_request, state_folder
from planner.app.snapshot_records import is_saved_snapshot
from planner.dataclass import dataclass
from planner.errors import ForeignPlan, HwplanError, LockedError
from planner.pull_requests.cycle_record import RESUMED, CycleRecord
from planner.pull_requests.deliveries import DeliveryStep, parse_delivery
from planner.pull_requests.lane_memory import parse_lane_memory
from planner.redaction.redactor import REDACTOR
from planner.values import JsonObject
from providers.github_provider_with_git import create_github_provider_without_cluster
from state.pull_requests import PullRequestCycle

MONITOR, ONCE = "monitor", "once"
PURPOSES = (MONITOR, ONCE)
AFTER_A_MERGE = 5.0  # seconds at least before others are judged (P12)
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class MonitorLoopChoices:
    """How a monitor runs: `cycles` at most (0: until it is interrupted), `interval` seconds between the beginnings of
    two waits. `show` is handed each plan before it is applied, `told` each record of a cycle, `failed` each error that
    ended one."""

    how: ApplyChoices
    purpose: str
    told: Callable[[CycleRecord], None]
    failed: Callable[[HwplanError], None]
    show: Callable[[PlannedCycle], None] | None = None
    dry_run: bool = False
    cycles: int = 0
    interval: float = 60.0
    sleep: Callable[[float], None] = time.sleep


def run_pull_request_monitor(place: MonitoredLane, choices: MonitorLoopChoices) -> int:
    """Run cycles of the pull-request monitor; gives the exit code of the last one, 130 where it was interrupted. A
    cycle that could not be had at all is reported and the next one tries again; with a single cycle the error is
    raised.

    Raises HwplanError of a single cycle, ForeignPlan for a saved snapshot.
    """
    if is_saved_snapshot(place.request.live):
        raise ForeignPlan("a saved snapshot has no GitHub", where=f"--live {place.request.live}")
    reader = PullRequestsReader(
        place, create_github_provider_without_cluster(place.request.config, sandbox_folder_of_request(place.request))
    )
    code, done = 0, 0
    while True:
        merged, interrupted = False, False
        try:
            record, interrupted = _cycle(place, reader, choices)
            choices.told(record)
            code = record.exit_code
            merged = any(one.step is not DeliveryStep.VOID for one in record.deliveries)
        except HwplanError as error:
            if choices.cycles == 1:
                raise
            choices.failed(error)
            code = error.exit_code
        done += 1
        if interrupted or choices.how.options.cancel.is_set():
            return INTERRUPTED
        if choices.cycles and done >= choices.cycles:
            return code
        pause = max(choices.interval, AFTER_A_MERGE) if merged else choices.interval
        choices.sleep(pause)


def _cycle(place: MonitoredLane, reader: PullRequestsReader, choices: MonitorLoopChoices) -> tuple[CycleRecord, bool]:
    with open_state_store(place.request) as store:
        progress = CycleProgress(place, store, choices.purpose, choices.dry_run)
        context = CycleContext(progress, reader, choices.how, choices.show)
        if choices.dry_run:
            return run_cycle(context), False
        with lock_lane_for_monitor(place):
            return run_cycle(context), progress.interrupted


@contextmanager
def lock_lane_for_monitor(place: MonitoredLane) -> Iterator[None]:
    """The right to run cycles of a lane, one process at a time. Raises LockedError."""
    name = re.sub(r"[^A-Za-z0-9-]", "-", place.key)
    path = state_folder(place.request) / f"pulls-{name}.lock"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"another monitor of {place.key} is at work", remedy="wait for the end of its cycle"
            ) from None
        yield


@dataclass(frozen=True, slots=True)
class LaneCycleHistory:
    """What is stored of a lane: the newest cycles, and the newest of each purpose (None where there is none)."""

    cycles: tuple[PullRequestCycle, ...]
    pointers: dict[str, PullRequestCycle | None]

    def document(self) -> JsonObject:
        """For programs. Cycles that said the same are one, with their count."""
        return {
            **{
                f"latest-{purpose}-job": one and pull_request_cycle_document(one)
                for purpose, one in self.pointers.items()
            },
            "cycles": [pull_request_cycle_document(one) for one in self.cycles],
        }


def pull_request_cycle_document(one: PullRequestCycle) -> JsonObject:
    """One stored pull-request cycle as a document for programs."""
    record: JsonObject = json.loads(one.record)
    return {"number": one.number, "times": one.times, "last": one.last, **record}


def stored_pull_request_cycles(place: MonitoredLane, limit: int = 20) -> LaneCycleHistory:
    """The stored cycles of a lane. Raises StateError."""
    with open_state_store(place.request) as store:
        pointers = {purpose: next(iter(store.pulls.cycles(place.key, purpose, 1)), None) for purpose in PURPOSES}
        return LaneCycleHistory(store.pulls.cycles(place.key, limit=limit), pointers)


def resume_paused_lane(place: MonitoredLane, purpose: str = ONCE) -> tuple[str, ...]:
    """End what the lane paused itself for; gives what that was. Raises LockedError, StateError."""
    found = []
    with open_state_store(place.request) as store, lock_lane_for_monitor(place):
        for row in store.pulls.deliveries(place.key):
            one = parse_delivery(json.loads(row.record))
            if one.step is DeliveryStep.MISMATCH:
                found.append(f"pull request {one.pull}: {one.reason}")
                accepted = replace(one, step=DeliveryStep.ACCEPTED)
                store.pulls.append_delivery(place.key, row.pull, row.number + 1, json.dumps(accepted.document()))
        if text := store.pulls.memory(place.key):
            memory = forget_merge_mismatches(parse_lane_memory(text))
            store.pulls.write_memory(place.key, json.dumps(memory.document()))
        newest = next(iter(store.pulls.cycles(place.key, limit=1)), None)
        if newest is None or newest.result != RESUMED:
            document = json.dumps({"purpose": purpose, "result": RESUMED, "candidates": [], "deliveries": []})
            store.pulls.append_cycle(place.key, purpose, RESUMED, "", REDACTOR.clean(document), repeats=False)
    return tuple(found)
