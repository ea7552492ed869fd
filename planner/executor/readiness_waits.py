"""Waiting for readiness: one thread looks at everything that waits, in bulk, as rarely as a prompt answer allows.

A change that has waited for t seconds is looked at again after 5 % of t, so that finding out costs at most that share
of the wait, and a change that takes long is asked about seldom. Changes of similar age share a look. A provider that
answers slowly is asked less often, down to every 50 ms for young changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from planner.address import Address
from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import HwplanError, TemporaryError
from planner.events import ChangeResult, ChangeWaiting, EventObserver
from planner.executor.execution_options import ExecutionOptions
from planner.failpoint import hit_failpoint
from planner.plan import Change
from planner.ports import Clock, Provider, Readiness
from planner.values import JsonObject

_SHARE = 0.05
_SHORTEST, _SHORT, _LONGEST = 0.002, 0.05, 10.0  # seconds between looks
_LOOK_AT_CANCEL = 0.2
_SAY_AGAIN = 15.0  # seconds after which what is awaited is said again (R13)


@dataclass(frozen=True, slots=True)
class ReadinessWaitResult:
    """How waiting for the readiness of one change ended. `result` is DONE, FAILED or PENDING."""

    result: ChangeResult
    message: str = ""
    remedy: str = ""
    outputs: JsonObject = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class _Entry:
    change: Change
    provider: Provider
    since: float
    deadline: float
    due: float
    message: str = ""
    said: float = float("-inf")


class ReadinessWaits:
    """The waiting changes. `decide` is called from the looking thread, once for each change, and must not block.

    `broken` is called with an error that is not a provider's answer; nothing is looked at afterwards.
    """

    def __init__(
        self,
        clock: Clock,
        observer: EventObserver,
        options: ExecutionOptions,
        decide: Callable[[Change, ReadinessWaitResult], None],
        broken: Callable[[BaseException], None],
    ) -> None:
        self._clock, self._observer, self._options = clock, observer, options
        self._decide, self._broken = decide, broken
        self._wake = threading.Condition()
        self._entries: list[_Entry] = []
        self._arrivals: list[_Entry] = []
        self._floor: dict[int, float] = {}  # provider -> seconds between looks
        self._looked: dict[int, float] = {}  # provider -> when it was last looked at
        self._closed = False
        self._thread: threading.Thread | None = None
        self._end = clock.monotonic() + options.timeout if options.timeout is not None else float("inf")
        self._later = f"{options.again} waits for it again"

    def add(self, change: Change, provider: Provider) -> None:
        """Wait for `change` from now on, for its own budget or the default one."""
        now = self._clock.monotonic()
        budget = self._options.wait_seconds if change.wait_seconds is None else change.wait_seconds
        entry = _Entry(change, provider, now, min(now + budget, self._end), now)
        with self._wake:
            self._arrivals.append(entry)
            self._wake.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="hwplan-waits", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread; call it when nothing waits any more or the run is broken off."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        try:
            while self._sleep():
                if self._options.cancel.is_set():
                    self._give_up()
                    continue
                for provider, entries in self._due():
                    self._look(provider, entries)
        except BaseException as error:
            self._broken(error)

    def _sleep(self) -> bool:
        """Sleep until something is due; False when it is all over."""
        with self._wake:
            while not self._closed:
                self._entries += self._arrivals
                self._arrivals.clear()
                pause = min((self._when(entry) for entry in self._entries), default=None)
                if pause is not None:
                    pause -= self._clock.monotonic()
                    if pause <= 0 or self._options.cancel.is_set():
                        return True
                    pause = min(pause, _LOOK_AT_CANCEL)
                self._wake.wait(pause)
            return False

    def _when(self, entry: _Entry) -> float:
        """When to look at an entry: when it is due, but not too soon after the last look at its provider."""
        key = id(entry.provider)
        return max(entry.due, self._looked.get(key, 0.0) + self._floor.get(key, _SHORTEST))

    def _due(self) -> list[tuple[Provider, list[_Entry]]]:
        """What to look at now, by provider: all that is due, and what would be within half of its own interval."""
        now = self._clock.monotonic()
        groups: dict[int, tuple[Provider, list[_Entry]]] = {}
        for entry in self._entries:
            if entry.due - self._interval(entry, now) / 2 <= now:
                groups.setdefault(id(entry.provider), (entry.provider, []))[1].append(entry)
        return [
            (provider, entries)
            for provider, entries in groups.values()
            if any(self._when(entry) <= now for entry in entries)
        ]

    def _interval(self, entry: _Entry, now: float) -> float:
        floor = self._floor.get(id(entry.provider), _SHORTEST)
        return min(max(_SHARE * (now - entry.since), floor), _LONGEST)

    def _look(self, provider: Provider, entries: Sequence[_Entry]) -> None:
        hit_failpoint("node.look")
        begin = self._clock.monotonic()
        seen = _readiness(provider, [entry.change for entry in entries])
        now = self._clock.monotonic()
        self._floor[id(provider)] = min(max(4 * (now - begin), _SHORTEST), _SHORT)
        self._looked[id(provider)] = now
        over = {id(entry) for entry in entries if self._judge(entry, seen.get(entry.change.address), now)}
        self._entries = [entry for entry in self._entries if id(entry) not in over]

    def _judge(self, entry: _Entry, seen: Readiness | None, now: float) -> bool:
        """Decide on one entry if it can be decided; whether it was."""
        if seen is not None and seen.done:
            result = ChangeResult.DONE if seen.ok else ChangeResult.FAILED
            message = "" if seen.ok else seen.message
            self._decide(
                entry.change, ReadinessWaitResult(result, message, outputs=seen.outputs, warnings=seen.warnings)
            )
            return True
        message = seen.message if seen is not None else "nothing is known about it yet"
        if now >= entry.deadline:
            self._decide(entry.change, _late(now - entry.since, message, self._later))
            return True
        if message != entry.message or now - entry.said >= _SAY_AGAIN:
            entry.message, entry.said = message, now
            self._observer.on(ChangeWaiting(self._clock.now(), entry.change.address, message, now - entry.since))
        entry.due = min(now + self._interval(entry, now), entry.deadline)
        return False

    def _give_up(self) -> None:
        """The run was asked to stop: what is made stays made, nobody waits for it."""
        for entry in self._entries:
            self._decide(
                entry.change, ReadinessWaitResult(ChangeResult.PENDING, "interrupted while waiting", self._later)
            )
        self._entries = []


def _late(seconds: float, message: str, later: str) -> ReadinessWaitResult:
    detail = f": {message}" if message else ""
    remedy = f"{later}; a longer hwplan.dev/wait gives it more time"
    return ReadinessWaitResult(ChangeResult.PENDING, f"not ready after {seconds:.0f}s{detail}", remedy)


def _reason(error: Exception) -> str:
    if isinstance(error, HwplanError):
        return error.message
    return disk_error_text(error) if isinstance(error, OSError) else f"internal error: {type(error).__name__}"


def _readiness(provider: Provider, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
    """One bulk look. An error that will not pass is narrowed down to the changes that cause it."""
    try:
        return provider.readiness(changes)
    except TemporaryError as error:
        unseen = Readiness(done=False, ok=False, message=f"cannot be looked at now: {error.message}")
        return {change.address: unseen for change in changes}
    except Exception as error:
        if len(changes) == 1:
            failed = Readiness(done=True, ok=False, message=f"cannot be looked at: {_reason(error)}")
            return {changes[0].address: failed}
    middle = len(changes) // 2
    return {**_readiness(provider, changes[:middle]), **_readiness(provider, changes[middle:])}
