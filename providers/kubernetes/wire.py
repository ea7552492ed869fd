"""One exchange of HTTP/1.1 with an API server: sockets, TLS, the pool of idle connections.

Owns what http.client leaves open: a deadline over the whole answer, noticing that an idle connection was closed, and
telling "nothing was sent" from "the answer was lost". Reads by wire_reading. Decides nothing about retries.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import socket
import ssl
import threading
import time
import urllib.parse
import weakref
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.client import SWITCHING_PROTOCOLS, HTTPException, HTTPResponse
from pathlib import Path

import planner
from planner.errors import HwplanError, ProviderError
from planner.redaction import GUARD
from providers.kubernetes.errors import Unauthorized, Unreachable, Untrusted
from providers.kubernetes.kubeconfig import Connection, Credentials
from providers.kubernetes.tls import client_context, through_proxy
from providers.kubernetes.wire_reading import Answer, Bytewise, Timed, lower, read_answer

USER_AGENT = f"hwplan/{planner.__version__}"
_TOKEN_SECONDS = 60.0  # how long a token read from a file is used
_IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect and for one read (a PATCH may take the server 34 s), and bytes of an answer, decompressed."""

    connect: float = 5.0
    read: float = 40.0
    answer: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `path` starts with / and is quoted; `where` names the object in errors.

    `effect` says that it may change something, `repeatable` that sending it twice does no more than once.
    """

    method: str
    path: str
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    accept: str = "application/json"
    where: str = ""
    effect: bool = False
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A connection that speaks another protocol now. It is the caller's to close; nothing of that protocol was read."""

    sock: socket.socket
    headers: Mapping[str, str]


class Lost(Exception):
    """The connection broke. `before` is true when the request cannot have reached the server whole, `stale` when the
    connection came from the pool and broke before the first byte of the answer. Never leaves the transport."""

    def __init__(self, reason: str, *, before: bool, stale: bool) -> None:
        super().__init__(reason)
        self.reason, self.before, self.stale = reason, before, stale


