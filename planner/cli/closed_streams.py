"""Standard streams that were closed before the program began (`>&-`): no file of ours may get their numbers."""

from __future__ import annotations

import os
import sys

_STDOUT = 1
_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def replace_closed_streams() -> bool:
    """Put the null device in place of closed standard streams; whether standard output can be written to.

    Otherwise the next file that is opened, such as the state, has the number 1, and what a program that is started
    prints goes into it.
    """
    closed = [number for number in range(3) if not _is_open(number)]
    for number in closed:
        null = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        os.set_inheritable(null, True)
        name, mode = _STREAMS[number]
        setattr(sys, name, os.fdopen(null, mode, encoding="utf-8", closefd=False))
    return _STDOUT not in closed


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
