"""The effect of a PodExec, at most once: mark, run, complete the mark (spec 06, "Reliability").

A mark without an end, found later, means that the command may have run. Only its author can tell, so it is not run
again by itself; see docs/adr/0024. A mark of this very process is the exception, when it knows more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import TypeAlias

from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, ProviderError, TemporaryError
from planner.failpoint import hit
from planner.plan import Change
from planner.ports import Written
from planner.values import Vault
from providers.kubernetes.cluster import Cluster, Executed
from providers.kubernetes.errors import CommandUnsettled
from providers.kubernetes.operations import once
from providers.kubernetes.operations.commands import Wanted
from providers.kubernetes.operations.exec_log import lines_of
from providers.kubernetes.operations.exec_places import Places
from providers.kubernetes.operations.once import Key, Mark

_RECORD_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between tries to put an end on record
_PLAN_AGAIN = "plan again: the world moved since this plan was made"


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The command of a mark was refused before it ran, and the mark could not be taken back."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The command of a mark may have run; what was seen of it until it was lost."""

    said: str


Fate: TypeAlias = Executed | NotStarted | Lost


@dataclass(frozen=True, slots=True)
class Desk:
    """What the effect needs. `memory` is what this process knows of its own marks, `sleep` lets seconds pass."""

    cluster: Cluster
    places: Places
    memory: MutableMapping[Key, tuple[Mark, Fate]]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Work:
    desk: Desk
    change: Change
    wanted: Wanted
    key: Key
    vault: Vault

    def fate(self, mark: Mark) -> Fate | None:
        """What this process knows of a mark without an end."""
        known = self.desk.memory.get(self.key)
        return known[1] if known and mark.is_open and mark.token == known[0].token else None

    def remember(self, mark: Mark, fate: Fate) -> None:
        """Keep what became of the command of our own mark."""
        self.desk.memory[self.key] = mark, fate

    def read(self) -> Mark | None:
        """The mark now. Raises OutcomeUnknown where this process knows an end that is not on record."""
        try:
            return once.read(self.desk.cluster, self.key)
        except ProviderError as error:
            match self.desk.memory.get(self.key):
                case (Mark() as mark, Executed() as done):
                    raise _unrecorded(self.key, mark, done.exit_code, error.message) from None
            raise


def make(desk: Desk, change: Change, wanted: Wanted, key: Key, vault: Vault) -> Written:
    """See planner.ports.Provider.apply."""
    work = _Work(desk, change, wanted, key, vault)
    mark = work.read()
    if mark is None:
        return _begin(work, None)
    if mark.is_done:
        said = f"nothing to do: it succeeded for this value before (begun {mark.begun})"
        return Written(uid="", outputs=_outputs(0), already=True, said=said)
    match work.fate(mark):
        case Executed() as done:
            return _ended(work, mark, done)
        case NotStarted():
            return _run(work, mark, None)
        case _:
            return _begin(work, mark)


def unsettled(key: Key, mark: Mark, lost: Lost | None = None) -> tuple[str, str]:
    """Message and remedy of a mark without an end. `lost` is what this process saw of it."""
    message = f"begun {mark.begun} in pod {mark.pod}, no end on record: it runs, or it may have run"
    remedy = (
        f"find out whether it ran; delete {key.shown} to run it again, or set its data.exitCode to 0 if it "
        "succeeded; write idempotent: true in the spec of a command that may run twice"
    )
    return lost.said if lost else message, remedy


def _begin(work: _Work, before: Mark | None) -> Written:
    """Mark and run, unless the world is not the one that the plan saw."""
    desk, key = work.desk, work.key
    _check(work, before)
    pod = desk.places.find(work.wanted)
    hit("exec.begin")
    try:
        mark = once.begin(desk.cluster, key, before, pod, work.wanted.command)
    except PreconditionError:  # the next try reads what somebody else did
        raise TemporaryError("somebody else writes its mark at the same moment", where=key.shown) from None
    hit("exec.begun")
    return _run(work, mark, before)


def _check(work: _Work, mark: Mark | None) -> None:
    """Refuse what the plan did not see, and what may have run, unless the plan saw that and it may run twice."""
    wanted = work.change.precondition
    planned = mark is None if wanted.absent else mark is not None and mark.content == wanted.content
    if planned and not (mark and mark.is_open and not work.wanted.idempotent):
        return
    if mark is not None and mark.is_open:
        fate = work.fate(mark)
        message, remedy = unsettled(work.key, mark, fate if isinstance(fate, Lost) else None)
        raise OutcomeUnknown(message, where=work.key.shown, remedy=remedy)
    now = "nobody has begun it" if mark is None else f"it was run since and ended with exit code {mark.exit_code}"
    raise PreconditionError(f"this is not what the plan saw: {now}", where=work.key.shown, remedy=_PLAN_AGAIN)


def _run(work: _Work, mark: Mark, before: Mark | None) -> Written:
    desk, key = work.desk, work.key
    try:
        done = desk.places.run(work.wanted, mark.pod)
    except CommandUnsettled as error:
        seen = lines_of(error.output, work.vault, cut=error.cut, whole=False)
        lost = Lost("\n".join([f"{error.message}: the command may have run in pod {mark.pod}", *seen]))
        work.remember(mark, lost)
        message, remedy = unsettled(key, mark, lost)
        raise OutcomeUnknown(message, where=key.shown, remedy=remedy) from None
    except ProviderError:
        work.remember(mark, NotStarted())
        with contextlib.suppress(ProviderError):  # then the mark stays, and says no more than that it may have run
            once.take_back(desk.cluster, key, mark, before)
        raise
    hit("exec.ended")
    return _ended(work, mark, done)


def _ended(work: _Work, mark: Mark, done: Executed) -> Written:
    """The command has ended; only this process knows how, until the mark says so."""
    work.remember(mark, done)
    _record(work, mark, done.exit_code)
    hit("exec.recorded")
    label = "simulated: " if work.desk.places.simulated else ""
    lines = lines_of(done.output, work.vault, cut=done.cut)
    said = "\n".join([f"{label}exit code {done.exit_code} in {mark.pod}", *lines])
    if done.exit_code:
        remedy = "mend the cause and plan again: a command that failed is planned again"
        raise PermanentError(said, where=work.key.shown, remedy=remedy)
    return Written(uid="", outputs=_outputs(0), said=said)


def _record(work: _Work, mark: Mark, exit_code: int) -> None:
    """Put the end on record, patiently: nobody else knows it."""
    reason = ""
    for pause in (*_RECORD_PAUSES, 0.0):
        try:
            once.finish(work.desk.cluster, work.key, mark, exit_code)
            return
        except (TemporaryError, OutcomeUnknown) as error:
            reason = error.message
            work.desk.sleep(pause)
        except ProviderError as error:
            reason = error.message
            break
    raise _unrecorded(work.key, mark, exit_code, reason)


def _unrecorded(key: Key, mark: Mark, exit_code: int, reason: str) -> OutcomeUnknown:
    message = f"the command ended with exit code {exit_code}, but that could not be put on record: {reason}"
    return OutcomeUnknown(message, where=key.shown, remedy=unsettled(key, mark)[1])


def _outputs(exit_code: int) -> dict[str, int]:
    return {"exitCode": exit_code}
