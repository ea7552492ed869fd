"""TLS connections that end before they begin leave no descriptor behind."""

import socket
import struct
from pathlib import Path

import pytest

from providers.http.tls import client_tls_context


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def reset_connection() -> socket.socket:
    """A connection whose peer has answered with a reset. (`ssl.SSLSocket` itself loses the descriptor then.)"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    return client


def test_a_peer_that_reset_the_connection_before_the_handshake_costs_no_descriptor() -> None:
    context = client_tls_context()
    before = descriptors()
    with pytest.raises(ConnectionResetError) as raised:
        context.wrap_socket(reset_connection(), server_hostname="localhost")
    assert descriptors() == before, raised.value  # which holds the frames, and with them the socket
