"""Signals that end a command: with them it ends as with an exception, so that what it started is ended first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_by_signals() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP raise SystemExit with the code that a shell gives for them (143, 129), in the main
    thread. A signal that this process was started to ignore (nohup) stays ignored. SIGINT is KeyboardInterrupt as ever.
    """
    before = {number: signal.getsignal(number) for number in _ENDING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
