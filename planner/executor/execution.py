"""The engine: worker threads that take ready changes, one thread that waits, and the order of steps around each effect.

Per change: begin (durable) -> effect -> applied -> readiness -> end -> only then what needs it, whose begin is not
durable without that end (docs/adr/0008). Waiting takes no worker. The first error of an observer (the journal cannot
write, the lease is lost) breaks the run off: running effects are finished, nothing begins, and the error is raised to
the caller.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from planner.address import Address
from planner.disk_errors import MAKE_ROOM, disk_error_text, is_disk_full
from planner.events import ChangeResult, EventObserver
from planner.executor import apply_effect, crash_report, output_substitution
from planner.executor.apply_effect import ApplyFailure
from planner.executor.change_schedule import ChangeSchedule
from planner.executor.execution_options import ErrorPolicy, ExecutionOptions, WaitPolicy
from planner.executor.execution_progress import ExecutionProgress
from planner.executor.readiness_waits import ReadinessWaitResult, ReadinessWaits
from planner.executor.run_result import RunResult
from planner.failpoint import hit_failpoint
from planner.plan import Action, Change, Plan
from planner.ports import Clock, Provider, Written
from planner.values import Vault

ProviderOf: TypeAlias = Callable[[Change], Provider]
_Job: TypeAlias = Callable[[], None]


def execute_plan(
    plan: Plan, provider_of: ProviderOf, vault: Vault, observer: EventObserver, clock: Clock, options: ExecutionOptions
) -> RunResult:
    """Carry out `plan` and say how every change ended. Returns when nothing runs any more.

    `observer` takes all events from many threads, the journal's part first (planner.executor.observer_chain). Raises
    GraphError when the plan cannot be ordered, and the observer's own error when an event could not be written.
    """
    return _Execution(plan, provider_of, vault, observer, clock, options).run()


class _Execution:
    """One execution. `_turn` guards the schedule and what follows it here."""

    def __init__(
        self,
        plan: Plan,
        provider_of: ProviderOf,
        vault: Vault,
        observer: EventObserver,
        clock: Clock,
        options: ExecutionOptions,
    ) -> None:
        self._plan, self._provider_of, self._vault = plan, provider_of, vault
        self._clock, self._options = clock, options
        self._schedule = ChangeSchedule(plan.changes, options.done)
        self._ledger = ExecutionProgress(plan.changes, observer, clock, options)
        self._waits = ReadinessWaits(clock, observer, options, self._decide, self._break_off)
        self._turn = threading.Condition()
        self._decided: deque[_Job] = deque()  # waits that are over: their ends are written before anything begins
        self._active = 0  # changes that are begun and not over, waiting ones too
        self._error: BaseException | None = None
        self._stopped = False  # on_error=stop, and something failed
        self._began = clock.monotonic()

    def run(self) -> RunResult:
        """Everything, from the first change to the result."""
        self._skip_what_needs_blocked()
        count = min(self._options.parallelism, len(self._plan.changes))
        workers = [threading.Thread(target=self._work, name=f"hwplan-{n}", daemon=True) for n in range(count)]
        for worker in workers:
            worker.start()
        for worker in workers:
            self._join(worker)
        self._waits.close()
        if self._error is not None:
            raise self._error
        hit_failpoint("run.drained")
        return self._result()

    def _join(self, worker: threading.Thread) -> None:
        while worker.is_alive():
            try:
                worker.join()
            except KeyboardInterrupt:
                self._options.cancel.set()

    def _result(self) -> RunResult:
        interrupted, late = self._options.cancel.is_set(), self._is_late()
        reason = "interrupted" if interrupted else "out of time" if late else "stopped after a failure"
        left = self._schedule.drain()
        for change in left:
            hit_failpoint("node.cancelled")
            self._ledger.end(change, ChangeResult.CANCELLED, f"not begun: {reason}")
        ends = self._ledger.outcomes
        cut = bool(left) or any(ended.result is ChangeResult.PENDING for ended in ends.values())
        return RunResult(
            outcomes={change.address: ends[change.address] for change in self._plan.changes},
            outputs=self._ledger.outputs,
            warnings=tuple(sorted(self._ledger.warnings, key=lambda warning: (str(warning[0]), warning[1]))),
            seconds=self._clock.monotonic() - self._began,
            interrupted=interrupted and cut,
            late=late and cut,
        )

    def _skip_what_needs_blocked(self) -> None:
        blocked = frozenset(blocked.address for blocked in self._plan.blocked)
        for change in self._schedule.needing(blocked):
            cause = min(need for need in change.needs if need in blocked)
            if change.address not in self._ledger.outcomes:
                self._skip([change, *self._schedule.fail(change.address)], cause)

    def _skip(self, changes: list[Change], cause: Address) -> None:
        for change in changes:
            hit_failpoint("node.skipped")
            self._ledger.end(change, ChangeResult.SKIPPED, f"needs {cause}", cause=cause)

    # The workers

    def _work(self) -> None:
        try:
            while (job := self._take()) is not None:
                job()
        except BaseException as error:
            self._break_off(error)

    def _break_off(self, error: BaseException) -> None:
        with self._turn:
            self._error = self._error or error
            self._turn.notify_all()

    def _take(self) -> _Job | None:
        """The next thing to do, or None when there will be nothing more."""
        with self._turn:
            while self._error is None:
                if self._decided:
                    return self._decided.popleft()
                if self._may_begin() and (change := self._schedule.pop()) is not None:
                    self._active += 1
                    return partial(self._node, change)
                if not self._active:
                    self._turn.notify_all()
                    return None
                self._turn.wait()
            return None

    def _may_begin(self) -> bool:
        return not (self._stopped or self._options.cancel.is_set() or self._is_late())

    def _is_late(self) -> bool:
        timeout = self._options.timeout
        return timeout is not None and self._clock.monotonic() - self._began >= timeout

    # One change

    def _node(self, change: Change) -> None:
        if change.action is Action.NOOP:
            self._wait_or_end(change)
            return
        change = output_substitution.fill_outputs(change, self._ledger.outputs)
        if missing := output_substitution.unresolved_outputs(change):
            remedy = "look at what should give it: that ended well without this output"
            self._end(change, ChangeResult.FAILED, f"has no value for {', '.join(missing)}", remedy)
            return
        self._ledger.begin(change)
        if (before := self._options.ended.get(change.address)) is not None:
            self._ledger.applied(change, before.written)
            self._end(
                change, ChangeResult.FAILED if before.failure else ChangeResult.DONE, before.failure, before.remedy
            )
            return
        made = self._make(change)
        hit_failpoint("node.effected")
        if isinstance(made, ApplyFailure):
            self._end(change, made.result, made.message, made.remedy, made.printed)
            return
        self._ledger.applied(change, made)
        if made.ready:
            self._end(change, ChangeResult.DONE)
        else:
            self._wait_or_end(change)

    def _wait_or_end(self, change: Change) -> None:
        if self._is_waited_for(change):
            hit_failpoint("node.wait")
            self._waits.add(change, self._provider_of(change))
        else:
            self._end(change, ChangeResult.DONE)

    def _make(self, change: Change) -> Written | ApplyFailure:
        try:
            return apply_effect.apply_with_retries(
                change, self._provider_of(change), self._vault, self._clock, self._options
            )
        except OSError as error:  # of a file or a disk of this machine: providers translate those of a network
            reason = f"this machine could not do it: {disk_error_text(error, type(error).__name__)}"
            return ApplyFailure(ChangeResult.FAILED, reason, MAKE_ROOM if is_disk_full(error) else "")
        except Exception as error:
            folder = self._options.crash_folder
            retained = crash_report.write_crash_report(error, folder, str(change.address)) if folder is not None else ""
            remedy = f"the traceback is in {retained}" if retained else "run again with --debug to keep a traceback"
            return ApplyFailure(ChangeResult.FAILED, f"internal error in the provider: {type(error).__name__}", remedy)

    def _is_waited_for(self, change: Change) -> bool:
        if change.wait == "none" or self._options.wait is WaitPolicy.NONE:
            return False
        if self._options.wait is WaitPolicy.ALL:
            return True
        with self._turn:
            return self._schedule.is_needed(change.address)

    def _decide(self, change: Change, decision: ReadinessWaitResult) -> None:
        """A wait is over. Called from the looking thread; a worker writes the end, so that ends share commits."""
        with self._turn:
            self._decided.append(partial(self._waited, change, decision))
            self._turn.notify()

    def _waited(self, change: Change, decision: ReadinessWaitResult) -> None:
        self._ledger.ready(change, decision.outputs, decision.warnings)
        self._end(change, decision.result, decision.message, decision.remedy)

    def _end(
        self, change: Change, result: ChangeResult, message: str = "", remedy: str = "", printed: str = ""
    ) -> None:
        """Write the end, then let go of what needs it, or skip it."""
        hit_failpoint("node.end")
        written = self._ledger.end(change, result, message, remedy, printed=printed)
        hit_failpoint("node.ended")
        skipped: list[Change] = []
        with self._turn:
            if written in (ChangeResult.DONE, ChangeResult.UNCHANGED):
                self._turn.notify(self._schedule.succeed(change.address))
            elif (
                written is not ChangeResult.PENDING or self._may_begin()
            ):  # a run asked to stop skips nothing: it cancels
                skipped = self._schedule.fail(change.address)
                self._stopped |= self._options.on_error is ErrorPolicy.STOP
        self._skip(skipped, change.address)
        with self._turn:
            self._active -= 1
            if not self._active:
                self._turn.notify_all()
