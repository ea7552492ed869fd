"""Reading an answer of HTTP/1.1 from a socket: under a deadline, unpacked, and never more than there is room for."""

from __future__ import annotations

import io
import socket
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any, cast

from providers.kubernetes.errors import TooLarge

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any status. Header names are lower-case, `warnings` are the raw Warning headers, `size` is that of
    the body on the wire."""

    status: int
    headers: Mapping[str, str]
    warnings: tuple[str, ...]
    body: bytes = field(repr=False)
    size: int


class Timed(io.RawIOBase):
    """The reading side of a socket: every read gets what is left of the deadline, at most `each` seconds."""

    def __init__(self, sock: socket.socket, each: float, deadline: float) -> None:
        self._sock, self._each, self._deadline = sock, each, deadline
        self.received = 0

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client asks a socket for."""
        return io.BufferedReader(self, 1 << 16)

    def left(self) -> float:
        """Seconds that the next read may take. Raises TimeoutError when the deadline is over."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        return min(left, self._each)

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read once."""
        self._sock.settimeout(self.left())
        count = self._sock.recv_into(buffer)
        self.received += count
        return count


class Bytewise(Timed):
    """Reads no byte beyond what is asked for: what follows the head of an upgrade is of another protocol."""

    def makefile(self, mode: str) -> io.BufferedReader:
        """Itself, for it is read line by line."""
        return cast(io.BufferedReader, self)


def read_answer(response: HTTPResponse, limit: int, where: str) -> Answer:
    """The whole answer, at most `limit` bytes of it. Raises HTTPException when it ends early, TooLarge, zlib.error."""
    body, size = _read(response, limit, where)
    warnings = tuple(response.headers.get_all("Warning") or ())
    return Answer(response.status, lower(response), warnings, body, size)


def lower(response: HTTPResponse) -> dict[str, str]:
    """The headers, by lower-case name."""
    return {name.lower(): value for name, value in response.getheaders()}


def _read(response: HTTPResponse, limit: int, where: str) -> tuple[bytes, int]:
    """The whole body, unpacked, and its size on the wire. Raises HTTPException when it ends early, TooLarge."""
    unpack = zlib.decompressobj(wbits=31) if response.headers.get("Content-Encoding", "") == "gzip" else None
    parts: list[bytes] = []
    size = total = 0
    while chunk := response.read(_CHUNK):
        size += len(chunk)
        plain = unpack.decompress(chunk, limit - total + 1) if unpack else chunk
        total += len(plain)
        if total > limit:
            raise TooLarge(f"the answer is larger than {limit >> 20} MiB", where=where)
        parts.append(plain)
    if response.length or (unpack and parts and not unpack.eof):
        raise HTTPException("the answer ended early")
    return b"".join(parts), size
