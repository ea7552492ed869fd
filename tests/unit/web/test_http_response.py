"""Reading answers of HTTP/1.1: well-formed ones as the standard library reads them, all others refused."""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.http.deadline import Deadline, DeadlineReader
from providers.http.errors import BrokenAnswer
from providers.http.response import HttpResponse

_BODIES = st.lists(st.binary(min_size=1, max_size=400), max_size=5)
_VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30)
_NAMES = st.from_regex(r"X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True)


class _Wire(DeadlineReader):
    """Bytes that come in pieces of at most `step`."""

    def __init__(self, data: bytes, step: int = 1 << 16) -> None:
        end, self._far = socket.socketpair()
        super().__init__(end, Deadline(time.monotonic() + 20, 5, 5))
        self._data, self._step = io.BytesIO(data), step

    def readinto(self, buffer: Any) -> int:
        got = self._data.read(min(self._step, len(buffer)))
        buffer[: len(got)] = got
        self.received += len(got)
        return len(got)

    def close(self) -> None:
        self._sock.close()
        self._far.close()
        super().close()


def _read(data: bytes, method: str = "GET", step: int = 1 << 16) -> tuple[HttpResponse, bytes]:
    with _Wire(data, step) as wire:
        response = HttpResponse(wire, method)
        return response, b"".join(iter(lambda: response.read(100), b""))


def _standard(data: bytes, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    class _Socket:
        def makefile(self, mode: str) -> io.BytesIO:
            return io.BytesIO(data)

    response = http.client.HTTPResponse(_Socket(), method=method)  # type: ignore[arg-type]
    response.begin()
    return response, response.read()


@given(
    _BODIES, st.sampled_from(["length", "chunks", "end"]), st.lists(st.tuples(_NAMES, _VALUES), max_size=6),
    st.sampled_from(["GET", "HEAD"]), st.sampled_from([200, 204, 304, 404, 500]), st.integers(1, 90),
    st.sampled_from(["", "Connection: close\r\n", "Connection: keep-alive\r\n"]), st.sampled_from(["1.0", "1.1"]),
)  # fmt: skip
def test_well_formed_answers_are_read_as_the_standard_library_reads_them(
    body: list[bytes], framing: str, more: list[tuple[str, str]], method: str, status: int, step: int, end: str, v: str
) -> None:
    head = f"HTTP/{v} {status} Some words\r\n{end}" + "".join(f"{name}: {value}\r\n" for name, value in more)
    if framing == "length":
        data = f"{head}Content-Length: {sum(map(len, body))}\r\n\r\n".encode("latin-1") + b"".join(body)
    elif framing == "chunks":
        chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in body)
        data = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode("latin-1") + chunks + b"0\r\nTrailer: x\r\n\r\n"
    else:
        data = f"{head}\r\n".encode("latin-1") + b"".join(body)
    ours, our_body = _read(data, method, step)
    theirs, their_body = _standard(data, method)
    if framing == "chunks" and status in (204, 304):
        their_body = b""  # RFC 9112, 6.3: it has none; the standard library reads one
    assert (ours.status, our_body, ours.closes) == (theirs.status, their_body, theirs.will_close)
    assert [(name, value.split()) for name, value in ours.headers] == [
        (name, value.split()) for name, value in theirs.getheaders()
    ]
    if not ours.closes and not (status in (204, 304) or method == "HEAD"):
        assert ours.leaves_connection_usable


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the server closed it without an answer"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", "the answer ended early"),
        (b"HTTP/2 200 OK\r\n\r\n", "the answer is not HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nno header here\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nName : x\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n folded: first\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nA: x\ry\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", "the answer ended early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "transfer encoding that was not asked for"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n", "does not come in the chunks"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
            "does not come in the chunks",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "the answer ended early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "the answer ended early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n", "the answer ended early"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", "head of the answer is too large"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000 + b"\r\n", "head of the answer is too large"),
        (b"HTTP/1.1 103 Early\r\n\r\n" * 20_000, "head of the answer is too large"),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(BrokenAnswer, match=words):
        _read(data)


def test_interim_answers_are_skipped_and_a_change_of_protocol_is_not() -> None:
    response, body = _read(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (response.status, body, response.header("link")) == (200, b"ok", "")
    response, body = _read(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x00")
    assert (response.status, body, response.header("upgrade")) == (101, b"", "websocket")


def test_a_connection_with_more_on_it_than_the_answer_is_not_used_again() -> None:
    """What came besides would be read as the answer to the next request."""
    response, body = _read(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse"
    )
    assert body == b"ok" and response.finished and not response.leaves_connection_usable


def test_a_length_beside_chunks_does_not_count_and_ends_the_connection() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    response, body = _read(data)
    assert body == b"abc" and not response.leaves_connection_usable


def test_equal_lengths_are_one_length_and_folded_values_one_value() -> None:
    response, body = _read(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nA: b\r\n  c\r\n\r\nok")
    assert body == b"ok" and response.header("a") == "b c"


def test_a_chunk_is_given_when_it_is_there() -> None:
    """A log that is followed comes in chunks, hours apart."""
    near, far = socket.socketpair()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    sender = threading.Thread(target=far.sendall, args=(head,))
    sender.start()
    try:
        response = HttpResponse(DeadlineReader(near, Deadline(time.monotonic() + 20, 5, 5)), "GET")
        assert response.read(1 << 18) == b"abc"
    finally:
        sender.join()
        near.close()
        far.close()
