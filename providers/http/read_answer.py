"""Reads the answer to an HTTP request: whole or piece by piece, unpacked, and never more than there is room for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import field

from planner.dataclass import dataclass
from providers.http.errors import BrokenAnswer, TooLarge, UndecodableBody
from providers.http.exchange import error_of_broken_exchange
from providers.http.response import HttpResponse

_PIECE = 1 << 18
_MAX_HEAD = 64 << 10
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB = 47  # window bits: the header says which of the two it is (zlib.h, inflateInit2)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer of any status. Names of headers are lower-case; a header that came twice is joined by a comma.
    `warnings` are the raw Warning headers, `size` is that of the body on the wire, in bytes."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    warnings: tuple[str, ...] = ()
    size: int = 0


class HttpAnswerReader:
    """Reads an HTTP answer whose body is still on its way. `limit` is the most bytes of it, unpacked; `where` names in
    errors what was asked for. Raises TooLarge for a head above 64 KiB."""

    def __init__(self, response: HttpResponse, limit: int, where: str) -> None:
        self.status = response.status
        self.headers = read_answer_headers(response, where)
        self.warnings = tuple(value for name, value in response.headers if name.lower() == "warning")
        self.size = 0  # bytes of the body so far, on the wire
        self._response = response
        self._limit, self._where = limit, where

    def pieces(self) -> Iterator[bytes]:
        """The body, unpacked, in pieces of at most 256 KiB. Raises ConnectionBroken when it breaks off, TooLarge, and
        Undecodable."""
        encoding = self.headers.get("content-encoding", "").strip().lower()
        packed = encoding in _PACKED
        total = 0
        try:
            for piece in _unpacked(self._raw()) if packed else self._raw():
                total += len(piece)
                if total > self._limit:
                    raise TooLarge(f"the answer is larger than {_shown(self._limit)}", where=self._where)
                yield piece
        except zlib.error:
            raise UndecodableBody(encoding) from None
        except (OSError, BrokenAnswer) as error:
            raise error_of_broken_exchange(error, before=False) from None

    def whole(self) -> HttpAnswer:
        """The answer with all of its body. Raises as `pieces`."""
        body = b"".join(self.pieces())
        return HttpAnswer(self.status, self.headers, body, self.warnings, self.size)

    @property
    def leaves_connection_usable(self) -> bool:
        """Whether nothing of the answer is left on the connection, and the server leaves it open."""
        return self._response.leaves_connection_usable

    def _raw(self) -> Iterator[bytes]:
        while piece := self._response.read(_PIECE):
            self.size += len(piece)
            yield piece


def read_answer_headers(response: HttpResponse, where: str) -> dict[str, str]:
    """The headers, by lower-case name. Raises TooLarge when they are more than 64 KiB."""
    pairs = response.headers
    if sum(len(name) + len(value) for name, value in pairs) > _MAX_HEAD:
        raise TooLarge("the head of the answer is too large", where=where)
    found: dict[str, str] = {}
    for written, value in pairs:
        name = written.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _unpacked(raw: Iterator[bytes]) -> Iterator[bytes]:
    """Raises zlib.error for what is no gzip or zlib, BrokenAnswer when it ends early."""
    unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
    came = False
    for data in raw:
        came = True
        piece = unpack.decompress(data, _PIECE)
        while len(piece) == _PIECE:  # a full one: more of `data` may be left, or held back
            yield piece
            piece = unpack.decompress(unpack.unconsumed_tail, _PIECE)
        if piece:
            yield piece
    if came and not unpack.eof:
        raise BrokenAnswer("the answer ended early")


def _shown(count: int) -> str:
    return f"{count >> 20} MiB" if count and not count % (1 << 20) else f"{count} bytes"
