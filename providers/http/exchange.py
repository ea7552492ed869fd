"""One request over one connection, up to the head of its answer: what is sent, and what a break means.

Owns telling "it did not reach the server whole" from "the answer was lost". Decides nothing about retries.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import field

from planner.dataclass import dataclass
from planner.errors import PermanentError
from providers.http.deadline import Deadline, DeadlineReader
from providers.http.errors import BrokenAnswer, ClientCertificateRefused, ConnectionBroken
from providers.http.response import HttpResponse

_TARGET = re.compile(r"/[!-~]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110, 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it is sent: `target` is path and query, quoted. A `body` of pieces needs a Content-Length among the
    headers; for one of bytes it is added. `where` names in errors what is asked for.

    Raises PermanentError for a target or a header that cannot be sent: none of them breaks a line.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | Iterable[bytes] = field(default=b"", repr=False)
    where: str = ""

    def __post_init__(self) -> None:
        named = all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in self.headers)
        if not named or not _TARGET.fullmatch(self.target):
            raise PermanentError("a header or the URL cannot be sent", where=self.where)

    def parts(self) -> Iterator[bytes]:
        """What goes over the wire; head and body in one piece where the body is bytes."""
        if isinstance(self.body, bytes):
            yield self._head(*self._length(self.body)) + self.body
        else:
            yield self._head()
            yield from self.body

    def _head(self, *more: str) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers), *more]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _length(self, body: bytes) -> Iterator[str]:
        given = any(name.lower() == "content-length" for name, _ in self.headers)
        if not given and (body or self.method in ("POST", "PUT", "PATCH")):
            yield f"Content-Length: {len(body)}"


def begin_exchange(
    sock: socket.socket, request: HttpRequest, reader: DeadlineReader, deadline: Deadline, *, reused: bool = False
) -> HttpResponse:
    """Send a request, and read the head of the answer by `reader`.

    Raises ConnectionBroken, ClientCertificateRefused, and what the pieces of its body raise.
    """
    cut_off = _send(sock, request, deadline, reused)
    try:
        response = HttpResponse(reader, request.method)
    except (OSError, BrokenAnswer) as error:
        raise error_of_broken_exchange(error, before=cut_off, stale=reused and not reader.received) from None
    response.closes |= cut_off
    return response


def _send(sock: socket.socket, request: HttpRequest, deadline: Deadline, reused: bool) -> bool:
    """Whether the server stopped listening before it had everything: then it may have answered already."""
    for data in request.parts():  # what a body's own source raises is none of the connection's errors
        try:
            sock.settimeout(deadline.left())
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return True
        except OSError as error:
            raise error_of_broken_exchange(error, before=True, stale=reused) from None
    return False


def error_of_broken_exchange(
    error: Exception, *, before: bool, stale: bool = False
) -> ClientCertificateRefused | ConnectionBroken:
    """What a broken exchange means. TLS alerts that come with the first read say why the handshake was refused."""
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        return ClientCertificateRefused(f"TLS failed: {error.reason}", remedy="check the client certificate")
    return ConnectionBroken(_reason(error), before=before, stale=stale and not isinstance(error, TimeoutError))


def _reason(error: Exception) -> str:
    if isinstance(error, BrokenAnswer):
        return str(error)
    if isinstance(error, TimeoutError):
        return "time ran out"
    return "the server reset it" if isinstance(error, ConnectionResetError) else type(error).__name__
