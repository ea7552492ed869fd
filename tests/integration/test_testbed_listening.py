"""What the check of every test for listeners left behind sees, and what it leaves alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.testbed.listening import leftovers, listening_ports


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as sockets:
        yield sockets


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_listener_is_seen_until_it_is_closed(opened: ExitStack, family: socket.AddressFamily, host: str) -> None:
    before = listening_ports()
    listener = opened.enter_context(socket.create_server((host, 0), family=family))
    port = listener.getsockname()[1]
    assert listening_ports() - before == {port}
    assert leftovers(frozenset(threading.enumerate()), before, patience=0) == [f"listening socket on port {port}"]
    listener.close()
    assert listening_ports() == before


def test_other_sockets_are_none_and_all_stay_open(opened: ExitStack, tmp_path: Path) -> None:
    listener = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
    before = listening_ports()
    dialled = opened.enter_context(socket.create_connection(listener.getsockname()))
    accepted = opened.enter_context(listener.accept()[0])
    bound = opened.enter_context(socket.socket())
    bound.bind(("127.0.0.1", 0))
    local = opened.enter_context(socket.socket(socket.AF_UNIX))
    local.bind(str(tmp_path / "socket"))
    local.listen()
    datagrams = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    datagrams.bind(("127.0.0.1", 0))
    assert listening_ports() == before
    dialled.sendall(b"still open")
    assert accepted.recv(10) == b"still open"
    for one in (bound, local, datagrams):
        one.getsockname()
