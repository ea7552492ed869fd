"""A world in memory with scripted answers, plans made of names, and a clock: what the executor's tests share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from planner.address import Address
from planner.events import ChangeEnded, ChangeResult, Event, EventObserver
from planner.executor import ExecutionOptions, RunResult, execute_plan
from planner.plan import Action, BlockedResource, Change, ClusterIdentity, Plan, Precondition, Selection
from planner.ports import Provider, Readiness, ReadResult, Written
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, Vault


def address(name: str) -> Address:
    return Address("", "ConfigMap", "", "ns", name)


def change(name: str, needs: Iterable[str] = (), **fields: object) -> Change:
    values: dict[str, object] = {
        "action": Action.CREATE,
        "api_version": "v1",
        "scope": "infra",
        "reason": "declared",
        "precondition": Precondition(absent=True),
        "source": SourceRef("a.yaml", 1, 1),
        "desired": {"kind": "ConfigMap", "metadata": {"name": name}},
        "needs": tuple(address(need) for need in needs),
    }
    return Change(address=address(name), **(values | fields))  # type: ignore[arg-type]


def plan_of(changes: Sequence[Change] | Mapping[str, Iterable[str]], blocked: Iterable[str] = ()) -> Plan:
    made = changes if isinstance(changes, Sequence) else [change(name, needs) for name, needs in changes.items()]
    stopped = tuple(BlockedResource(address(name), Action.CREATE, "no") for name in blocked)
    return Plan(Selection(), ClusterIdentity("uid", "server"), "c", "l", tuple(made), blocked=stopped)


class QuickClock:
    """Real time, except that `sleep` (only pauses between tries use it) moves the clock ahead instead of waiting."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        self._ahead += seconds


@dataclass
class FakeProvider:
    """`script[name]` answers apply and delete in turn (a Written, an error to raise, or a function); then it succeeds.

    `ready_after[name]` is in seconds after the effect; `verdicts[name]` answers readiness itself.
    """

    script: dict[str, list[object]] = field(default_factory=dict)
    ready_after: dict[str, float] = field(default_factory=dict)
    verdicts: dict[str, Readiness | Exception] = field(default_factory=dict)
    seconds: float = 0.0
    calls: list[tuple[str, str]] = field(default_factory=list)
    looks: list[tuple[str, ...]] = field(default_factory=list)
    documents: dict[str, JsonObject | None] = field(default_factory=dict)
    running: int = 0
    most_running: int = 0
    _made: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def apply(self, change: Change, vault: Vault) -> Written:
        return self._effect("apply", change)

    def delete(self, change: Change) -> Written:
        return self._effect("delete", change)

    def _effect(self, verb: str, change: Change) -> Written:
        name = change.address.name
        with self._lock:
            self.calls.append((verb, name))
            self.documents[name] = change.desired
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            answers = self.script.get(name, [])
            answer = answers.pop(0) if answers else Written(uid=f"uid-{name}")
        try:
            if self.seconds:
                time.sleep(self.seconds)
            if isinstance(answer, BaseException):
                raise answer
            if callable(answer):
                answer = answer()
            assert isinstance(answer, Written)
            return answer
        finally:
            with self._lock:
                self.running -= 1
                self._made[name] = time.monotonic()

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        names = tuple(change.address.name for change in changes)
        self.looks.append(names)
        for name in names:
            if isinstance(verdict := self.verdicts.get(name), Exception):
                raise verdict
        return {change.address: self._one(change.address.name) for change in changes}

    def _one(self, name: str) -> Readiness:
        verdict = self.verdicts.get(name)
        if isinstance(verdict, Readiness):
            return verdict
        done = time.monotonic() - self._made.get(name, 0.0) >= self.ready_after.get(name, 0.0)
        return Readiness(done=done, ok=done, message="" if done else "0 of 1 ready")

    def read(self, *_: object) -> ReadResult:
        raise NotImplementedError

    def preview(self, *_: object) -> dict[Address, object]:
        raise NotImplementedError


@dataclass
class Recorder:
    """Keeps all events in order; `fail_at` raises instead of taking an event."""

    events: list[Event] = field(default_factory=list)
    fail_at: Callable[[Event], Exception | None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, event: Event) -> None:
        with self._lock:
            if self.fail_at and (error := self.fail_at(event)):
                raise error
            self.events.append(event)

    def position(self, kind: type, name: str) -> int:
        return next(n for n, e in enumerate(self.events) if isinstance(e, kind) and e.address == address(name))


def run(
    plan: Plan, provider: FakeProvider, options: ExecutionOptions | None = None, recorder: EventObserver | None = None
) -> RunResult:
    def provider_of(_: Change) -> Provider:
        return provider  # type: ignore[return-value]  # read and preview are never called here

    return execute_plan(plan, provider_of, {}, recorder or Recorder(), QuickClock(), options or ExecutionOptions())


def results(result: RunResult) -> dict[str, ChangeResult]:
    return {address.name: ended.result for address, ended in result.outcomes.items()}


def ended(result: RunResult, name: str) -> ChangeEnded:
    return result.outcomes[address(name)]