class Pool:
    """At most `size` connections to the server of `connection`, reused while they live."""

    def __init__(self, connection: Connection, size: int, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._slots = threading.BoundedSemaphore(size)
        self._idle: deque[tuple[socket.socket, float]] = deque()
        self._lock = threading.Lock()
        self._url = urllib.parse.urlsplit(connection.server)
        self._context = client_context(connection) if self._url.scheme == "https" else None
        self._host = connection.host
        self._token = ("", 0.0)
        self._gzip = self._url.hostname not in (
            "127.0.0.1",
            "::1",
            "localhost",
        )  # nearby, packing costs more than it saves
        self.opened = 0
        self.generation = 0  # of the credentials
        weakref.finalize(self, _close, self._idle)

    def exchange(self, request: Request, deadline: float) -> Answer:
        """Send, and read the answer until `deadline` (monotonic).

        Raises Unreachable, Untrusted, Unauthorized, TooLarge, Lost.
        """
        with self._slots:
            sock, reused = self._take(deadline)
            try:
                answer, keep = self._exchange(sock, reused, request, deadline)
            except BaseException:
                sock.close()
                raise
            if keep:
                self._idle.append((sock, time.monotonic()))
            else:
                sock.close()
            return answer

    def upgrade(self, request: Request, headers: Sequence[tuple[str, str]], deadline: float) -> Upgraded | Answer:
        """Ask, with these `headers` besides, to speak another protocol; the answer when the server does not want to.

        The connection is a new one and is not counted among those of the pool: it may live for minutes.
        Raises Unreachable, Untrusted, Unauthorized, TooLarge, Lost.
        """
        sock = self._open(deadline)
        try:
            answer = self._upgrade(sock, request, headers, deadline)
        except BaseException:
            sock.close()
            raise
        if isinstance(answer, Answer):
            sock.close()
        return answer

    def renew(self, generation: int) -> bool:
        """New credentials from the connection's own source, or from its token file; False when there is none.

        `generation` is that of the credentials that were refused: when they were renewed since, nothing is done.
        """
        with self._lock:
            if generation != self.generation:
                return True
            self._token = ("", 0.0)
            if self._connection.renew is None:
                return bool(self._connection.credentials.token_file)
            try:
                credentials = self._connection.renew()
            except HwplanError as error:
                raise Unauthorized(error.message, where=error.where, remedy=error.remedy) from None
            self._connection = replace(self._connection, credentials=credentials)
            if self._context is not None:
                self._context = client_context(self._connection)
            self.generation += 1  # last, so that nobody takes the old credentials for the new ones
        self.close()
        return True

    def close(self) -> None:
        """Close idle connections."""
        _close(self._idle)

    # --- connections ---------------------------------------------------------------------------------------------

    def _take(self, deadline: float) -> tuple[socket.socket, bool]:
        while True:
            try:
                sock, since = self._idle.pop()
            except IndexError:
                return self._open(deadline), False
            if time.monotonic() - since < _IDLE_SECONDS and _alive(sock):
                return sock, True
            sock.close()

    def _open(self, deadline: float) -> socket.socket:
        host, port = self._url.hostname or "", self._url.port or (443 if self._context else 80)
        budget = max(min(self._limits.connect, deadline - time.monotonic()), 0.01)
        try:
            sock = self._dial(host, port, budget)
        except TimeoutError:
            raise self._unreachable("no answer to the connection attempt") from None
        except socket.gaierror:
            raise self._unreachable("its name is not known") from None
        except OSError as error:
            raise self._unreachable(os.strerror(error.errno) if error.errno else "the proxy refused") from None
        if self._context is not None:
            sock = self._handshake(self._context, sock, self._connection.tls_server_name or host)
        with self._lock:
            self.opened += 1
        return sock

    def _dial(self, host: str, port: int, budget: float) -> socket.socket:
        if self._connection.proxy:
            return through_proxy(self._connection.proxy, host, port, budget)
        sock = socket.create_connection((host, port), budget)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return sock

    def _handshake(self, context: ssl.SSLContext, plain: socket.socket, name: str) -> ssl.SSLSocket:
        try:
            return context.wrap_socket(plain, server_hostname=name)
        except BaseException as error:
            plain.close()
            raise self._refused(error) from None

    def _refused(self, error: BaseException) -> BaseException:
        where = self._connection.host
        match error:
            case ssl.SSLCertVerificationError():
                remedy = "check certificate-authority and tls-server-name of the kubeconfig"
                return Untrusted(f"its certificate is not trusted: {error.verify_message}", where=where, remedy=remedy)
            case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
                return self._unreachable("the connection broke in the TLS handshake")
            case ssl.SSLError():
                return Untrusted(f"TLS failed: {error.reason or 'no reason given'}", where=where)
            case OSError():
                return self._unreachable("the connection broke in the TLS handshake")
            case _:
                return error

    def _unreachable(self, reason: str) -> Unreachable:
        remedy = "check the server of the kubeconfig, and that it runs"
        return Unreachable(f"cannot reach the API server: {reason}", where=self._connection.host, remedy=remedy)

    # --- one exchange --------------------------------------------------------------------------------------------

    def _exchange(self, sock: socket.socket, reused: bool, request: Request, deadline: float) -> tuple[Answer, bool]:
        timed = Timed(sock, self._limits.read, deadline)
        data = self._bytes(request)
        try:
            sock.settimeout(timed.left())
            sock.sendall(data)
        except OSError as error:
            raise _lost(error, before=True, stale=reused) from None
        response = HTTPResponse(timed, method=request.method)  # type: ignore[arg-type]  # needs makefile only
        try:
            response.begin()
            answer = read_answer(response, self._limits.answer, request.where)
        except (OSError, HTTPException, zlib.error, ValueError) as error:
            raise _lost(error, before=False, stale=reused and not timed.received) from None
        return answer, not response.will_close

    def _upgrade(
        self, sock: socket.socket, request: Request, headers: Sequence[tuple[str, str]], deadline: float
    ) -> Upgraded | Answer:
        timed = Bytewise(sock, self._limits.read, deadline)
        data = self._bytes(request, headers)
        try:
            sock.settimeout(timed.left())
            sock.sendall(data)
        except OSError as error:
            raise _lost(error, before=True, stale=False) from None
        response = HTTPResponse(timed, method=request.method)  # type: ignore[arg-type]  # needs makefile only
        try:
            response.begin()
            if response.status == SWITCHING_PROTOCOLS:
                return Upgraded(sock, lower(response))
            response.fp = io.BufferedReader(timed)
            return read_answer(response, self._limits.answer, request.where)
        except (OSError, HTTPException, zlib.error, ValueError) as error:
            raise _lost(error, before=False, stale=False) from None

    def _bytes(self, request: Request, more: Sequence[tuple[str, str]] = ()) -> bytes:
        """Head and body in one piece. No part can hold a line break: paths are quoted, credentials were checked."""
        lines = [f"{request.method} {self._url.path}{request.path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in (*self._headers(request), *more)]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + request.body

    def _headers(self, request: Request) -> Iterator[tuple[str, str]]:
        yield "Accept", request.accept
        yield "Accept-Encoding", "gzip" if self._gzip else "identity"
        yield "User-Agent", USER_AGENT
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            yield "Content-Type", request.content_type or "application/json"
            yield "Content-Length", str(len(request.body))
        credentials = self._connection.credentials
        if authorization := credentials.authorization or self._from_file(credentials):
            yield "Authorization", authorization
        yield from credentials.impersonate

    def _from_file(self, credentials: Credentials) -> str:
        if not credentials.token_file:
            return ""
        header, since = self._token
        if not header or time.monotonic() - since > _TOKEN_SECONDS:
            try:
                token = Path(credentials.token_file).read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError):
                raise Unauthorized("cannot read the token file", where=credentials.token_file) from None
            if not token or any(not "!" <= character <= "~" for character in token):
                raise Unauthorized("this is no token", where=credentials.token_file)
            GUARD.learn(token.encode())
            header = f"Bearer {token}"
            self._token = (header, time.monotonic())
        return header


def _close(idle: deque[tuple[socket.socket, float]]) -> None:
    while idle:
        with contextlib.suppress(IndexError):  # another thread took the last one
            idle.pop()[0].close()


def _alive(sock: socket.socket) -> bool:
    """Whether an idle connection is still open: a closed one is readable (end of file)."""
    try:
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return not poll.poll(0)
    except (OSError, ValueError):
        return False


def _lost(error: Exception, *, before: bool, stale: bool) -> ProviderError | Lost:
    """What a broken exchange means. TLS alerts that come with the first read say why the handshake was refused."""
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        return Untrusted(f"TLS failed: {error.reason}", remedy="check the client certificate of the kubeconfig")
    reason = "time ran out" if isinstance(error, TimeoutError) else type(error).__name__
    return Lost(reason, before=before, stale=stale and not isinstance(error, TimeoutError))
