"""An HTTP(S) proxy that fails requests by rule: status storms, requests that get lost, answers that get lost.

Owns what needs to know where a request begins and ends, which `proxy.py` does not. In front of HTTPS it ends TLS with a
certificate of the cluster's own authority and asks the server again over TLS, one connection each. HTTP/1.1 only, as
hwplan speaks it.
"""

import http.client
import http.server
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.testbed import listening
from tests.testbed.certificates import KeyPair

_RESET = struct.pack("ii", 1, 0)
_PIECE = 64 * 1024
_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}
Action = Literal["status", "answer", "lose-request", "cut-request", "lose-answer", "cut-answer"]


@dataclass
class Rule:
    """What happens to the next `times` requests that `matches` (method, path with query) says yes to.

    `status` answers with `code` without asking the server, `answer` with what `made` makes of the request's body.
    `lose-request` resets the connection before asking it, `cut-request` when the server has got half of the body,
    `lose-answer` after it has done the work, `cut-answer` in the middle of the body of its answer.
    """

    action: Action
    times: int = 1
    code: int = 503
    retry_after: int | None = None
    reason: str = ""
    made: Callable[[bytes], tuple[Mapping[str, str], bytes]] = field(default=lambda _body: ({}, b""))
    matches: Callable[[str, str], bool] = field(default=lambda _method, _path: True)


class HttpFaultProxy:
    """A listener on a free port of 127.0.0.1 in front of one server; `requests` records what came, in order; `bodies`
    does with what they carried.

    Without `pair` and `authority` both sides speak plain HTTP.
    """

    def __init__(self, url: str, pair: KeyPair | None = None, authority: Path | None = None) -> None:
        parts = urllib.parse.urlsplit(url)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 443)
        self.rules: list[Rule] = []
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[tuple[str, str, bytes]] = []
        self.port = 0
        self._lock = threading.Lock()
        self._running = ExitStack()
        self._trust = ssl.create_default_context(cafile=str(authority)) if authority else None
        self._identity: ssl.SSLContext | None = None
        if pair is not None:
            self._identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._identity.load_cert_chain(pair.certificate, pair.key)

    def __enter__(self) -> Self:
        server = _Server(_Handler, self._identity)
        server.proxy = self
        self.port = self._running.enter_context(listening.running(server))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def rule_for(self, method: str, path: str) -> Rule | None:
        """Record a request, and return the rule that it falls under, which it uses up by one."""
        with self._lock:
            self.requests.append((method, path))
            for rule in self.rules:
                if rule.times > 0 and rule.matches(method, path):
                    rule.times -= 1
                    return rule
        return None

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection to the server behind."""
        if self._trust is None:
            return http.client.HTTPConnection(*self.target, timeout=60)
        return http.client.HTTPSConnection(*self.target, timeout=60, context=self._trust)


class _Server(listening.HttpServer):
    proxy: HttpFaultProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: connections that break are this server's business."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.plain = self.request
        self.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.upstream: http.client.HTTPConnection | None = None
        super().setup()

    def finish(self) -> None:
        if self.upstream is not None:
            self.upstream.close()
        with suppress(OSError):
            super().finish()
        self.request.close()

    def log_message(self, *_: object) -> None:
        """Write no log."""

    def answer(self) -> None:
        """Handle one request, by rule or by asking the server."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the client is gone; the server would wait for the rest
            self.close_connection = True
            return
        rule = self.server.proxy.rule_for(self.command, self.path)
        if body:
            self.server.proxy.bodies.append((self.command, self.path, body))
        if rule is None:
            self._relay(self._ask(body), cut=False)
        elif rule.action == "status":
            self._refuse(rule)
        elif rule.action == "answer":
            self._answer(rule.code, *rule.made(body))
        elif rule.action == "lose-request":
            self._reset()
        elif rule.action == "cut-request":
            self._send_half(body)
            self._reset()
        else:
            answer = self._ask(body)
            if rule.action == "cut-answer":
                self._relay(answer, cut=True)
            else:
                answer.read()
            self._reset()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815

    def _ask(self, body: bytes) -> http.client.HTTPResponse:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        if self.upstream is None:
            self.upstream = self.server.proxy.connect()
        self.upstream.request(self.command, self.path, body or None, headers)
        return self.upstream.getresponse()

    def _send_half(self, body: bytes) -> None:
        """Give the server the head and half of the body, and hang up on it."""
        server = self.server.proxy.connect()
        server.putrequest(self.command, self.path, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {*_HOP, "host"}:
                server.putheader(name, value)
        server.endheaders(body[: len(body) // 2])
        server.close()

    def _relay(self, answer: http.client.HTTPResponse, *, cut: bool) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        bodyless = self.command == "HEAD" or answer.status in (204, 304)
        chunked = answer.getheader("Content-Length") is None and not bodyless
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while data := answer.read1(_PIECE):
            piece = data[: max(1, len(data) // 2)] if cut else data
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            if cut:
                return
        answer.close()  # `read1` leaves one of known length open, and the next answer would be refused
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, rule: Rule) -> None:
        body = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"%s","code":%d,"message":"testbed"}' % (
            rule.reason.encode(),
            rule.code,
        )
        headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
        self._answer(rule.code, {"Content-Type": "application/json", **headers}, body)

    def _answer(self, code: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            time.sleep(0.01)  # let what was written arrive: a reset may overtake it
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.request.close()
