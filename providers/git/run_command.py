"""Runs one command to its end: an argv list, a process group of its own, a deadline, a limit on what it may say.

Owns processes only. The environment is given whole by the caller; nothing of ours is inherited. A command that is too
slow or says too much is killed with all its children.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from planner.dataclass import dataclass
from planner.errors import PermanentError

_PIECE = 64 * 1024
_ERRORS_KEPT = 64 * 1024  # bytes of standard error; more is read and dropped
_LINGER = 2.0  # seconds for a killed group to close its pipes


class CommandTermination(StrEnum):
    """How a command terminated: by itself, by its time limit or by its output limit."""

    ITSELF = "itself"
    TIMED_OUT = "timed out"
    TOO_LONG = "too long an answer"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a command: its output, and `code`, the exit code, negative for a signal."""

    code: int
    out: bytes
    err: bytes
    ended: CommandTermination = CommandTermination.ITSELF


def run_command(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, seconds: float, most: int, hold: tuple[int, ...] = ()
) -> CommandResult:
    """Run `argv` for at most `seconds`, taking at most `most` bytes of its output.

    It inherits the descriptors of `hold`: a lock on one of them lasts as long as it does, even when we are killed.

    Raises PermanentError when the program is not there.
    """
    try:
        process = subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(env), cwd=cwd, start_new_session=True, pass_fds=hold,
        )  # fmt: skip
    except FileNotFoundError as missing:
        if missing.filename != argv[0]:
            raise
        raise PermanentError(f"the {argv[0]} binary is not on the PATH", remedy=f"install {argv[0]}") from None
    with process:
        try:
            return _attend(process, time.monotonic() + seconds, most)
        finally:
            _end(process)


def _attend(process: subprocess.Popen[bytes], end: float, most: int) -> CommandResult:
    assert process.stdout is not None and process.stderr is not None
    out, err = bytearray(), bytearray()
    ended = CommandTermination.ITSELF
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, (out, most + 1))
        selector.register(process.stderr, selectors.EVENT_READ, (err, _ERRORS_KEPT))
        while selector.get_map() and ended is CommandTermination.ITSELF:
            ready = selector.select(max(0.0, end - time.monotonic()))
            if not ready and time.monotonic() >= end:
                ended = CommandTermination.TIMED_OUT
            for key, _ in ready:
                retained, limit = key.data
                if not _take(key.fd, retained, limit):
                    selector.unregister(key.fileobj)
            if len(out) > most:
                ended = CommandTermination.TOO_LONG
    if ended is CommandTermination.ITSELF:
        with suppress(subprocess.TimeoutExpired):
            return CommandResult(process.wait(max(0.1, end - time.monotonic())), bytes(out), bytes(err))
        ended = CommandTermination.TIMED_OUT
    return CommandResult(-signal.SIGKILL, bytes(out[:most]), bytes(err), ended)


def _take(descriptor: int, retained: bytearray, limit: int) -> bool:
    """Read what is there, keep it up to the limit; False at the end."""
    data = os.read(descriptor, _PIECE)
    retained += data[: max(0, limit - len(retained))]
    return bool(data)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group. The group is named by our child, which is reaped only after this."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LINGER)
