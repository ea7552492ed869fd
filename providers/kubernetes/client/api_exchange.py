"""One exchange with an API server: its requests with our credentials in them, over connections of providers.http.

Owns the bound on parallel connections, the renewal of credentials, and what the kubeconfig has to do with a failure.
Decides nothing about retries.
"""

from __future__ import annotations

import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from functools import partial
from pathlib import Path

import planner
from planner.dataclass import dataclass
from planner.errors import HwplanError
from planner.redaction.redactor import REDACTOR
from providers.http.connect import ServerEndpoint
from providers.http.connections import HttpConnections, UpgradedConnection
from providers.http.deadline import Deadline
from providers.http.errors import ClientCertificateRefused, Unreachable, UntrustedServerCertificate
from providers.http.exchange import HttpRequest
from providers.http.read_answer import HttpAnswer
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings, Credentials
from providers.kubernetes.client.tls import kubeconfig_tls_context, open_proxy_tunnel
from providers.kubernetes.errors import Unauthorized

USER_AGENT = f"hwplan/{planner.__version__}"
_TOKEN_SECONDS = 60.0  # how long a token read from a file is used
_NEARBY = ("127.0.0.1", "::1", "localhost")  # there, packing costs more than it saves


@dataclass(frozen=True, slots=True)
class ApiExchangeLimits:
    """Seconds to connect and for one read (a PATCH may take the server 34 s), and bytes of an answer, decompressed."""

    connect: float = 5.0
    read: float = 40.0
    answer: int = 256 << 20


@dataclass(frozen=True, slots=True)
class ApiRequest:
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


class ConnectionPool:
    """At most `size` connections to the server of `connection`, reused while they live."""

    def __init__(self, connection: ApiServerConnectionSettings, size: int, limits: ApiExchangeLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._slots = threading.BoundedSemaphore(size)
        self._connections = HttpConnections(size)
        self._lock = threading.Lock()
        self._url = urllib.parse.urlsplit(connection.server)
        self._host = connection.host
        self._server = self._with_credentials()
        self._token = ("", 0.0)
        self._encoding = "identity" if self._url.hostname in _NEARBY else "gzip"
        self.generation = 0  # of the credentials

    @property
    def opened(self) -> int:
        """Connections opened since the start."""
        return self._connections.opened

    def exchange(self, request: ApiRequest, until: float) -> HttpAnswer:
        """Send, and read the answer until then (monotonic).

        Raises Unreachable, UntrustedServerCertificate, Unauthorized, TooLarge, ConnectionBroken.
        """
        with self._slots, _errors_of_kubeconfig():
            sent, deadline = self._request(request), self._deadline(until)
            with self._connections.exchange(self._server, sent, deadline, self._limits.answer) as answer:
                return answer.whole()

    def upgrade(
        self, request: ApiRequest, headers: Sequence[tuple[str, str]], until: float
    ) -> UpgradedConnection | HttpAnswer:
        """Ask, with these `headers` besides, to speak another protocol; the answer when the server does not want to.

        The connection is a new one and is not counted among those of the pool: it may live for minutes.
        Raises as `exchange`.
        """
        with _errors_of_kubeconfig():
            sent, deadline = self._request(request, headers), self._deadline(until)
            return self._connections.upgrade(self._server, sent, deadline, self._limits.answer)

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
            self._server = self._with_credentials()
            self.generation += 1  # last, so that nobody takes the old credentials for the new ones
        self.close()
        return True

    def close(self) -> None:
        """Close idle connections."""
        self._connections.close()

    def _with_credentials(self) -> ServerEndpoint:
        """The server, with the client certificate of today."""
        given = self._connection
        context = kubeconfig_tls_context(given) if self._url.scheme == "https" else None
        return ServerEndpoint(
            host=self._url.hostname or "",
            port=self._url.port or (443 if context else 80),
            context=context,
            certificate_name=given.tls_server_name,
            where=given.host,
            tunnel=partial(open_proxy_tunnel, given.proxy) if given.proxy else None,
        )

    def _deadline(self, until: float) -> Deadline:
        return Deadline(until, self._limits.connect, self._limits.read)

    def _request(self, request: ApiRequest, more: Sequence[tuple[str, str]] = ()) -> HttpRequest:
        headers = (("Host", self._host), *self._headers(request), *more)
        return HttpRequest(request.method, f"{self._url.path}{request.path}", headers, request.body, request.where)

    def _headers(self, request: ApiRequest) -> Iterator[tuple[str, str]]:
        yield "Accept", request.accept
        yield "Accept-Encoding", self._encoding
        yield "User-Agent", USER_AGENT
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            yield "Content-Type", request.content_type or "application/json"
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
            REDACTOR.learn(token.encode())
            header = f"Bearer {token}"
            self._token = (header, time.monotonic())
        return header


@contextmanager
def _errors_of_kubeconfig() -> Iterator[None]:
    """Failures of the connection name what of the kubeconfig has to do with them."""
    try:
        yield
    except UntrustedServerCertificate as error:
        error.remedy = "check certificate-authority and tls-server-name of the kubeconfig"
        raise
    except ClientCertificateRefused as error:
        error.remedy = "check the client certificate of the kubeconfig"
        raise
    except Unreachable as error:
        remedy = "check the server of the kubeconfig, and that it runs"
        reason = f"cannot reach the API server: {error.message}"
        raise Unreachable(reason, where=error.where, remedy=remedy) from None
