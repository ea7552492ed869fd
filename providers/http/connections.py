"""Connections to any number of servers, used again while they live. Decides nothing about retries."""

from __future__ import annotations

import select
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from planner.dataclass import dataclass
from providers.http.connect import ServerEndpoint, open_connection
from providers.http.deadline import Deadline, DeadlineReader, UnbufferedReader
from providers.http.exchange import HttpRequest, begin_exchange
from providers.http.read_answer import HttpAnswer, HttpAnswerReader, read_answer_headers
from providers.http.response import SWITCHING_PROTOCOLS

_IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class UpgradedConnection:
    """A connection that speaks another protocol now. It is the caller's to close; nothing of that protocol was read."""

    sock: socket.socket
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Idle:
    server: ServerEndpoint
    sock: socket.socket
    since: float


class HttpConnections:
    """A pool of HTTP connections that are used again. Threads share it. At most `idle` connections wait for another
    use, whichever server they lead to."""

    def __init__(self, idle: int) -> None:
        self._most = idle
        self._idle: deque[_Idle] = deque()
        self._lock = threading.Lock()
        self.opened = 0  # connections since the start
        weakref.finalize(self, _close, self._idle)

    @contextmanager
    def exchange(
        self, server: ServerEndpoint, request: HttpRequest, deadline: Deadline, limit: int
    ) -> Iterator[HttpAnswerReader]:
        """Send, and give the answer, at most `limit` bytes of it, while the block lasts. What is not read to the end
        closes the connection.

        Raises Unreachable, UntrustedServerCertificate, TooLarge, ConnectionBroken.
        """
        sock, reused = self._take(server, deadline)
        usable = False
        try:
            reader = DeadlineReader(sock, deadline)
            response = begin_exchange(sock, request, reader, deadline, reused=reused)
            answer = HttpAnswerReader(response, limit, request.where)
            yield answer
            usable = answer.leaves_connection_usable
        finally:
            if usable:
                self._put(_Idle(server, sock, time.monotonic()))
            else:
                sock.close()

    def upgrade(
        self, server: ServerEndpoint, request: HttpRequest, deadline: Deadline, limit: int
    ) -> UpgradedConnection | HttpAnswer:
        """Ask over a new connection to speak another protocol; the answer when the server does not want to.

        Raises as `exchange`.
        """
        sock = self._open(server, deadline)
        try:
            reader = UnbufferedReader(sock, deadline)
            response = begin_exchange(sock, request, reader, deadline)
            if response.status == SWITCHING_PROTOCOLS:
                return UpgradedConnection(sock, read_answer_headers(response, request.where))
            response.buffer_body()
            answer = HttpAnswerReader(response, limit, request.where).whole()
        except BaseException:
            sock.close()
            raise
        sock.close()
        return answer

    def close(self) -> None:
        """Close the idle connections; new ones are opened when it is used again."""
        with self._lock:
            idle = deque(self._idle)
            self._idle.clear()
        _close(idle)

    def _take(self, server: ServerEndpoint, deadline: Deadline) -> tuple[socket.socket, bool]:
        """A connection, and whether it was used before."""
        while (found := self._pop(server)) is not None:
            if time.monotonic() - found.since < _IDLE_SECONDS and _is_open(found.sock):
                return found.sock, True
            found.sock.close()
        return self._open(server, deadline), False

    def _pop(self, server: ServerEndpoint) -> _Idle | None:
        """The connection to `server` that was used last."""
        with self._lock:
            for found in reversed(self._idle):
                if found.server == server:
                    self._idle.remove(found)
                    return found
        return None

    def _put(self, used: _Idle) -> None:
        with self._lock:
            self._idle.append(used)
            oldest = self._idle.popleft() if len(self._idle) > self._most else None
        if oldest is not None:
            oldest.sock.close()

    def _open(self, server: ServerEndpoint, deadline: Deadline) -> socket.socket:
        sock = open_connection(server, deadline)
        with self._lock:
            self.opened += 1
        return sock


def _close(idle: deque[_Idle]) -> None:
    for one in idle:
        one.sock.close()


def _is_open(sock: socket.socket) -> bool:
    """Whether an idle connection is still open: a closed one is readable (end of file)."""
    try:
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return not poll.poll(0)
    except (OSError, ValueError):
        return False
