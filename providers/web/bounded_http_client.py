"""The HTTP client for any URL: bounded in time and size, credentials only as headers that the caller gives to a single
request.

Rules from spec 06 (Security). Any status is an answer, a redirect too; only what gave no answer raises. Error texts
name the host and the class of the reason, never a URL's query, a header or a server's words.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import planner
from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PermanentError, ProviderError
from providers.http.connect import ServerEndpoint, Vet
from providers.http.connections import HttpConnections
from providers.http.deadline import Deadline
from providers.http.errors import ConnectionBroken, ConnectionLostSafeToResend, UndecodableBody
from providers.http.exchange import HttpRequest
from providers.http.read_answer import HttpAnswer, HttpAnswerReader
from providers.http.tls import client_tls_context

USER_AGENT = f"hwplan/{planner.__version__}"
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_METHODS = _REPEATABLE | {"POST", "PATCH"}
_IDLE = 32
_SENT_AS_IS = "!$%&'()*+,/:;=?@[]~"  # everything else of printable ASCII is percent-encoded in a path or a query
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class HttpClientLimits:
    """Limits of HTTP requests: seconds to connect, for one read, and for the whole request; bytes of a body after
    decompression."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 120.0
    max_body: int = 16 << 20


class StreamedAnswer:
    """An answer whose body is read piece by piece while the `with` block of `BoundedHttpClient.stream` lasts."""

    def __init__(self, answer: HttpAnswerReader, request: HttpRequest) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._answer = answer
        self._request = request

    def pieces(self) -> Iterator[bytes]:
        """The body, unpacked. Raises TemporaryError (or OutcomeUnknown) when it breaks off, PermanentError when it is
        larger than `HttpClientLimits.max_body`."""
        try:
            yield from self._answer.pieces()
        except ConnectionBroken as error:
            raise _lost(error, self._request) from None


DEFAULT_LIMITS = HttpClientLimits()
QUESTION_LIMITS = HttpClientLimits(connect=5.0, read=10.0, total=15.0, max_body=1 << 20)  # one small answer, or none


class BoundedHttpClient:
    """Sends HTTP requests to any URL, within limits of time and size. Threads share one client, which uses its
    connections again.

    `insecure_hosts` are hosts (`name` or `name:port`) whose certificate is not verified: operator configuration only.
    `ca_file` replaces the trust of the system. Without `allow_plain` only https is spoken. `vet` judges every address
    that a name resolves to before it is connected to.
    """

    def __init__(
        self,
        limits: HttpClientLimits = DEFAULT_LIMITS,
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
        self._connections = HttpConnections(_IDLE)
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes = b"",
        limits: HttpClientLimits | None = None,
    ) -> HttpAnswer:
        """One request, one answer, body and all.

        Raises TemporaryError when no answer came, OutcomeUnknown when that was after sending a POST or PATCH, and
        PermanentError for a certificate that is not trusted, a body too large, a URL or header that is none.
        """
        with self.stream(method, url, headers, body, limits) as answer:
            return HttpAnswer(answer.status, answer.headers, b"".join(answer.pieces()))

    @contextmanager
    def stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes | Iterable[bytes] = b"",
        limits: HttpClientLimits | None = None,
    ) -> Iterator[StreamedAnswer]:
        """As `request`, the body read by `pieces()`. A `body` of pieces is sent with the Content-Length that the caller
        gives. What is not read to the end closes the connection."""
        bounds = limits or self._limits
        server = self._server(method, url)
        request = HttpRequest(method, _target(url), _head(url, headers), body, server.where)
        deadline = Deadline(time.monotonic() + bounds.total, bounds.connect, bounds.read)
        try:
            with self._connections.exchange(server, request, deadline, bounds.max_body) as answer:
                yield StreamedAnswer(answer, request)
        except ConnectionBroken as error:
            raise _lost(error, request) from None

    def close(self) -> None:
        """Close the idle connections; new ones are opened when it is used again."""
        self._connections.close()

    def _server(self, method: str, url: str) -> ServerEndpoint:
        """Whom a URL asks. Raises PermanentError for one that may not be asked."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise PermanentError("this is no URL") from None
        plain = all("!" <= char <= "~" for char in url)
        if method not in _METHODS or not plain or "@" in parts.netloc or not host:
            raise PermanentError("this is no URL that hwplan may ask")
        if parts.scheme == "http" and self._allow_plain:
            return ServerEndpoint(host, port or 80, where=parts.netloc, vet=self._vet)
        if parts.scheme != "https":
            raise PermanentError("only https is spoken here", where=host)
        verified = not self._insecure_hosts & {host, f"{host}:{port}", parts.netloc}
        return ServerEndpoint(host, port or 443, self._context(verified), where=parts.netloc, vet=self._vet)

    def _context(self, verified: bool) -> ssl.SSLContext:
        """The context for verified or for unverified connections; trust is loaded when it is first needed."""
        with self._lock:
            if verified not in self._contexts:
                self._contexts[verified] = self._new_context(verified)
            return self._contexts[verified]

    def _new_context(self, verified: bool) -> ssl.SSLContext:
        context = client_tls_context()
        if not verified:
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


def _target(url: str) -> str:
    parts = urlsplit(url)
    return quote(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", safe=_SENT_AS_IS)


def _head(url: str, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    own = {"Host": urlsplit(url).netloc, "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
    return tuple({**own, **headers}.items())


def _lost(error: ConnectionBroken, request: HttpRequest) -> ProviderError:
    """The deliberate error for a request that got no whole answer."""
    if isinstance(error, UndecodableBody) and request.method in _REPEATABLE:
        return PermanentError(error.reason, where=request.where, remedy=error.remedy)
    if error.before or request.method in _REPEATABLE:
        return ConnectionLostSafeToResend(f"no whole answer: {error.reason}", where=request.where)
    return OutcomeUnknown("the answer was lost", where=request.where, remedy="run it again: it reads first")
