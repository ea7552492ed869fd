"""Frames of a WebSocket: whatever way they are cut into pieces, and what no server sends."""

from __future__ import annotations

import pytest

from providers.kubernetes.client.websocket import (
    MalformedFrame,
    WebSocketMessage,
    WebSocketOpcode,
    WebSocketReader,
    control_frame,
    expected_websocket_accept,
)


def frame(first: int, payload: bytes) -> bytes:
    """A frame as a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    wide = 2 if size < 1 << 16 else 8
    return bytes((first, 126 if wide == 2 else 127)) + size.to_bytes(wide) + payload


FINAL, MORE = 0x82, 0x02
SENT = (
    frame(FINAL, b"\x01whole")
    + frame(MORE, b"\x01fir")
    + frame(0x89, b"are you there")  # a control frame may stand between the parts of a message
    + frame(0x00, b"st")
    + frame(0x80, b"")
    + frame(FINAL, b"x" * 300)
    + frame(FINAL, b"y" * 70_000)
    + frame(FINAL, b"")
    + frame(0x88, b"\x03\xe8")
)
GOT = [
    WebSocketMessage(WebSocketOpcode.BINARY, b"\x01whole"),
    WebSocketMessage(WebSocketOpcode.PING, b"are you there"),
    WebSocketMessage(WebSocketOpcode.BINARY, b"\x01first"),
    WebSocketMessage(WebSocketOpcode.BINARY, b"x" * 300),
    WebSocketMessage(WebSocketOpcode.BINARY, b"y" * 70_000),
    WebSocketMessage(WebSocketOpcode.BINARY, b""),
    WebSocketMessage(WebSocketOpcode.CLOSE, b"\x03\xe8"),
]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000, len(SENT)])
def test_messages_come_out_whole_however_their_bytes_arrive(piece: int) -> None:
    reader = WebSocketReader(1 << 20)
    found = [message for at in range(0, len(SENT), piece) for message in reader.feed(SENT[at : at + piece])]
    assert found == GOT


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (bytes((0xC2, 0)), "extension"),
        (bytes((FINAL, 0x81, 1, 2, 3, 4, 5)), "mask"),
        (bytes((0x81, 1)) + b"t", "unknown kind"),
        (bytes((0x83, 0)), "unknown kind"),
        (frame(0x80, b"x"), "out of order"),
        (frame(MORE, b"x") + frame(FINAL, b"y"), "out of order"),
        (frame(0x09, b"part of a ping"), "too large"),
        (bytes((0x89, 126, 0, 126)), "too large"),
        (bytes((FINAL, 127)) + (1 << 62).to_bytes(8), "too large"),
        (frame(MORE, b"x" * 60) + frame(0x80, b"x" * 60), "too large"),
    ],
)
def test_what_no_server_sends_is_refused_before_it_is_kept(data: bytes, why: str) -> None:
    with pytest.raises(MalformedFrame, match=why):
        list(WebSocketReader(100).feed(data))


def test_control_frames_are_masked_and_small() -> None:
    sent = control_frame(WebSocketOpcode.PONG, b"z" * 200)
    assert sent[:2] == bytes((0x8A, 0x80 | 125)) and len(sent) == 2 + 4 + 125
    assert bytes(byte ^ sent[2 + at % 4] for at, byte in enumerate(sent[6:])) == b"z" * 125
    assert control_frame(WebSocketOpcode.PING)[:2] == bytes((0x89, 0x80))


def test_the_answer_to_a_handshake_is_that_of_the_standard() -> None:
    assert expected_websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, 1.3
