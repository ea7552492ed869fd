"""Opening one connection: names to addresses, TCP, TLS, and what each failure means. Sends nothing over it."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import field
from typing import TypeAlias

from planner.dataclass import dataclass
from planner.errors import ProviderError
from providers.http.deadline import Deadline
from providers.http.errors import TlsFailed, Unreachable, UntrustedServerCertificate

Vet: TypeAlias = Callable[[str], None]  # gets an address in text form; raises ProviderError to refuse it
Tunnel: TypeAlias = Callable[[str, int, float], socket.socket]  # host, port, seconds


@dataclass(frozen=True, slots=True)
class ServerEndpoint:
    """Where a connection leads. `context` is None for plain HTTP; `certificate_name` is what the certificate has to be
    for, the host if empty; `where` names the server in errors.

    `vet` judges every address that the name resolves to before one is connected to, and those are connected to which
    it saw, so that a name cannot answer twice and differently. `tunnel` connects in its own way, through a proxy.
    """

    host: str
    port: int
    context: ssl.SSLContext | None = None
    certificate_name: str = ""
    where: str = field(default="", compare=False)
    vet: Vet | None = field(default=None, compare=False)
    tunnel: Tunnel | None = field(default=None, compare=False)


def open_connection(server: ServerEndpoint, deadline: Deadline) -> socket.socket:
    """A new connection, the TLS handshake done. Raises Unreachable, UntrustedServerCertificate, and what `server.vet`
    raises."""
    try:
        if server.tunnel is None:
            sock = _dial(server, deadline)
        else:
            sock = server.tunnel(server.host, server.port, deadline.left_to_connect())
    except TimeoutError:
        raise Unreachable("no answer to the connection attempt", where=server.where) from None
    except (socket.gaierror, UnicodeError):
        raise Unreachable("its name is not known", where=server.where) from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "the proxy refused"
        raise Unreachable(reason, where=server.where) from None
    return sock if server.context is None else _handshake(server.context, sock, server)


def _dial(server: ServerEndpoint, deadline: Deadline) -> socket.socket:
    found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    if server.vet is not None:
        for address in addresses:
            server.vet(address)
    failed: OSError = socket.gaierror()
    for address in addresses:
        try:
            sock = socket.create_connection((address, server.port), deadline.left_to_connect())
        except OSError as error:
            failed = error
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return sock
    raise failed


def _handshake(context: ssl.SSLContext, plain: socket.socket, server: ServerEndpoint) -> socket.socket:
    try:
        return context.wrap_socket(plain, server_hostname=server.certificate_name or server.host.rstrip("."))
    except BaseException as error:
        plain.close()
        if isinstance(error, OSError | ValueError):  # ValueError: a name that no certificate can be for
            raise _handshake_error(error, server.where) from None
        raise


def _handshake_error(error: Exception, where: str) -> ProviderError:
    match error:
        case ssl.SSLCertVerificationError():
            remedy = "check the host name and the certificate authorities"
            reason = f"its certificate is not trusted: {error.verify_message}"
            return UntrustedServerCertificate(reason, where=where, remedy=remedy)
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            reason = f"TLS failed: {error.reason or 'no reason given'}"
            return TlsFailed(reason, where=where, remedy="does this port speak TLS 1.2 or newer?")
        case ValueError():
            return TlsFailed("TLS failed: its name can be in no certificate", where=where)
        case _:
            return Unreachable("the connection broke in the TLS handshake", where=where)
