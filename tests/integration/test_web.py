"""The HTTP client against real sockets: time, size, TLS, and what must never be sent."""

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from planner.errors import OutcomeUnknown, PermanentError, ProviderError, TemporaryError
from providers.web.bounded_http_client import BoundedHttpClient, HttpClientLimits
from tests.testbed.certificates import create_authority
from tests.testbed.fixtures import part
from tests.testbed.listening import listening

Script = Callable[[socket.socket, bytes], None]


class Listener:
    """Accepts connections and plays a script on each request's head; `heads` are what came."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None, greeting: bytes = b"") -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self._script = script
        self._greeting = greeting
        self._over = threading.Event()
        self._running = contextlib.ExitStack()
        self.port = self._running.enter_context(listening(self._serve, context))
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening."""
        self._over.set()
        self._running.close()

    def _serve(self, peer: socket.socket) -> None:
        self.connections += 1
        peer.sendall(self._greeting)
        data = b""
        while piece := peer.recv(65536):
            data += piece
            while b"\r\n\r\n" in data:
                head, _, data = data.partition(b"\r\n\r\n")
                self.heads.append(head)
                self._script(peer, head)
                if self._over.is_set():
                    return


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    with contextlib.ExitStack() as listeners:

        def start(script: Script, context: ssl.SSLContext | None = None, greeting: bytes = b"") -> Listener:
            return listeners.enter_context(contextlib.closing(Listener(script, context, greeting)))

        yield start


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def says(data: bytes) -> Script:
    return lambda peer, _: peer.sendall(data)


def hangs_up(peer: socket.socket, _: bytes) -> None:
    peer.shutdown(socket.SHUT_RDWR)


def drips(before: bytes) -> Script:
    def script(peer: socket.socket, _: bytes) -> None:
        peer.sendall(before)
        for _turn in range(600):
            peer.sendall(b"x")
            time.sleep(0.1)

    return script


def test_any_status_is_an_answer_and_connections_are_kept(listen: Callable[..., Listener]) -> None:
    listener = listen(says(answer(b"no", "X-Twice: a", "x-twice: b", status="404 Not Found")))
    client = BoundedHttpClient()
    for _ in range(3):
        found = client.request("GET", listener.url + "/x?y=z", {"X-One": "1"})
    assert (found.status, found.body, found.headers["x-twice"]) == (404, b"no", "a, b")
    assert listener.connections == 1
    assert listener.heads[0].startswith(b"GET /x?y=z HTTP/1.1\r\n")
    assert b"X-One: 1" in listener.heads[0]
    assert b"User-Agent: hwplan/" in listener.heads[0]


def test_redirects_are_answers_too(listen: Callable[..., Listener]) -> None:
    other = listen(says(answer(b"")))
    listener = listen(says(answer(b"", f"Location: {other.url}/", status="307 Go")))
    assert BoundedHttpClient().request("GET", listener.url, {"Authorization": "canary"}).status == 307
    assert other.heads == []


def test_proxies_of_the_environment_are_not_used(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, listener = listen(says(answer(b"proxy"))), listen(says(answer(b"direct")))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    assert BoundedHttpClient().request("GET", listener.url).body == b"direct"


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\nX: ", answer(b"x" * 1000)[:-990]])
def test_a_server_that_drips_is_given_up_in_time(listen: Callable[..., Listener], before: bytes) -> None:
    listener = listen(drips(before))
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="time ran out"):
        BoundedHttpClient(HttpClientLimits(read=10.0, total=1.0)).request("GET", listener.url)
    assert time.monotonic() - began < 9.0


def test_a_body_is_capped_after_unpacking(listen: Callable[..., Listener]) -> None:
    packed = gzip.compress(b"\0" * (50 << 20))
    listener = listen(says(answer(packed, "Content-Encoding: gzip")))
    with pytest.raises(PermanentError, match="larger than"):
        BoundedHttpClient(HttpClientLimits(max_body=1 << 20)).request("GET", listener.url)
    small = listen(says(answer(gzip.compress(b"fine"), "Content-Encoding: gzip")))
    assert BoundedHttpClient().request("GET", small.url).body == b"fine"
    endless = listen(says(answer(b"x" * 5000)))
    with pytest.raises(PermanentError, match="larger than"):
        BoundedHttpClient(HttpClientLimits(max_body=4999)).request("GET", endless.url)


def test_a_large_head_is_refused(listen: Callable[..., Listener]) -> None:
    listener = listen(says(answer(b"", *(f"X-{number}: {'x' * 4000}" for number in range(40)))))
    with pytest.raises(PermanentError, match="head"):
        BoundedHttpClient().request("GET", listener.url)


