"""The frames of a WebSocket (RFC 6455) as its client sees them: as little as running a command needs.

Pure: bytes go in, messages come out. No extensions, no text, and nothing is sent but control frames, because no input
is ever given to a command. Opens no connection (api_exchange.py) and knows nothing of channels (exec_stream.py).
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_MOST_CONTROL = 125  # bytes in a control frame (RFC 6455, 5.5)


class WebSocketOpcode(IntEnum):
    """The kinds of WebSocket frames (RFC 6455, 5.2)."""

    CONTINUATION = 0
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class WebSocketMessage(NamedTuple):
    """A whole message, put together from its frames."""

    opcode: WebSocketOpcode
    payload: bytes


class MalformedFrame(Exception):
    """What came is no WebSocket of a server, or more than we take. Its text is our own."""


def new_websocket_key() -> str:
    """The value of Sec-WebSocket-Key for one handshake."""
    return base64.b64encode(os.urandom(16)).decode()


def expected_websocket_accept(key: str) -> str:
    """What a server that understands the handshake answers in Sec-WebSocket-Accept."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def control_frame(opcode: WebSocketOpcode, payload: bytes = b"") -> bytes:
    """A control frame as a client sends it: masked. The payload is cut at 125 bytes."""
    payload, mask = payload[:_MOST_CONTROL], os.urandom(4)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes((0x80 | opcode, 0x80 | len(payload))) + mask + masked


class _Frame(NamedTuple):
    opcode: WebSocketOpcode
    final: bool
    payload: bytes


class WebSocketReader:
    """Puts messages together from bytes as they arrive. `limit` is the size of a message in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._parts: bytearray | None = None  # of a message whose last frame is still to come

    def feed(self, data: bytes) -> Iterator[WebSocketMessage]:
        """The messages that `data` completes. Raises MalformedFrame; then nothing more can be read."""
        self._buffer += data
        while frame := self._frame():
            if message := self._message(frame):
                yield message

    def _frame(self) -> _Frame | None:
        """The first whole frame of the buffer, taken out of it."""
        if len(self._buffer) < 2:
            return None
        first, second = self._buffer[:2]
        opcode = _opcode(first & 0x0F)
        if first & 0x70 or second & 0x80:
            raise MalformedFrame("a frame with an extension or a mask")
        size = {126: 2, 127: 8}.get(second, 0)
        if len(self._buffer) < 2 + size:
            return None
        length = int.from_bytes(self._buffer[2 : 2 + size]) if size else second
        most = _MOST_CONTROL if opcode >= WebSocketOpcode.CLOSE else self._limit
        if length > most or (opcode >= WebSocketOpcode.CLOSE and not first & 0x80):
            raise MalformedFrame("a frame that is too large")
        end = 2 + size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[2 + size : end])
        del self._buffer[:end]
        return _Frame(opcode, bool(first & 0x80), payload)

    def _message(self, frame: _Frame) -> WebSocketMessage | None:
        """What a frame completes; None when more of it is to come."""
        if frame.opcode >= WebSocketOpcode.CLOSE:
            return WebSocketMessage(frame.opcode, frame.payload)
        if (frame.opcode is WebSocketOpcode.CONTINUATION) is (self._parts is None):
            raise MalformedFrame("a frame out of order")
        parts = bytearray() if self._parts is None else self._parts
        parts += frame.payload
        if len(parts) > self._limit:
            raise MalformedFrame("a message that is too large")
        self._parts = None if frame.final else parts
        return WebSocketMessage(WebSocketOpcode.BINARY, bytes(parts)) if frame.final else None


def _opcode(number: int) -> WebSocketOpcode:
    try:
        return WebSocketOpcode(number)
    except ValueError:
        raise MalformedFrame("a frame of an unknown kind") from None
