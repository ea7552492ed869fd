"""Starts, watches and stops the child processes of the testbed.

Owns ports, process ids, readiness and the way to a sure end: SIGTERM, a deadline, SIGKILL, each to the one process
group that was started here. It never looks processes up by name, and knows nothing of what the programs are.
"""

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.testbed.errors import PartMissing, StartFailed

START_DEADLINE = 60.0
STOP_DEADLINE = 10.0
_PR_SET_PDEATHSIG = 1
# Below the range that the kernel hands to outgoing connections, so that none of those takes the port in between.
_PORTS = range(20000, 30000)
_T = TypeVar("_T")
_running: dict[int, "subprocess.Popen[bytes]"] = {}


@dataclass(frozen=True)
class Process:
    """A started process: its id is only good together with the time at which the kernel says that it began."""

    name: str
    pid: int
    began: str
    log: Path

    def alive(self) -> bool:
        """Say whether this very process (not another that was given its number) still runs."""
        child = _running.get(self.pid)
        if child is not None and child.poll() is not None:
            return False
        return _began(self.pid) == self.began

    def tail(self, size: int = 2000) -> str:
        """Return the end of its log."""
        with suppress(FileNotFoundError):
            return self.log.read_text(errors="replace")[-size:]
        return ""


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nothing listens on just now."""
    found: list[int] = []
    for port in random.sample(_PORTS, k=200 + count):
        with socket.socket() as attempt, suppress(OSError):
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise StartFailed("no free ports on 127.0.0.1")


def start(
    name: str,
    argv: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    detached: bool = False,
) -> Process:
    """Start a program in a process group of its own, its output in `log`.

    Unless `detached`, the kernel kills it when the thread that called this ends: call it from a thread that lives as
    long as the child shall.
    """
    if not sys.platform.startswith("linux"):
        raise PartMissing("the testbed needs Linux (it reads /proc and relies on prctl)")
    parent = os.getpid()

    def die_with_parent() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env=None if env is None else dict(env),
            start_new_session=True,
            preexec_fn=None if detached else die_with_parent,
        )
    _running[child.pid] = child
    return Process(name, child.pid, _began(child.pid) or "", log)


def wait_until(
    what: str, check: Callable[[], _T | None], process: Process | None = None, deadline: float = START_DEADLINE
) -> _T:
    """Call `check` until it gives something true, and return that; fail at the deadline, or if `process` is gone."""
    end = time.monotonic() + deadline
    while True:
        answer = check()
        if answer:
            return answer
        if process is not None and not process.alive():
            raise StartFailed(f"{process.name} ended while waiting for {what}:\n{process.tail()}")
        if time.monotonic() > end:
            said = f":\n{process.tail()}" if process is not None else ""
            raise StartFailed(f"{what}: not within {deadline:.0f} s{said}")
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Say whether something accepts connections on this port of 127.0.0.1."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False


def stop(process: Process, deadline: float = STOP_DEADLINE) -> None:
    """End a process and its group: SIGTERM, up to `deadline` seconds, then SIGKILL; return when it is gone."""
    _signal(process, signal.SIGTERM, deadline)
    kill(process)


def kill(process: Process) -> None:
    """End a process and its group at once, as a crash would; return when it is gone."""
    _signal(process, signal.SIGKILL, STOP_DEADLINE)
    child = _running.pop(process.pid, None)
    if child is not None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=STOP_DEADLINE)


def _signal(process: Process, number: signal.Signals, patience: float) -> None:
    if process.alive():
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        _wait_gone(process, patience)


def _wait_gone(process: Process, patience: float) -> None:
    end = time.monotonic() + patience
    while process.alive() and time.monotonic() < end:
        time.sleep(0.02)


def _began(pid: int) -> str | None:
    """Return the start time of a process as the kernel counts it, or None if it is gone or only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]
