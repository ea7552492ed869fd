"""The fault proxies of the testbed: each fault is what it is called, to the byte."""

import http.client
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.testbed.api import Api, ApiError
from tests.testbed.cluster import TestCluster
from tests.testbed.http_proxy import HttpFaultProxy, Rule
from tests.testbed.proxy import FaultProxy, Faults


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def test_latency_is_added_both_ways(api_server: TestCluster, fault_proxy: FaultProxy) -> None:
    api = api_server.through(fault_proxy.port).api()
    api.get("/version")
    fault_proxy.faults = Faults(latency=0.1)
    began = time.monotonic()
    api.get("/version")
    assert 0.4 <= time.monotonic() - began < 2.0  # TLS takes one more round trip than the request


@pytest.fixture
def sender() -> Iterator[str]:
    """The URL of a server that sends 100,000 bytes to everyone, then waits for the end of what it is sent."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.sendall(b"x" * 100_000)
                while self.request.recv(1000):
                    pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def accepts_bytes(connection: socket.socket) -> bool:
    """Say whether the other end is still there to be written to."""
    with suppress(OSError):
        for _ in range(10):
            connection.sendall(b"x")
            time.sleep(0.05)
        return True
    return False


def receive(connection: socket.socket) -> tuple[int, str]:
    """Return how many bytes came, and how it ended."""
    received = 0
    while True:
        try:
            data = connection.recv(1000)
        except OSError as error:
            return received, type(error).__name__
        if not data:
            return received, "end"
        received += len(data)


@pytest.mark.parametrize(
    ("faults", "received", "end", "writable"),
    [
        (Faults(refuse=True), 0, "ConnectionResetError", False),
        (Faults(reset_after=3000), 3000, "ConnectionResetError", False),
        (Faults(cut_after=3000), 3000, "end", False),
        (Faults(half_close_after=3000), 3000, "end", True),
        (Faults(black_hole=True), 0, "TimeoutError", True),
        (Faults(refuse=True, count=0), 100_000, "TimeoutError", True),
    ],
    ids=["refuse", "reset", "cut", "half-close", "black-hole", "healthy"],
)
def test_connections_end_at_the_byte(sender: str, faults: Faults, received: int, end: str, writable: bool) -> None:
    with FaultProxy.before(sender, faults) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.settimeout(0.5)
        assert receive(connection) == (received, end)
        assert accepts_bytes(connection) == writable
        assert proxy.traffic.down == received


@pytest.mark.parametrize(
    "faults",
    [Faults(reset_after=3000), Faults(reset_after_up=600), Faults(cut_after=20000), Faults(black_hole=True)],
    ids=["reset", "reset-up", "cut", "black-hole"],
)
def test_requests_break_through_the_proxy(api_server: TestCluster, fault_proxy: FaultProxy, faults: Faults) -> None:
    through = api_server.through(fault_proxy.port)
    api = Api(through.server, through.ca, through.token, timeout=0.5)
    fault_proxy.faults = faults
    with pytest.raises((http.client.IncompleteRead, OSError)):
        api.get("/openapi/v2")
    fault_proxy.faults = Faults()
    assert api.get("/version")["major"] == "1"


def test_requests_fail_by_rule(api_server: TestCluster, api_namespace: str, tmp_path: Path) -> None:
    pair = api_server.authority.server(tmp_path, "proxy")
    path = f"/api/v1/namespaces/{api_namespace}/configmaps"
    with HttpFaultProxy(api_server.server, pair, api_server.ca) as proxy:
        api = api_server.through(proxy.port).api()
        proxy.rules = [
            Rule("status", times=2, code=429, retry_after=1, reason="TooManyRequests"),
            Rule("lose-answer", matches=lambda method, _path: method == "POST"),
            Rule("lose-request", matches=lambda method, _path: method == "DELETE"),
            Rule("cut-answer", matches=lambda method, path: method == "GET" and path.endswith("/a")),
        ]
        for _ in range(2):
            with pytest.raises(ApiError, match="429 TooManyRequests"):
                api.get(path)
        for method, target, body in (
            ("POST", path, config_map("a")),
            ("DELETE", f"{path}/a", None),
            ("GET", f"{path}/a", None),
        ):
            with pytest.raises((OSError, http.client.HTTPException)):
                api.request(method, target, body)
        assert api.get(f"{path}/a")["metadata"]["name"] == "a"
        assert len(proxy.requests) == 6
