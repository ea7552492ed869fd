"""Connections of urllib3 that keep a deadline: every read and write of a socket gets at most what is left of it.

urllib3 limits single reads only, so a server that drips bytes could hold a request for ever. Here the socket itself is
wrapped, which covers the head of an answer and its body alike. Addresses are looked up once, and may be judged before
anything is connected, so that a name cannot answer twice and differently.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

Vet: TypeAlias = Callable[[str], None]  # gets an address in text form; raises ProviderError to refuse it


@dataclass(slots=True)
class Call:
    """One request on its way: its deadline (monotonic), seconds to connect and for one read, and whether a byte of it
    has been sent."""

    deadline: float
    connect: float
    read: float
    vet: Vet | None = None
    sent: bool = False

    def left(self, each: float) -> float:
        """Seconds that the next step may take, at most `each`. Raises TimeoutError when the deadline is over."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        return min(left, each)


CURRENT = threading.local()  # .call: urllib3 hands nothing through to the connection, and stays in the thread


class TimedSocket:
    """A connected socket whose reads and writes keep to the deadline of the call that uses it."""

    def __init__(self, inner: Any, call: Call) -> None:
        self._inner = inner
        self.call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def fileno(self) -> int:
        """The descriptor, for select."""
        number: int = self._inner.fileno()
        return number

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send everything."""
        self._inner.settimeout(self.call.left(self.call.read))
        self.call.sent = True
        self._inner.sendall(data, flags)

    def makefile(self, mode: str = "rb", buffering: int | None = None) -> io.BufferedReader:
        """What http.client reads an answer from."""
        return io.BufferedReader(_TimedReader(self._inner, self.call), 1 << 16)


class _TimedReader(io.RawIOBase):
    """The reading side for one answer. Holds the socket open until it is closed itself, as socket.makefile does."""

    def __init__(self, inner: Any, call: Call) -> None:
        self._inner = inner
        self._raw = inner.makefile("rb", buffering=0)
        self._call = call

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read once."""
        self._inner.settimeout(self._call.left(self._call.read))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        """Let go of the socket."""
        if not self.closed:
            self._raw.close()
        super().close()


def _dial(connection: HTTPConnection) -> socket.socket:
    call: Call = CURRENT.call
    host, port = connection._dns_host, connection.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NameResolutionError(host, connection, socket.gaierror(str(type(error)))) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if call.vet is not None:
            call.vet(address)
    for number, address in enumerate(addresses, 1):
        try:
            sock = socket.create_connection((address, port), call.left(call.connect))
        except TimeoutError:
            raise ConnectTimeoutError(connection, "no answer") from None
        except OSError as error:
            if number == len(addresses):
                raise NewConnectionError(connection, type(error).__name__) from None
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise NewConnectionError(connection, "no address")


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _dial(self)

    def connect(self) -> None:
        super().connect()
        self.sock = TimedSocket(self.sock, CURRENT.call)

    def putrequest(self, *args: Any, **options: Any) -> None:
        _adopt(self.sock)
        super().putrequest(*args, **options)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _dial(self)

    def connect(self) -> None:
        super().connect()
        self.sock = TimedSocket(self.sock, CURRENT.call)

    def putrequest(self, *args: Any, **options: Any) -> None:
        _adopt(self.sock)
        super().putrequest(*args, **options)


def _adopt(sock: object) -> None:
    """A connection from the pool now works for the call of this thread."""
    if isinstance(sock, TimedSocket):
        sock.call = CURRENT.call


class PlainPool(HTTPConnectionPool):
    """Connections over plain HTTP."""

    ConnectionCls = _PlainConnection


class TlsPool(HTTPSConnectionPool):
    """Connections over TLS."""

    ConnectionCls = _TlsConnection

    def _validate_conn(self, conn: Any) -> None:
        """Connect. urllib3's own also warns when nothing is verified; who named that host is told by the plan."""
        if conn.is_closed:
            conn.connect()
