"""TCP and HTTP listeners on 127.0.0.1 that run in threads of the test process, and how they end.

Owns the order of an ending: shut the listening socket down, join the thread that stands in `accept`, then close. The
other order is a fault that other tests pay for: when the process is stopped and continued the kernel restarts `accept`
with the number of the descriptor, which may by then be the listening socket of another server. `leftovers` finds what a
test left open.
"""

import http.server
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from providers.http.tls import ClosingTlsSocket

_JOIN = 10.0  # seconds for a thread whose sockets were shut down
_INTERNET = (socket.AF_INET, socket.AF_INET6)
LASTING = "lasting"  # the name of threads of parts that last for the session: `leftovers` does not count them


class Connections:
    """The accepted connections of one listener, each served by a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None], name: str | None = None) -> None:
        self._serve, self._name = serve, name
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()

    def start(self, peer: socket.socket) -> None:
        """Serve one connection in a new thread; it is closed when the thread ends."""
        thread = threading.Thread(target=self._run, args=(peer,), name=self._name, daemon=True)
        with self._lock:
            self._open[thread] = peer
        thread.start()

    def _run(self, peer: socket.socket) -> None:
        try:
            with suppress(OSError):
                self._serve(peer)
        finally:
            with self._lock:  # `end` must not shut down a descriptor that is closed here
                peer.close()
                self._open.pop(threading.current_thread(), None)

    def end(self) -> None:
        """Shut every open connection down and wait for its thread. Raises TimeoutError if a thread does not end."""
        with self._lock:
            threads = list(self._open)
            for peer in self._open.values():
                with suppress(OSError):  # past TLS, whose own state belongs to the thread
                    socket.socket.shutdown(peer, socket.SHUT_RDWR)
        for thread in threads:
            _join(thread)


@contextmanager
def listening(serve: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Listen on a free port, which is yielded, and call `serve` with each connection in a thread of its own.

    `serve` need not close the connection; an OSError ends that connection alone. The TLS handshake is part of `serve`'s
    first reading or writing.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    connections = Connections(serve)

    def accept() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError):  # the peer is gone already
                connections.start(_server_side(tls, peer))

    thread = threading.Thread(target=accept, name="listening", daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        _join(thread)
        listener.close()
        connections.end()


class JoinedThreads(socketserver.BaseServer):
    """Mixed into a server: a thread for each connection, all of which have ended when `server_close` returns."""

    def __init__(self, *arguments: Any, lasting: bool = False) -> None:
        self._connections = Connections(self._converse, LASTING if lasting else None)
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection in a thread of its own."""
        self._connections.start(request)

    def _converse(self, request: socket.socket) -> None:
        try:
            self.finish_request(request, ("127.0.0.1", 0))
        except Exception:
            self.handle_error(request, ("127.0.0.1", 0))
        finally:
            self.shutdown_request(request)

    def server_close(self) -> None:
        """Close the listening socket and end what is still connected."""
        super().server_close()
        self._connections.end()


class HttpServer(JoinedThreads, http.server.HTTPServer):
    """An HTTP server on a free port of 127.0.0.1, over TLS where a context is given; `lasting` for the session."""

    request_queue_size = 128

    def __init__(
        self,
        handler: type[http.server.BaseHTTPRequestHandler],
        tls: ssl.SSLContext | None = None,
        *,
        lasting: bool = False,
    ) -> None:
        super().__init__(("127.0.0.1", 0), handler, lasting=lasting)
        self._tls = tls

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; the TLS handshake is left to the thread that serves it."""
        peer, address = super().get_request()
        return _server_side(self._tls, peer), address


@contextmanager
def running(server: socketserver.TCPServer) -> Iterator[int]:
    """Run a server until the block ends; its port is yielded."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="listening", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        _join(thread)
        server.server_close()


@contextmanager
def http_listening(
    handler: type[http.server.BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Serve HTTP with a handler until the block ends; its port is yielded."""
    with running(HttpServer(handler, tls)) as port:
        yield port


def _server_side(tls: ssl.SSLContext | None, peer: socket.socket) -> socket.socket:
    """The connection, over TLS where a context is given. Raises OSError, all closed, when the peer is gone."""
    if tls is None:
        return peer
    tls.sslsocket_class = ClosingTlsSocket
    return tls.wrap_socket(peer, server_side=True, do_handshake_on_connect=False)


def _join(thread: threading.Thread) -> None:
    thread.join(_JOIN)
    if thread.is_alive():
        raise TimeoutError(f"{thread.name} of the test did not end within {_JOIN:.0f} s")


def listening_ports() -> frozenset[int]:
    """The TCP ports on which this process listens, from /proc; empty where there is no /proc.

    Asks the sockets themselves: the tables in /proc/net take the kernel 8 ms to list, twice for every test.
    """
    ports = (_listening_port(fd) for fd, name in _descriptors() if name.startswith("socket:["))
    return frozenset(port for port in ports if port is not None)


def _listening_port(fd: int) -> int | None:
    """The port of a descriptor that is a listening TCP socket. None for others, and for what is closed by now."""
    try:
        one = socket.socket(fileno=fd)
    except OSError:
        return None
    try:
        if one.family not in _INTERNET or not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return None
        return int(one.getsockname()[1])
    except OSError:
        return None
    finally:
        one.detach()  # the descriptor belongs to whoever opened it


def _descriptors() -> Iterator[tuple[int, str]]:
    with suppress(OSError):
        for entry in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                yield int(entry.name), str(entry.readlink())


def leftovers(threads: frozenset[threading.Thread], ports: frozenset[int], patience: float = 3.0) -> list[str]:
    """What runs or listens now beyond `threads` and `ports`, after at most `patience` seconds of waiting."""
    until = time.monotonic() + patience
    while True:
        new = [one for one in threading.enumerate() if one not in threads and not one.name.startswith(LASTING)]
        found = [f"thread {one.name}" for one in new if one.is_alive()]
        found += [f"listening socket on port {port}" for port in sorted(listening_ports() - ports)]
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.02)
