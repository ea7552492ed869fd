"""The one HTTP client of hwplan, on urllib3: bounded in time and size, no redirects, no proxies or files of the
environment, credentials only as headers that the caller gives to a single request.

Rules from spec 06 (Security). Any status is an answer; only what gave no answer raises. Error texts name the host and
the class of the reason, never a URL's query, a header or a foreign exception's words.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as WaitedTooLong

import planner
from planner.errors import OutcomeUnknown, PermanentError, ProviderError, TemporaryError
from providers.web.connection import CURRENT, Call, PlainPool, TlsPool, Vet

USER_AGENT = f"hwplan/{planner.__version__}"
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_METHODS = _REPEATABLE | {"POST", "PATCH"}
_PIECE = 1 << 18
_MAX_HEAD = 64 << 10
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, for one read, and for the whole request; bytes of a body after decompression."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 120.0
    max_body: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any status. Names of headers are lower-case; a header that came twice is joined by a comma."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Streamed:
    """An answer whose body is read piece by piece while the `with` block of `WebClient.stream` lasts."""

    def __init__(self, response: urllib3.BaseHTTPResponse, request: _Request, limits: Limits) -> None:
        self.status = response.status
        self.headers = _headers(response, request)
        self._response = response
        self._request = request
        self._limits = limits

    def pieces(self) -> Iterator[bytes]:
        """The body, unpacked. Raises TemporaryError (or OutcomeUnknown) when it breaks off, PermanentError when it is
        larger than `Limits.max_body`."""
        total = 0
        unpack = "content-encoding" in self.headers
        while True:
            try:
                piece = self._response.read1(_PIECE, decode_content=unpack)
            except (HTTPError, OSError, ValueError) as error:
                raise self._request.failed(error) from None
            if not piece:
                return
            total += len(piece)
            if total > self._limits.max_body:
                raise PermanentError(
                    f"the answer is larger than {self._limits.max_body} bytes", where=self._request.host
                )
            yield piece


DEFAULT_LIMITS = Limits()


class WebClient:
    """Sends requests. Threads share one client; connections are kept and used again.

    `insecure_hosts` are hosts (`name` or `name:port`) whose certificate is not verified: operator configuration only.
    `ca_file` replaces the trust of the system. Without `allow_plain` only https is spoken. `vet` judges every address
    that a name resolves to before it is connected to.
    """

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        insecure_hosts: frozenset[str] = frozenset(),
        ca_file: Path | None = None,
        allow_plain: bool = True,
        vet: Vet | None = None,
    ) -> None:
        self._limits = limits
        self._insecure_hosts = insecure_hosts
        self._ca_file = ca_file
        self._allow_plain = allow_plain
        self._vet = vet
        self._managers: dict[str, urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes = b"",
        limits: Limits | None = None,
    ) -> Answer:
        """One request, one answer, body and all.

        Raises TemporaryError when no answer came, OutcomeUnknown when that was after sending a POST or PATCH, and
        PermanentError for a certificate that is not trusted, a body too large, a URL or header that is none.
        """
        with self.stream(method, url, headers, body or None, limits) as answer:
            return Answer(answer.status, answer.headers, b"".join(answer.pieces()))

    @contextmanager
    def stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes | Iterable[bytes] | None = None,
        limits: Limits | None = None,
    ) -> Iterator[Streamed]:
        """As `request`, the body read by `pieces()`. A `body` of pieces is sent with the Content-Length that the caller
        gives, else chunked. What is not read to the end closes the connection."""
        bounds = limits or self._limits
        call = Call(time.monotonic() + bounds.total, bounds.connect, bounds.read, self._vet)
        request = self._checked(method, url, call)
        response = self._send(request, {"User-Agent": USER_AGENT, **headers}, body)
        whole = False
        try:
            yield Streamed(response, request, bounds)
            whole = True
        finally:
            _finish(response, whole=whole)

    def close(self) -> None:
        """Close the idle connections; new ones are opened when it is used again."""
        with self._lock:
            managers = list(self._managers.values())
        for manager in managers:
            manager.clear()

    def _send(
        self, request: _Request, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None
    ) -> urllib3.BaseHTTPResponse:
        manager = self._manager(request)
        CURRENT.call = request.call
        timeout = urllib3.Timeout(connect=request.call.left(request.call.connect), read=request.call.read)
        try:
            return manager.urlopen(
                request.method,
                request.url,
                body=body,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=timeout,
            )
        except (HTTPError, OSError, ValueError) as error:
            raise request.failed(error) from None

    def _checked(self, method: str, url: str, call: Call) -> _Request:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise PermanentError("this is no URL") from None
        plain = all("!" <= char <= "~" for char in url)
        if method not in _METHODS or not plain or "@" in parts.netloc or not host:
            raise PermanentError("this is no URL that hwplan may ask")
        if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not self._allow_plain):
            raise PermanentError("only https is spoken here", where=host)
        trusted = not self._insecure_hosts & {host, f"{host}:{port}", parts.netloc}
        kind = "plain" if parts.scheme == "http" else "verified" if trusted else "unverified"
        return _Request(method, url, parts.netloc, kind, call)

    def _manager(self, request: _Request) -> urllib3.PoolManager:
        """The pools for plain, verified and unverified connections; trust is loaded when it is first needed."""
        with self._lock:
            if request.kind not in self._managers:
                context = None if request.kind == "plain" else self._context(request)
                manager = urllib3.PoolManager(num_pools=32, maxsize=8, retries=False, ssl_context=context)
                manager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
                self._managers[request.kind] = manager
            return self._managers[request.kind]

    def _context(self, request: _Request) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if request.kind == "unverified":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self._ca_file is not None:
            try:
                context.load_verify_locations(cafile=self._ca_file)
            except (OSError, ssl.SSLError):
                raise PermanentError("cannot read the certificate authorities", where=str(self._ca_file)) from None
        else:
            context.load_default_certs()
        return context


@dataclass(frozen=True, slots=True)
class _Request:
    """What errors need to know of a request."""

    method: str
    url: str
    host: str
    kind: str
    call: Call

    def failed(self, error: Exception) -> ProviderError:
        """The deliberate error for a request that got no whole answer."""
        if isinstance(error, NameResolutionError):
            return TemporaryError("its name is not known", where=self.host)
        if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
            return TemporaryError("no answer to the connection attempt", where=self.host)
        if isinstance(error, NewConnectionError):
            return TemporaryError("the connection was refused", where=self.host)
        if isinstance(error, SSLError | ssl.SSLError) and not self.call.sent:
            return self._tls_failed(error)
        if isinstance(error, ValueError) and not isinstance(error, HTTPError):
            return PermanentError("a header or the URL cannot be sent", where=self.host)
        reason = "time ran out" if isinstance(error, WaitedTooLong) or _late(self.call) else "it broke"
        if self.method in _REPEATABLE or not self.call.sent:
            return TemporaryError(f"no whole answer: {reason}", where=self.host)
        return OutcomeUnknown("the answer was lost", where=self.host, remedy="run it again: it reads first")

    def _tls_failed(self, error: Exception) -> ProviderError:
        cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
        match cause:
            case ssl.SSLCertVerificationError():
                remedy = "check the host name and the certificate authorities"
                return PermanentError("its certificate is not trusted", where=self.host, remedy=remedy)
            case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
                return TemporaryError("the connection broke in the TLS handshake", where=self.host)
            case _:
                return PermanentError("TLS failed", where=self.host, remedy="does this port speak TLS 1.2 or newer?")


def _late(call: Call) -> bool:
    return time.monotonic() >= call.deadline - 0.05


def _headers(response: urllib3.BaseHTTPResponse, request: _Request) -> Mapping[str, str]:
    found = {name.lower(): response.headers[name] for name in response.headers}
    if sum(len(name) + len(value) for name, value in found.items()) > _MAX_HEAD:
        raise PermanentError("the head of the answer is too large", where=request.host)
    return found


def _finish(response: urllib3.BaseHTTPResponse, *, whole: bool) -> None:
    """Give the connection back when nothing of the answer is left on it; else close it."""
    if not whole or (response.length_remaining not in (0, None)) or not _at_end(response):
        response.close()
    response.release_conn()


def _at_end(response: urllib3.BaseHTTPResponse) -> bool:
    inner = getattr(response, "_fp", None)
    return inner is None or inner.isclosed()
