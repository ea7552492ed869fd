"""The processes of shards: each in a group of its own, with a limit of time, and all of them ended with the command."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import field

from planner.dataclass import dataclass

_GRACE = 5.0  # seconds that processes have to end by themselves after SIGTERM


class ShardsStopped(Exception):
    """The command is ending: no other process begins."""


@dataclass(slots=True)
class ShardProcesses:
    """The processes that run now. Threads share it."""

    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, argv: Sequence[str], seconds: float) -> subprocess.CompletedProcess[bytes]:
        """Run a process to its end, for `seconds` at most; its exit code (negative for a signal) and output.

        Raises subprocess.TimeoutExpired (it is killed then), ShardsStopped after `stop`, and OSError where it cannot
        be started.
        """
        process = self._start(argv)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end([process])
            raise
        finally:
            with self._lock:
                self._running.discard(process)
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        return subprocess.CompletedProcess(list(argv), process.returncode, out, err)

    def stop(self) -> None:
        """Tell all that run to end (SIGTERM), kill those that have not after some seconds, and reap them."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        _end(running)

    def _start(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        with self._lock:  # none begins between the listing and the end of those that run
            if self._stopped:
                raise ShardsStopped
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._running.add(process)
        return process


def _end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """End these with their groups: first they are told, so that they remove what they made for themselves."""
    left = [one for one in processes if _signal(one, signal.SIGTERM)]
    until = time.monotonic() + _GRACE
    try:
        for process in left:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
    finally:  # also when a second signal ends the waiting
        for process in left:
            if _signal(process, signal.SIGKILL):
                process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Signal the group of a process unless it is reaped: only until then is the number its own."""
    if process.poll() is not None:
        return False
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    return True
