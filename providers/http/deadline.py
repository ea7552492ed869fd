"""Reading from a socket under a deadline, so that a server that drips bytes holds nobody. Knows sockets, not HTTP."""

from __future__ import annotations

import io
import socket
import time
from typing import Any, cast

from planner.dataclass import dataclass

_DRIP_SECONDS = 10.0
_DRIP_RATE = 256  # bytes a second
_BUFFER = 1 << 16


@dataclass(frozen=True, slots=True)
class Deadline:
    """When an exchange has to be over (monotonic), and how many seconds a connection attempt and each single read or
    write may take until then."""

    until: float
    connect: float
    each: float

    def left(self) -> float:
        """Seconds that the next read or write may take. Raises TimeoutError when the deadline is over."""
        return self._at_most(self.each)

    def left_to_connect(self) -> float:
        """Seconds that a connection attempt may take. Raises TimeoutError when the deadline is over."""
        return self._at_most(self.connect)

    def _at_most(self, seconds: float) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        return min(left, seconds)


def is_dripping(count: int, seconds: float) -> bool:
    """Whether an answer of which `count` bytes came in so many seconds since its first one is a drip: a server may take
    its time before it answers, and not while it does."""
    return seconds > _DRIP_SECONDS and count < _DRIP_RATE * seconds


class DeadlineReader(io.RawIOBase):
    """Reads from a socket under a deadline, for one answer. Closing it leaves the socket open."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        self.received = 0  # bytes
        self._first = 0.0  # when the first byte came

    def buffered(self) -> io.BufferedReader:
        """A file over it that reads ahead."""
        return io.BufferedReader(self, _BUFFER)

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read once. Raises TimeoutError at the deadline, and for a drip."""
        self._sock.settimeout(self._deadline.left())
        count = self._sock.recv_into(buffer)
        self.received += count
        now = time.monotonic()
        self._first = self._first or now
        if is_dripping(self.received, now - self._first):
            raise TimeoutError("a drip")
        return count


class UnbufferedReader(DeadlineReader):
    """Reads no byte beyond what is asked for: what follows the head of an upgrade is of another protocol."""

    def buffered(self) -> io.BufferedReader:
        """Itself, for it is read line by line."""
        return cast(io.BufferedReader, self)
