"""Timing whole processes in turn (A B A B ...), medians, peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One whole process: wall seconds, peak resident megabytes, exit code, CPU seconds."""

    seconds: float
    megabytes: float
    code: int
    cpu: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """The medians of several runs, and the least CPU seconds of them: other work on the machine only adds."""

    seconds: float
    megabytes: float
    runs: tuple[Run, ...]
    cpu: float = 0.0


def run(argv: Sequence[str], *, ok: Sequence[int] = (0,), env: Mapping[str, str] | None = None) -> Run:
    """Run one process to its end, output thrown away. Raises RuntimeError for an exit code that is not in `ok`."""
    began = time.perf_counter()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
    assert child.stderr is not None
    complaint = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = code = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if code not in ok:
        raise RuntimeError(f"{argv[0]} {argv[1]} ended with {code}: {complaint.decode(errors='replace')[-600:]}")
    return Run(seconds, usage.ru_maxrss / 1024, code, usage.ru_utime + usage.ru_stime)


def in_turn(contenders: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, Figure]:
    """Run all contenders one after the other, `rounds` times; medians each."""
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            runs[name].append(contender())
    return {
        name: Figure(
            statistics.median(one.seconds for one in all_),
            max(one.megabytes for one in all_),
            tuple(all_),
            min(one.cpu for one in all_),
        )
        for name, all_ in runs.items()
    }
