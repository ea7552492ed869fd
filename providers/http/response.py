"""An answer of HTTP/1.1 as it comes over a connection: its head, and its body by length, in chunks or to the end.

Owns what is no HTTP, and where an answer ends (RFC 9112, 4 to 7). Stricter than the standard library: an answer whose
end is not certain is refused, and so is a head with a line that is no header. Knows no encodings of the content.
"""

from __future__ import annotations

import io
import re
from typing import Final

from providers.http.deadline import DeadlineReader
from providers.http.errors import BrokenAnswer

SWITCHING_PROTOCOLS: Final = 101
_MAX_HEAD: Final = 256 << 10  # bytes, interim answers included
_MAX_LINE: Final = 64 << 10
_STATUS: Final = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: [^\r\n]*)?\r?\n")
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110, 5.6.2
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_WITHOUT_BODY: Final = frozenset({204, 304})
_BLANK: Final = (b"\r\n", b"\n")
_NOT_HTTP: Final = "the answer is not HTTP"
_EARLY: Final = "the answer ended early"
_NOT_CHUNKED: Final = "the answer does not come in the chunks that its head announces"


class HttpResponse:
    """The answer to a request of `method`, read from `reader` up to the end of its head.

    `headers` are the pairs as they came, names as written. Raises BrokenAnswer, and what `reader` raises.
    """

    def __init__(self, reader: DeadlineReader, method: str) -> None:
        self._reader = reader
        self._file = reader.buffered()
        self._consumed = 0  # bytes
        self._lines_end = _MAX_HEAD  # where the lines of head or trailers have to be over
        minor, self.status = self._status_line()
        self.headers = self._header_lines()
        while 100 <= self.status < 200 and self.status != SWITCHING_PROTOCOLS:
            minor, self.status = self._status_line()
            self.headers = self._header_lines()
        tokens = {token.strip() for token in self.header("connection").lower().split(",")}
        # whether the connection ends with this answer
        self.closes = "close" in tokens or (minor == 0 and "keep-alive" not in tokens)
        self._chunked = False
        self._left: int | None = 0  # bytes of the body, or of the chunk; None: to the end of the connection
        self.finished = False  # whether all of it was read
        self._frame(method)

    def header(self, name: str) -> str:
        """The values of a header, joined by commas; empty when it did not come. `name` is in lower case."""
        return ", ".join(value for written, value in self.headers if written.lower() == name)

    @property
    def leaves_connection_usable(self) -> bool:
        """Whether another request may follow: all was read, nothing came besides, and the server leaves it open."""
        return self.finished and not self.closes and self._consumed == self._reader.received

    def read(self, most: int) -> bytes:
        """The next bytes of the body, at most `most`; none at its end. Raises BrokenAnswer when it ends early."""
        if self.finished:
            return b""
        if self._left is None:
            data = self._file.read1(most)
            self._consumed += len(data)
            self.finished = not data
            return data
        if self._chunked and not self._left and not self._next_chunk():
            return b""
        data = self._file.read(min(most, self._left))
        self._consumed += len(data)
        self._left -= len(data)
        if not data:
            raise BrokenAnswer(_EARLY)
        if not self._left:
            self._end_of_part()
        return data

    def buffer_body(self) -> None:
        """Read the body in large pieces, after a head that was read byte by byte."""
        self._file = io.BufferedReader(self._reader)

    def _status_line(self) -> tuple[int, int]:
        """The minor version and the status."""
        line = self._line()
        if not line:
            raise BrokenAnswer(_EARLY if self._consumed else "the server closed it without an answer")
        match = _STATUS.fullmatch(line)
        if match is None:
            raise BrokenAnswer(_NOT_HTTP)
        return int(match[1]), int(match[2])

    def _header_lines(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        while (line := self._line()) not in _BLANK:
            if not line:
                raise BrokenAnswer(_EARLY)
            name, colon, value = line.partition(b":")
            if found and line[0] in b" \t":  # a folded value (RFC 9112, 5.2)
                last, before = found.pop()
                found.append((last, f"{before} {_header_value(line)}"))
            elif colon and _NAME.fullmatch(name):
                found.append((name.decode("ascii"), _header_value(value)))
            else:
                raise BrokenAnswer(_NOT_HTTP)
        return found

    def _line(self) -> bytes:
        line: bytes = self._file.readline(_MAX_LINE + 1)
        self._consumed += len(line)
        if len(line) > _MAX_LINE or self._consumed > self._lines_end:
            raise BrokenAnswer("the head of the answer is too large")
        return line

    def _frame(self, method: str) -> None:
        """Where the body ends (RFC 9112, 6.3)."""
        coding, lengths = self.header("transfer-encoding"), self.header("content-length")
        if method == "HEAD" or self.status in _WITHOUT_BODY or self.status == SWITCHING_PROTOCOLS:
            self.finished = True
        elif coding:
            if coding.strip().lower() != "chunked":
                raise BrokenAnswer("the answer comes in a transfer encoding that was not asked for")
            self._chunked = True
            self.closes |= bool(lengths)  # one of the two is wrong: nothing that follows can be trusted
        elif lengths:
            values = {value.strip() for value in lengths.split(",")}
            value = values.pop()
            if values or not _LENGTH.fullmatch(value):
                raise BrokenAnswer(_NOT_HTTP)
            self._left = int(value)
            self.finished = not self._left
        else:
            self._left, self.closes = None, True

    def _next_chunk(self) -> bool:
        """Whether there is another chunk, whose size is known then; the end of the last one includes its trailers."""
        self._lines_end = self._consumed + _MAX_HEAD
        line = self._line()
        match = _CHUNK.fullmatch(line)
        if match is None:
            raise BrokenAnswer(_NOT_CHUNKED if line else _EARLY)
        self._left = int(match[1], 16)
        if self._left:
            return True
        while (line := self._line()) not in _BLANK:  # trailers
            if not line:
                raise BrokenAnswer(_EARLY)
        self.finished = True
        return False

    def _end_of_part(self) -> None:
        if not self._chunked:
            self.finished = True
            return
        end = self._file.read(2)
        self._consumed += len(end)
        if end != b"\r\n":
            raise BrokenAnswer(_EARLY if len(end) < 2 else _NOT_CHUNKED)


def _header_value(line: bytes) -> str:
    text = line.decode("latin-1").strip(" \t\r\n")
    if "\r" in text or "\0" in text:
        raise BrokenAnswer(_NOT_HTTP)
    return text
