"""Connects standard input and output with HOST:PORT through an HTTP proxy (CONNECT): the ProxyCommand of our ssh.

    python -m providers.git.ssh_proxy_tunnel PROXY_HOST PROXY_PORT HOST PORT

Started once per connection, so it imports next to nothing. Speaks plain HTTP to the proxy and gives it no credentials.
On failure it says one line, `hwplan-connect: ...`, and ends with code 1 (a proxy that cannot be used now) or 2 (one
that refuses us, where another try changes nothing). RFC 9110, section 9.3.6.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

SECONDS = 15.0  # to connect, and again until the proxy has answered
MOST_HEADER = 16 * 1024
_PIECE = 64 * 1024
_REFUSALS = (401, 403, 405, 407)


class TunnelError(Exception):
    """The tunnel could not be made. `code` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def open_http_proxy_tunnel(proxy: tuple[str, int], target: tuple[str, int]) -> tuple[socket.socket, bytes]:
    """Open a tunnel through an HTTP proxy (CONNECT): a socket that leads to `target`, and what came of it already.
    Raises TunnelError."""
    try:
        connection = socket.create_connection(proxy, timeout=SECONDS)
    except OSError:
        raise TunnelError("the proxy cannot be reached") from None
    try:
        name = f"{target[0]}:{target[1]}"
        connection.sendall(f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode("ascii"))
        rest = _answer(connection)
        connection.settimeout(None)
        return connection, rest
    except TimeoutError:
        connection.close()
        raise TunnelError("the proxy does not answer") from None
    except OSError:
        connection.close()
        raise TunnelError("the proxy closed the connection") from None
    except TunnelError:
        connection.close()
        raise


def _answer(connection: socket.socket) -> bytes:
    """Read the header of the answer; gives the bytes after it."""
    data = b""
    while b"\r\n\r\n" not in data:
        if len(data) > MOST_HEADER:
            raise TunnelError("the proxy sent too long a header", 2)
        piece = connection.recv(4096)
        if not piece:
            raise TunnelError("the proxy closed the connection")
        data += piece
    header, _, rest = data.partition(b"\r\n\r\n")
    words = header.split(b"\r\n", 1)[0].split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or len(words[1]) != 3 or not words[1].isdigit():
        raise TunnelError("the proxy does not speak HTTP", 2)
    status = int(words[1])
    if not 200 <= status < 300:
        raise TunnelError(f"the proxy answered {status}", 2 if status in _REFUSALS else 1)
    return rest


def copy_both_ways(connection: socket.socket, rest: bytes) -> None:
    """Carry bytes both ways until the other side ends. A closed standard input ends only the way out."""
    _write_all(rest)
    threading.Thread(target=_send, args=(connection,), daemon=True).start()
    while piece := connection.recv(_PIECE):
        _write_all(piece)


def _send(connection: socket.socket) -> None:
    try:
        while piece := os.read(0, _PIECE):
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other way ends too then, and says so


def _write_all(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def run_ssh_proxy_command(arguments: list[str]) -> int:
    """Connect standard input and output through the proxy that `arguments` name; the exit code."""
    if len(arguments) != 4 or not (arguments[1].isdigit() and arguments[3].isdigit()):
        os.write(2, b"hwplan-connect: expected PROXY_HOST PROXY_PORT HOST PORT\n")
        return 2
    proxy_host, proxy_port, host, port = arguments
    try:
        copy_both_ways(*open_http_proxy_tunnel((proxy_host, int(proxy_port)), (host, int(port))))
    except TunnelError as error:
        os.write(2, f"hwplan-connect: {error}\n".encode())
        return error.code
    except OSError:
        return 1
    return 0


if __name__ == "__main__":
    code = run_ssh_proxy_command(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # not held up by the thread that still reads standard input
