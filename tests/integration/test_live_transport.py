"""What the transport of the live cluster sends and takes, against scripted servers and proxies."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from planner.errors import OutcomeUnknown
from providers.kubernetes import errors
from providers.kubernetes.client.api_exchange import ApiExchangeLimits, ApiRequest
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings, Credentials
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.client.transport import RetryTimeLimits, Transport
from tests.integration.live_cluster_world import CONFIG_MAP, connection_with
from tests.testbed.cluster import TestCluster
from tests.testbed.listening import listening

RECORDED = Path(__file__).parent.parent / "unit" / "kubernetes_live" / "answers.json"  # of a real API server


@contextmanager
def scripted(*answers: bytes, pause: float = 0.0, piece: int = 1 << 20) -> Iterator[tuple[str, list[bytes]]]:
    """A plain HTTP server that gives these bytes, one after the other, whatever it is asked; and what it was asked."""
    asked: list[bytes] = []
    left = iter(answers)
    over = threading.Event()

    def serve(sock: socket.socket) -> None:
        if (answer := next(left, None)) is None:
            return
        asked.append(sock.recv(1 << 16))
        for start in range(0, len(answer), piece):
            sock.sendall(answer[start : start + piece])
            if over.wait(pause):
                return

    with listening(serve) as port:
        try:
            yield f"http://127.0.0.1:{port}", asked
        finally:
            over.set()


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_what_is_sent() -> None:
    with scripted(answer(b"{}")) as (server, asked):
        transport = Transport(ApiServerConnectionSettings(server, credentials=Credentials("Bearer abc")))
        transport.send(ApiRequest("PATCH", "/api/x", b"{1}", "application/apply-patch+yaml", effect=True))
    head, _, body = asked[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "PATCH /api/x HTTP/1.1" and body == b"{1}"
    assert lines[1] == "Host: " + server.removeprefix("http://")
    assert "Authorization: Bearer abc" in lines and "Content-Length: 3" in lines
    assert any(line.startswith("User-Agent: hwplan/") for line in lines)
    assert transport.stats.sent == 3 and transport.stats.received == 2


def test_a_path_in_front_of_the_server_is_kept() -> None:
    with scripted(answer(b"{}")) as (server, asked):
        Transport(ApiServerConnectionSettings(server + "/k8s/clusters/c-1")).send(ApiRequest("GET", "/api"))
    assert asked[0].startswith(b"GET /k8s/clusters/c-1/api HTTP/1.1\r\n")


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    with scripted(answer(b"{}"), answer(b"{}")) as (server, asked):
        transport = Transport(ApiServerConnectionSettings(server))
        once = ApiRequest("PATCH", "/x", b"{}", effect=True, repeatable=False)
        transport.send(once)
        time.sleep(0.1)
        transport.send(once)
    assert len(asked) == transport.stats.connections == 2 and transport.stats.retries == 0


@pytest.mark.parametrize(("recorded", "repeated"), [("webhook-down", 0), ("conversion-down", 0), ("busy", 1)])
def test_a_refusal_that_names_its_cause_is_not_sent_again(recorded: str, repeated: int) -> None:
    """Only a server that is busy for a moment is asked again; a webhook that is down stays down for this command."""
    if recorded == "busy":
        refused = answer(b"{}", "Retry-After: 0", status="429 Too Many Requests")
    else:
        said = json.loads(RECORDED.read_text())[recorded]
        refused = answer(said["body"].encode(), status=f"{said['status']} Refused")
    with scripted(*[refused] * 2, *[answer(b"{}")] * 2) as (server, asked):
        transport = Transport(ApiServerConnectionSettings(server), patience=RetryTimeLimits(busy=5.0, unreachable=5.0))
        if repeated:
            assert transport.send(ApiRequest("GET", "/api")).status == 200
        else:
            with pytest.raises(errors.WebhookDown):
                transport.send(ApiRequest("GET", "/api"))
    assert len(asked) - 1 == transport.stats.retries == repeated * 2


def test_redirects_are_not_followed() -> None:
    with scripted() as (other, asked), scripted(answer(b"", f"Location: {other}/", status="302 Found")) as (server, _):
        with pytest.raises(errors.UnrecognizedServerAnswer, match="redirects are not followed"):
            Transport(ApiServerConnectionSettings(server, credentials=Credentials("Bearer abc"))).send(
                ApiRequest("GET", "/api")
            )
        assert asked == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with scripted(answer(b"{}")) as (server, _):
        assert Transport(ApiServerConnectionSettings(server)).send(ApiRequest("GET", "/api")).status == 200


def test_the_proxy_of_the_kubeconfig_is_used(api_server: TestCluster) -> None:
    with _connect_proxy() as (proxy, asked):
        token = Credentials(f"Bearer {api_server.token}")
        found = LiveCluster(connection_with(api_server, token, proxy=proxy.replace("http://", "http://u%40:p%20@")))
        assert found.identity().uid
    host = api_server.server.removeprefix("https://")
    assert asked[0].startswith(f"CONNECT {host} HTTP/1.".encode())
    assert b"Proxy-Authorization: Basic dUA6cCA=" in asked[0] and api_server.token.encode() not in asked[0]


@contextmanager
def _connect_proxy() -> Iterator[tuple[str, list[bytes]]]:
    asked: list[bytes] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve(near: socket.socket) -> None:
        asked.append(near.recv(1 << 16))
        host, port = asked[0].split()[1].decode().split(":")
        with socket.create_connection((host, int(port))) as far:
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(far, near), daemon=True)
            back.start()
            pump(near, far)
            back.join()

    with listening(serve) as port:
        yield f"http://127.0.0.1:{port}", asked


def test_a_proxy_that_refuses() -> None:
    with scripted(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n" * 1) as (proxy, _):
        connection = ApiServerConnectionSettings("https://k8s.example:6443", proxy=proxy)
        with pytest.raises(errors.Unreachable, match="the proxy refused"):
            Transport(connection, patience=RetryTimeLimits(unreachable=0)).send(ApiRequest("GET", "/api"))


def test_packed_answers_are_unpacked_and_bombs_are_not() -> None:
    import gzip

    limits = ApiExchangeLimits(answer=1 << 20)
    good, bomb = gzip.compress(b'{"a": 1}'), gzip.compress(bytes(64 << 20))
    with scripted(answer(good, "Content-Encoding: gzip")) as (server, _):
        assert Transport(ApiServerConnectionSettings(server)).send(ApiRequest("GET", "/")).body == b'{"a": 1}'
    with scripted(answer(bomb, "Content-Encoding: gzip")) as (server, _), pytest.raises(errors.TooLarge):
        Transport(ApiServerConnectionSettings(server), limits=limits).send(ApiRequest("GET", "/"))
    with scripted(answer(bytes(2 << 20))) as (server, _), pytest.raises(errors.TooLarge):
        Transport(ApiServerConnectionSettings(server), limits=limits).send(ApiRequest("GET", "/"))


def test_what_is_not_in_its_encoding_is_asked_for_once() -> None:
    garbage = answer(b"no gzip", "Content-Encoding: gzip")
    with scripted(garbage, garbage, garbage) as (server, seen):
        transport = Transport(ApiServerConnectionSettings(server))
        with pytest.raises(errors.UnrecognizedServerAnswer, match="is said to be encoded as gzip, and is not"):
            transport.send(ApiRequest("GET", "/"))
        for repeatable in (True, False):
            with pytest.raises(OutcomeUnknown):
                transport.send(ApiRequest("PATCH", "/", b"{}", effect=True, repeatable=repeatable))
    assert len(seen) == 3


def test_a_server_that_drips_is_left_at_the_deadline() -> None:
    patience = RetryTimeLimits(total=1.0, busy=0.5, unreachable=0.1)
    for start in (0, 40):
        slow = answer(b" " * 200)
        with scripted(slow[:start] or b"H", slow[max(start, 1) :], pause=0.05, piece=1) as (server, _):
            started = time.monotonic()
            with pytest.raises(errors.Unreachable):
                Transport(
                    ApiServerConnectionSettings(server), limits=ApiExchangeLimits(read=0.5), patience=patience
                ).send(ApiRequest("GET", "/"))
            assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00\xff" * 100,
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
    ],
)
def test_garbage_is_a_broken_connection(garbage: bytes) -> None:
    patience = RetryTimeLimits(total=1.0, busy=0.0, unreachable=0.0)
    with scripted(garbage, garbage) as (server, _):
        transport = Transport(
            ApiServerConnectionSettings(server), limits=ApiExchangeLimits(read=0.5), patience=patience
        )
        with pytest.raises(errors.Unreachable, match="the connection broke"):
            transport.send(ApiRequest("GET", "/"))
        with pytest.raises(OutcomeUnknown):
            transport.send(ApiRequest("PATCH", "/", b"{}", effect=True))


def test_a_server_that_is_no_api_server() -> None:
    with scripted(answer(b"<html>"), answer(b"<html>")) as (server, _), pytest.raises(errors.UnrecognizedServerAnswer):
        LiveCluster(ApiServerConnectionSettings(server)).kinds()
    with scripted(answer(b"[1]")) as (server, _), pytest.raises(errors.UnrecognizedServerAnswer):
        LiveCluster(ApiServerConnectionSettings(server)).get(CONFIG_MAP, "a", "b")
