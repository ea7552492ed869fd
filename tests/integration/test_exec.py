"""A command in a container: through the real API server, and from a stand-in that does what a real one rarely does."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from providers.cluster_interface import EXEC_OUTPUT, EndedCommand
from providers.kubernetes import errors
from providers.kubernetes.client.exec_stream import exit_code_of_status
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings, Credentials, resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.client.websocket import WebSocketOpcode, expected_websocket_accept
from tests.integration.podexec_world import Shop, shop_of
from tests.testbed.cluster import TestCluster
from tests.testbed.git_server import connect_proxy
from tests.testbed.listening import listening
from tests.testbed.proxy import FaultProxy
from tests.unit.kubernetes_live.test_websocket import FINAL, frame


@pytest.fixture(scope="module")
def shop(cluster: TestCluster) -> Iterator[Shop]:
    with shop_of(cluster) as made:
        yield made


def sh(shop: Shop, script: str, seconds: float = 20.0, server: TestCluster | None = None) -> EndedCommand:
    live = LiveCluster(resolve_connection_settings(str((server or shop.cluster).kubeconfig), environ={}))
    return live.exec(shop.namespace, shop.pod, "api", ["sh", "-c", script], seconds=seconds)


@pytest.mark.parametrize("code", [0, 1, 3, 126, 255])
def test_the_exit_code_is_that_of_the_command(shop: Shop, code: int) -> None:
    assert sh(shop, f"exit {code}").exit_code == code


def test_both_outputs_come_and_words_arrive_as_they_are(shop: Shop) -> None:
    done = sh(shop, "echo 'Grüße €' ; echo \"a&b=c %41 +;#\" >&2; printf '\\000\\377\\n'")
    assert done.exit_code == 0 and done.cut == 0
    assert sorted(done.output.split(b"\n")) == sorted(["Grüße €".encode(), b"a&b=c %41 +;#", b"\x00\xff", b""])


def test_of_a_big_output_the_end_is_kept(shop: Shop) -> None:
    done = sh(shop, "head -c 5000000 /dev/zero; echo; echo the end")
    assert done.exit_code == 0 and done.output.endswith(b"\nthe end\n")
    assert (len(done.output), done.cut) == (EXEC_OUTPUT, 5_000_009 - EXEC_OUTPUT)


def test_what_was_not_started_says_so(shop: Shop) -> None:
    live = LiveCluster(resolve_connection_settings(str(shop.cluster.kubeconfig), environ={}))
    for pod, container, command, kind in (
        (shop.pod, "api", ["no-such-program"], errors.CommandNotStarted),
        (shop.pod, "other", ["true"], errors.BadRequest),
        ("no-such-pod", "api", ["true"], errors.NotFound),
    ):
        with pytest.raises(kind) as caught:
            live.exec(shop.namespace, pod, container, command, seconds=10)
        assert not isinstance(caught.value, errors.OutcomeUnknown) and caught.value.message.isprintable()


def test_who_may_not_exec_is_told_so_and_tokens_are_sent(shop: Shop) -> None:
    admin = resolve_connection_settings(str(shop.cluster.kubeconfig), environ={})
    for user, kind in (("alice", errors.Forbidden), ("", errors.Unauthorized)):
        header = f"Bearer {shop.cluster.tokens[user]}" if user else "Bearer wrong"
        live = LiveCluster(ApiServerConnectionSettings(admin.server, admin.ca, Credentials(authorization=header)))
        with pytest.raises(kind):
            live.exec(shop.namespace, shop.pod, "api", ["true"], seconds=10)


def test_a_client_certificate_does_as_well_and_a_foreign_authority_does_not(shop: Shop) -> None:
    file = shop.cluster.kubeconfig_of("execs", ["system:masters"])
    connection = resolve_connection_settings(str(file), environ={})
    live = LiveCluster(connection)
    assert live.exec(shop.namespace, shop.pod, "api", ["true"], seconds=10).exit_code == 0
    untrusted = LiveCluster(ApiServerConnectionSettings(connection.server, b"", connection.credentials))
    with pytest.raises(errors.TlsFailed):
        untrusted.exec(shop.namespace, shop.pod, "api", ["true"], seconds=10)


def test_the_proxy_of_the_kubeconfig_is_used(shop: Shop) -> None:
    connection = resolve_connection_settings(str(shop.cluster.kubeconfig), environ={})
    with connect_proxy() as proxy:
        live = LiveCluster(replace(connection, proxy=proxy.url))
        assert live.exec(shop.namespace, shop.pod, "api", ["true"], seconds=10).exit_code == 0
        assert proxy.targets == [connection.host]


def test_a_command_that_takes_too_long_is_unsettled(shop: Shop) -> None:
    begin = time.monotonic()
    with pytest.raises(errors.CommandUnsettled, match="did not end in time") as caught:
        sh(shop, "echo begun; exec sleep 10", seconds=2.0)
    assert time.monotonic() - begin < 8 and caught.value.output == b"begun\n"


def test_a_connection_that_breaks_while_it_runs_is_unsettled(shop: Shop) -> None:
    with FaultProxy.before(shop.cluster.server) as proxy:

        def drop() -> None:
            shop.wait_for_runs(1)
            proxy.drop_connections()

        thread = threading.Thread(target=drop)
        thread.start()
        # The command may be running before the server's answer to the upgrade has come.
        with pytest.raises(errors.CommandUnsettled, match=r"the connection|the answer of the server was lost"):
            sh(shop, f"{shop.count}; exec sleep 5", server=shop.cluster.through(proxy.port))
        thread.join(10)
    assert shop.runs() == 1


# --- a stand-in, for what the real API server of the testbed does not do -------------------------------------------


@contextmanager
def stand_in(
    after: Callable[[socket.socket], None], refusal: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})
) -> Iterator[LiveCluster]:
    """A server that agrees to an upgrade, with these headers changed, and then does what `after` does."""

    def serve(sock: socket.socket) -> None:
        sock.settimeout(10)
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += sock.recv(4096)
        lines = dict(line.split(": ", 1) for line in asked.decode().split("\r\n")[1:] if line)
        answer = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": expected_websocket_accept(lines["Sec-WebSocket-Key"]),
            "Sec-WebSocket-Protocol": "v4.channel.k8s.io",
        } | dict(headers)
        head = "HTTP/1.1 101 Switching Protocols\r\n" + "".join(f"{k}: {v}\r\n" for k, v in answer.items() if v)
        sock.sendall(refusal or head.encode() + b"\r\n")
        after(sock)

    with listening(serve) as port:
        yield LiveCluster(ApiServerConnectionSettings(f"http://127.0.0.1:{port}"))


def status(**fields: Any) -> bytes:
    return frame(FINAL, b"\x03" + json.dumps(fields).encode())


EXIT_7 = status(
    status="Failure", reason="NonZeroExitCode", details={"causes": [{"reason": "ExitCode", "message": "7"}]}
)


def test_an_older_server_speaks_v4_and_tells_the_exit_code_as_a_kubelet_does() -> None:
    def after(sock: socket.socket) -> None:
        first = frame(FINAL, b"\x01out ")
        sock.sendall(first[:3])
        time.sleep(0.05)
        sock.sendall(first[3:] + frame(0x89, b"?") + frame(FINAL, b"\x02err") + frame(FINAL, b"\x09?"))
        assert sock.recv(100)[0] == 0x80 | WebSocketOpcode.PONG
        sock.sendall(EXIT_7 + frame(FINAL, b"\x01late"))

    with stand_in(after) as live:
        assert live.exec("ns", "pod", "main", ["x"], seconds=10) == EndedCommand(7, b"out errlate")


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"", "ended before"),
        (frame(FINAL, b"\x01half of it") + b"\x82", "ended before"),
        (frame(0x88, b""), "ended before"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "server sent"),
        (frame(FINAL, b"\x03not json"), "not JSON"),
        (status(status="Failure", message="rpc error: code = Unavailable"), "runtime failed"),
        (frame(FINAL, b"\x01it ran") + status(status="Failure", message='exec failed: unable to start '
                                                                         'container process: "x"'), "runtime failed"),
    ],
)  # fmt: skip
def test_whatever_else_an_upgraded_server_sends_is_unsettled(sent: bytes, why: str) -> None:
    with stand_in(lambda sock: sock.sendall(sent)) as live, pytest.raises(errors.CommandUnsettled, match=why):
        live.exec("ns", "pod", "main", ["x"], seconds=10)


@pytest.mark.parametrize("header", ["Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"])
@pytest.mark.parametrize("value", ["", "something-else"])
def test_a_server_that_did_not_understand_the_handshake_is_not_believed(header: str, value: str) -> None:
    with (
        stand_in(lambda sock: sock.sendall(EXIT_7), headers={header: value}) as live,
        pytest.raises(errors.CommandUnsettled, match="not asked for"),
    ):
        live.exec("ns", "pod", "main", ["x"], seconds=10)


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (504, b"<html>", errors.CommandUnsettled),
        (502, b'{"kind":"Error"}', errors.CommandUnsettled),
        (
            500,
            b'{"kind":"Status","reason":"InternalError","message":"error dialing backend"}',
            errors.UnrecognizedServerAnswer,
        ),
        (503, b'{"kind":"Status","reason":"ServiceUnavailable"}', errors.ServerBusy),
        (406, b"", errors.UnrecognizedServerAnswer),
    ],
)
def test_a_gateway_that_gave_up_may_have_passed_the_command_on_and_a_server_that_refused_has_not(
    code: int, body: bytes, kind: type[errors.OutcomeUnknown]
) -> None:
    head = f"HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with stand_in(lambda sock: None, refusal=head.encode() + body) as live, pytest.raises(kind):
        live.exec("default", "pod", "main", ["x"], seconds=10)


def test_exit_codes_are_read_as_servers_and_kubelets_write_them() -> None:
    assert exit_code_of_status({"status": "Success"}) == 0
    assert exit_code_of_status({"status": "Failure", "message": "cmd wait: sh -c exit 3: exit status 3"}) == 3
    for unknown in (
        {"status": "Failure", "message": "exit status 3 was asked for"},
        {"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "three"}]}},
        {"status": "Failure", "details": "none"},
        {},
    ):
        assert exit_code_of_status(unknown) is None
