"""The effect of a PodExec, at most once: mark, run, complete the mark (spec 06, "Reliability").

A mark without an end, found later, means that the command may have run. Only its author can determine, so it is not run
again by itself; see docs/adr/0024. A mark of this very process is the exception, when it knows more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, MutableMapping
from typing import TypeAlias

from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, ProviderError, TemporaryError
from planner.failpoint import hit_failpoint
from planner.plan import Change
from planner.ports import Fingerprinter, Written
from planner.values import Vault
from providers.cluster_interface import Cluster, EndedCommand
from providers.kubernetes.errors import CommandUnsettled
from providers.kubernetes.operations import command_once_marks
from providers.kubernetes.operations.command_once_marks import CommandOnceKey, CommandOnceMark
from providers.kubernetes.operations.command_runners import ContainerCommandRunner
from providers.kubernetes.operations.pod_exec_command import PodExecCommand
from providers.kubernetes.operations.redacted_command_output import redacted_output_tail_lines

_RECORD_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between tries to put an end on record
_PLAN_AGAIN = "plan again: the world moved since this plan was made"


@dataclass(frozen=True, slots=True)
class MarkedCommandNotStarted:
    """The command of a mark was refused before it ran, and the mark could not be taken back."""


@dataclass(frozen=True, slots=True)
class MarkedCommandUnsettled:
    """The command of a mark may have run; what was seen of it until it was lost, and what it had printed by then."""

    said: str
    printed: str = ""


Fate: TypeAlias = EndedCommand | MarkedCommandNotStarted | MarkedCommandUnsettled


@dataclass(frozen=True, slots=True)
class ExecOnceContext:
    """What run_command_once needs besides its change. `memory` is what this process knows of its own marks, `sleep`
    lets seconds pass, `fingerprinter` makes the digest of an output that is not stored."""

    cluster: Cluster
    places: ContainerCommandRunner
    fingerprinter: Fingerprinter
    memory: MutableMapping[CommandOnceKey, tuple[CommandOnceMark, Fate]]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Work:
    context: ExecOnceContext
    change: Change
    wanted: PodExecCommand
    key: CommandOnceKey
    vault: Vault

    def fate(self, mark: CommandOnceMark) -> Fate | None:
        """What this process knows of a mark without an end."""
        known = self.context.memory.get(self.key)
        return known[1] if known and mark.is_open and mark.token == known[0].token else None

    def remember(self, mark: CommandOnceMark, fate: Fate) -> None:
        """Keep what became of the command of our own mark."""
        self.context.memory[self.key] = mark, fate

    def read(self) -> CommandOnceMark | None:
        """The mark now. Raises OutcomeUnknown where this process knows an end that is not on record."""
        try:
            return command_once_marks.read_command_once_mark(self.context.cluster, self.key)
        except ProviderError as error:
            match self.context.memory.get(self.key):
                case (CommandOnceMark() as mark, EndedCommand() as done):
                    raise _unrecorded(self.key, mark, done.exit_code, error.message) from None
            raise


def run_command_once(
    context: ExecOnceContext, change: Change, wanted: PodExecCommand, key: CommandOnceKey, vault: Vault
) -> Written:
    """Run the command of a PodExec unless its mark says that it ran: mark, run, complete the mark. Raises as
    planner.ports.Provider.apply."""
    work = _Work(context, change, wanted, key, vault)
    mark = work.read()
    if mark is None:
        return _begin(work, None)
    if mark.is_done:
        said = f"nothing to do: it succeeded for this value before (begun {mark.begun})"
        return Written(uid="", outputs=_outputs(0), already=True, said=said)
    match work.fate(mark):
        case EndedCommand() as done:
            return _ended(work, mark, done)
        case MarkedCommandNotStarted():
            return _run(work, mark, None)
        case _:
            return _begin(work, mark)


def unsettled_command_message(
    key: CommandOnceKey, mark: CommandOnceMark, lost: MarkedCommandUnsettled | None = None
) -> tuple[str, str]:
    """Message and remedy for a command whose mark has no end: it may have run. `lost` is what this process saw of
    it."""
    message = f"begun {mark.begun} in pod {mark.pod}, no end on record: it runs, or it may have run"
    remedy = (
        f"find out whether it ran; delete {key.shown} to run it again, or set its data.exitCode to 0 if it "
        "succeeded; write idempotent: true in the spec of a command that may run twice"
    )
    return lost.said if lost else message, remedy


def _begin(work: _Work, before: CommandOnceMark | None) -> Written:
    """Mark and run, unless the world is not the one that the plan saw."""
    context, key = work.context, work.key
    _check(work, before)
    pod = context.places.find(work.wanted)
    if work.wanted.per_image and pod.image != key.value:
        raise TemporaryError(
            f"it has rolled on to another image meanwhile ({pod.image})", where=work.wanted.target.local
        )
    hit_failpoint("exec.begin")
    try:
        mark = command_once_marks.write_once_mark_before_command(
            context.cluster, key, before, pod.name, work.wanted.command
        )
    except PreconditionError:  # the next try reads what somebody else did
        raise TemporaryError("somebody else writes its mark at the same moment", where=key.shown) from None
    hit_failpoint("exec.begun")
    return _run(work, mark, before)


def _check(work: _Work, mark: CommandOnceMark | None) -> None:
    """Refuse what the plan did not see, and what may have run, unless the plan saw that and it may run twice. An image
    that came with the plan has no mark yet, whatever the plan saw of the one before."""
    wanted = work.change.precondition
    planned = mark is None if wanted.absent else mark is not None and mark.content == wanted.content
    planned = planned or (work.wanted.per_image and mark is None)
    if planned and not (mark and mark.is_open and not work.wanted.idempotent):
        return
    if mark is not None and mark.is_open:
        fate = work.fate(mark)
        raise _unsettled(work.key, mark, fate if isinstance(fate, MarkedCommandUnsettled) else None)
    now = "nobody has begun it" if mark is None else f"it was run since and ended with exit code {mark.exit_code}"
    raise PreconditionError(f"this is not what the plan saw: {now}", where=work.key.shown, remedy=_PLAN_AGAIN)


def _run(work: _Work, mark: CommandOnceMark, before: CommandOnceMark | None) -> Written:
    context, key = work.context, work.key
    try:
        done = context.places.run(work.wanted, mark.pod)
    except CommandUnsettled as error:
        seen = redacted_output_tail_lines(error.output, work.vault, cut_bytes=error.cut, complete=False)
        said = f"{error.message}: the command may have run in pod {mark.pod}"
        lost = MarkedCommandUnsettled(*_stored_and_printed(work, said, error.output, error.cut, seen))
        work.remember(mark, lost)
        raise _unsettled(key, mark, lost) from None
    except ProviderError:
        work.remember(mark, MarkedCommandNotStarted())
        with contextlib.suppress(ProviderError):  # then the mark stays, and says no more than that it may have run
            command_once_marks.restore_previous_once_mark(context.cluster, key, mark, before)
        raise
    hit_failpoint("exec.ended")
    return _ended(work, mark, done)


def _ended(work: _Work, mark: CommandOnceMark, done: EndedCommand) -> Written:
    """The command has ended; only this process knows how, until the mark says so."""
    work.remember(mark, done)
    _record(work, mark, done.exit_code)
    hit_failpoint("exec.recorded")
    label = "simulated: " if work.context.places.simulated else ""
    lines = redacted_output_tail_lines(done.output, work.vault, cut_bytes=done.cut)
    said = f"{label}exit code {done.exit_code} in {mark.pod}"
    said, printed = _stored_and_printed(work, said, done.output, done.cut, lines)
    if done.exit_code:
        remedy = "mend the cause and plan again: a command that failed is planned again"
        failed = PermanentError(said, where=work.key.shown, remedy=remedy)
        failed.printed = printed
        raise failed
    return Written(uid="", outputs=_outputs(0), said=said, printed=printed)


def _stored_and_printed(work: _Work, said: str, output: bytes, cut: int, lines: tuple[str, ...]) -> tuple[str, str]:
    """What of an output is stored, after `said`, and what is only shown: a command may print secrets that nobody but
    itself knows."""
    if work.wanted.keep_output:
        return "\n".join([said, *lines]), ""
    if not output:
        return said, ""
    digest = work.context.fingerprinter.fingerprint(output)
    return f"{said}; {len(output) + cut:,} bytes of output, {digest}", "\n".join(lines)


def _unsettled(key: CommandOnceKey, mark: CommandOnceMark, lost: MarkedCommandUnsettled | None) -> OutcomeUnknown:
    message, remedy = unsettled_command_message(key, mark, lost)
    error = OutcomeUnknown(message, where=key.shown, remedy=remedy)
    error.printed = lost.printed if lost else ""
    return error


def _record(work: _Work, mark: CommandOnceMark, exit_code: int) -> None:
    """Put the end on record, patiently: nobody else knows it."""
    reason = ""
    for pause in (*_RECORD_PAUSES, 0.0):
        try:
            command_once_marks.complete_once_mark_after_command(work.context.cluster, work.key, mark, exit_code)
            return
        except (TemporaryError, OutcomeUnknown) as error:
            reason = error.message
            work.context.sleep(pause)
        except ProviderError as error:
            reason = error.message
            break
    raise _unrecorded(work.key, mark, exit_code, reason)


def _unrecorded(key: CommandOnceKey, mark: CommandOnceMark, exit_code: int, reason: str) -> OutcomeUnknown:
    message = f"the command ended with exit code {exit_code}, but that could not be put on record: {reason}"
    return OutcomeUnknown(message, where=key.shown, remedy=unsettled_command_message(key, mark)[1])


def _outputs(exit_code: int) -> dict[str, int]:
    return {"exitCode": exit_code}