@pytest.mark.parametrize(
    ("method", "error"),
    [("GET", TemporaryError), ("PUT", TemporaryError), ("POST", OutcomeUnknown), ("PATCH", OutcomeUnknown)],
)
def test_a_lost_answer(listen: Callable[..., Listener], method: str, error: type[ProviderError]) -> None:
    with pytest.raises(error) as caught:
        BoundedHttpClient().request(method, listen(hangs_up).url + "/?token=canary", {"X": "canary"}, b"")
    assert "canary" not in f"{caught.value} {caught.value.where}"
    short = listen(says(answer(b"12345")[:-1]))
    with pytest.raises(error):
        BoundedHttpClient(HttpClientLimits(read=0.5)).request(method, short.url)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for method in ("GET", "POST"):
        with pytest.raises(TemporaryError, match="refused"):
            BoundedHttpClient().request(method, f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://user:word@127.0.0.1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: y",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http:///x",
        "http://127.0.0.1:99999999/",
        "",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(PermanentError):
        BoundedHttpClient().request("GET", url)


def test_headers_cannot_break_lines(listen: Callable[..., Listener]) -> None:
    listener = listen(says(answer(b"")))
    for headers in ({"X": "a\r\nY: b"}, {"X\r\nY": "a"}):
        with pytest.raises(PermanentError, match="cannot be sent"):
            BoundedHttpClient().request("GET", listener.url, headers)
    assert listener.heads == []


def test_plain_http_can_be_forbidden(listen: Callable[..., Listener]) -> None:
    with pytest.raises(PermanentError, match="https"):
        BoundedHttpClient(allow_plain=False).request("GET", listen(says(answer(b""))).url)


def test_addresses_are_judged_before_anything_is_sent(listen: Callable[..., Listener]) -> None:
    listener = listen(says(answer(b"ok")))
    seen: list[str] = []

    def refuse(address: str) -> None:
        seen.append(address)
        raise PermanentError("not there")

    with pytest.raises(PermanentError, match="not there"):
        BoundedHttpClient(vet=refuse).request("GET", listener.url.replace("127.0.0.1", "localhost"))
    assert set(seen) <= {"127.0.0.1", "::1"}
    assert listener.connections == 0
    assert BoundedHttpClient(vet=seen.append).request("GET", listener.url).status == 200


def test_streams_both_ways(listen: Callable[..., Listener]) -> None:
    def script(peer: socket.socket, _: bytes) -> None:
        peer.sendall(answer(b"y" * 3_000_000))

    listener = listen(script)
    with BoundedHttpClient().stream("GET", listener.url) as found:
        sizes = [len(piece) for piece in found.pieces()]
    assert sum(sizes) == 3_000_000
    assert max(sizes) <= 1 << 18


def test_an_answer_that_comes_before_the_upload_is_over_is_read() -> None:
    """A registry refuses a layer by its head, and does not wait for the rest of it."""

    def serve(peer: socket.socket) -> None:
        peer.recv(1 << 16)
        peer.sendall(answer(b"no", status="413 Content Too Large"))

    size = 64 << 20
    with listening(serve) as port:
        pieces = (bytes(1 << 20) for _ in range(size >> 20))
        url, headers = f"http://127.0.0.1:{port}/", {"Content-Length": str(size)}
        with BoundedHttpClient().stream("PUT", url, headers, pieces) as found:
            assert (found.status, b"".join(found.pieces())) == (413, b"no")


def test_what_the_source_of_an_upload_raises_comes_out_as_it_is(listen: Callable[..., Listener]) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the disk")

    with (
        pytest.raises(OSError, match="the disk"),
        BoundedHttpClient().stream("PUT", listen(says(b"")).url, {"Content-Length": "2"}, pieces()),
    ):
        pass


def test_what_is_not_read_to_the_end_is_not_used_again(listen: Callable[..., Listener]) -> None:
    listener = listen(says(answer(b"y" * 300_000)))
    client = BoundedHttpClient()
    with client.stream("GET", listener.url) as found:
        next(found.pieces())
    assert client.request("GET", listener.url).status == 200
    assert listener.connections == 2


def test_a_query_is_sent_in_characters_that_a_url_has(listen: Callable[..., Listener]) -> None:
    listener = listen(says(answer(b"")))
    BoundedHttpClient().request("GET", listener.url + '/q%20r?query=up{job="a"}&x=%7B#part')
    assert listener.heads[0].startswith(b"GET /q%20r?query=up%7Bjob=%22a%22%7D&x=%7B HTTP/1.1\r\n")


def test_a_packed_body_comes_in_pieces_and_ends_where_it_says(listen: Callable[..., Listener]) -> None:
    packed = gzip.compress(b"z" * 3_000_000)
    good = listen(says(answer(packed, "Content-Encoding: gzip")))
    with BoundedHttpClient().stream("GET", good.url) as found:
        sizes = [len(piece) for piece in found.pieces()]
    assert sum(sizes) == 3_000_000 and max(sizes) <= 1 << 18
    with pytest.raises(TemporaryError, match="no whole answer"):
        BoundedHttpClient().request("GET", listen(says(answer(packed[:-9], "Content-Encoding: gzip"))).url)


def test_certificates_are_verified_unless_the_host_is_named(listen: Callable[..., Listener], tmp_path: Path) -> None:
    with part():
        ours, theirs = create_authority(tmp_path / "ours"), create_authority(tmp_path / "theirs")
        server = ours.server(tmp_path, "web")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    listener = listen(says(answer(b"ok")), context)
    assert BoundedHttpClient(ca_file=ours.bundle).request("GET", listener.url).body == b"ok"
    for client in (
        BoundedHttpClient(),
        BoundedHttpClient(ca_file=theirs.bundle),
        BoundedHttpClient(insecure_hosts=frozenset({"x"})),
    ):
        with pytest.raises(PermanentError, match="not trusted"):
            client.request("GET", listener.url, {"Authorization": "canary"})
    named = BoundedHttpClient(insecure_hosts=frozenset({f"127.0.0.1:{listener.port}"}))
    assert named.request("GET", listener.url).body == b"ok"
    plain = listen(says(b""), greeting=answer(b"", status="400 Bad Request"))
    with pytest.raises(PermanentError, match="TLS"):
        BoundedHttpClient().request("GET", plain.url.replace("http:", "https:"))
