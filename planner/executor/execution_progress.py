"""What is known so far about each change of one execution: its outputs, its end. Emits their events, alone.

An end is in the ledger when, and only when, the observer has taken its event.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from planner.address import Address
from planner.events import ChangeApplied, ChangeBegan, ChangeEnded, ChangeResult, EventObserver
from planner.executor.execution_options import ExecutionOptions
from planner.failpoint import hit_failpoint
from planner.plan import Action, Change
from planner.ports import Clock, Written
from planner.values import JsonObject

_IN_EARLIER_RUN = "done in the run that this one resumes"


class ExecutionProgress:
    """Outcomes, outputs and warnings of all changes of one execution, by address. Threads write about different changes
    at the same time."""

    def __init__(
        self, changes: Sequence[Change], observer: EventObserver, clock: Clock, options: ExecutionOptions
    ) -> None:
        self._observer, self._clock = observer, clock
        self._lock = threading.Lock()
        self._since: dict[Address, float] = {}
        self._already: set[Address] = set()
        self._made: dict[Address, Written] = {}
        self.outcomes: dict[Address, ChangeEnded] = {}
        self.outputs: dict[Address, JsonObject] = dict(options.done)
        self.warnings: list[tuple[Address, str]] = []
        now = clock.now()
        for change in changes:
            if change.action is not Action.NOOP and change.address in options.done:
                ended = ChangeEnded(now, change.address, change.action, ChangeResult.UNCHANGED, 0.0, _IN_EARLIER_RUN)
                self.outcomes[change.address] = ended

    def begin(self, change: Change) -> None:
        """Durable when it returns: the effect may be tried."""
        hit_failpoint("node.begin")
        self._since[change.address] = self._clock.monotonic()
        self._observer.on(ChangeBegan(self._clock.now(), change.address, change.action))
        hit_failpoint("node.began")

    def applied(self, change: Change, made: Written) -> None:
        """The effect was made, with these outputs; `uid` is one of them."""
        with self._lock:
            self.outputs[change.address] = {**made.outputs, **({"uid": made.uid} if made.uid else {})}
            self.warnings += [(change.address, warning) for warning in made.warnings]
            self._made[change.address] = made
            if made.already:
                self._already.add(change.address)
        self._emit_applied(change, made.uid, vanishes=made.vanishes)
        hit_failpoint("node.applied")

    def ready(self, change: Change, outputs: JsonObject, warnings: tuple[str, ...] = ()) -> None:
        """Waiting is over and gave more outputs, which must outlive this process as those of the effect do."""
        hit_failpoint("node.ready")
        with self._lock:
            self.warnings += [(change.address, warning) for warning in warnings]
        if not outputs:
            return
        with self._lock:
            known = self.outputs.get(change.address, {})
            self.outputs[change.address] = {**known, **outputs}
        if change.action is not Action.NOOP:
            self._emit_applied(change, str(known.get("uid", "")))

    def end(
        self,
        change: Change,
        result: ChangeResult,
        message: str = "",
        remedy: str = "",
        cause: Address | None = None,
        printed: str = "",
    ) -> ChangeResult:
        """Durable before anything that is begun later. The result as written: done is `unchanged` where nothing had
        to be sent."""
        if result is ChangeResult.DONE:
            if made := self._made.get(change.address):
                message, printed = message or made.said, printed or made.printed
            unchanged = change.action is Action.NOOP or change.address in self._already
            result = ChangeResult.UNCHANGED if unchanged else result
        since = self._since.get(change.address)
        seconds = 0.0 if since is None else self._clock.monotonic() - since
        warnings = tuple(text for address, text in self.warnings if address == change.address)
        ended = ChangeEnded(
            self._clock.now(), change.address, change.action, result, seconds, message, remedy, cause, printed, warnings
        )
        self._observer.on(ended)
        self.outcomes[change.address] = ended
        return result

    def _emit_applied(self, change: Change, uid: str, *, vanishes: bool = False) -> None:
        outputs, already = self.outputs[change.address], change.address in self._already
        at = self._clock.now()
        self._observer.on(ChangeApplied(at, change.address, change.action, uid, outputs, already, vanishes))
