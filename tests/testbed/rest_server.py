"""A small real REST server: collections, entity tags, a token, and faults that the test orders.

A collection lives below `/api/<name>`; objects get a number as `id`, masked fields are taken and never given back.
`/health` answers anybody. What was asked is retained with all headers, so that a test can count requests and look for
credentials.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.testbed.listening import http_listening

Json = Any
FAULTS = ("lost", "undone", "cut")  # answered by silence: after the effect, before it, in the middle of the answer


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RestServer:
    """The state of a server; change it between requests.

    `token` is the bearer that must be sent ("" for none). `faults` are used up by requests of their method, in order: a
    status with headers and body, or one of FAULTS. `before` is called once, right before the next request of its method
    takes effect. `masked` fields are answered as `***`, `hidden` ones not at all.
    """

    token: str = ""
    envelope: bool = False
    page_size: int = 0
    paging: str = "page"
    masked: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    hidden_in_lists: tuple[str, ...] = ()
    tags: bool = True
    item_route: bool = True
    merges: bool = False
    collections: dict[str, list[dict[str, Json]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: dict[str, deque[Any]] = field(default_factory=dict)
    before: dict[str, Any] = field(
        default_factory=dict
    )  # method -> called once, right before the next one takes effect
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def fault(self, method: str, *faults: Any) -> None:
        """Order faults for the next requests of a method."""
        self.faults.setdefault(method, deque()).extend(faults)

    def count(self, method: str, path: str = "") -> int:
        """How many requests came, to any path or to one without its query."""
        return sum(one.method == method and (not path or urlsplit(one.path).path == path) for one in self.asked)

    def objects(self, name: str) -> list[dict[str, Json]]:
        """The objects of a collection, with what is never given back."""
        return self.collections.setdefault(name, [])

    def put(self, collection: str, /, **fields: Json) -> dict[str, Json]:
        """Add an object, as anybody may."""
        with self.lock:
            objects = self.objects(collection)
            one = {"id": max((each["id"] for each in objects), default=0) + 1, **fields}
            objects.append(one)
            return one

    def etag(self, one: dict[str, Json]) -> str:
        """The tag of an object's state."""
        return f'"{hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()[:16]}"'

    def shown(self, one: dict[str, Json], *, listed: bool = False) -> dict[str, Json]:
        """An object as it is answered."""
        gone = (*self.hidden, *(self.hidden_in_lists if listed else ()))
        return {key: "***" if key in self.masked else value for key, value in one.items() if key not in gone}


@contextmanager
def rest_server(**options: Any) -> Iterator[RestServer]:
    """A running server; it ends with the block."""
    state = RestServer(**options)

    class Handler(_Handler):
        world = state

    with http_listening(Handler) as port:
        state.url = f"http://127.0.0.1:{port}"
        yield state


class _Handler(http.server.BaseHTTPRequestHandler):
    world: RestServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Write no log."""

    def _serve(self) -> None:
        world = self.world
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with world.lock:
            world.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
            fault = world.faults[self.command].popleft() if world.faults.get(self.command) else None
            if isinstance(fault, tuple):
                self._answer(*fault)
                return
            if fault != "undone":
                world.before.pop(self.command, lambda: None)()
                answer = self._judge(body)
        if fault in ("lost", "undone"):
            self._hang_up()
        elif fault == "cut":
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"dat')
            self._hang_up()
        else:
            self._answer(*answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, headers: dict[str, str], body: Json) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    # What the API does

    def _judge(self, body: bytes) -> tuple[int, dict[str, str], Json]:
        world, parts = self.world, urlsplit(self.path)
        if parts.path == "/health":  # whoever asks
            return 200, {}, {"status": "ok"}
        if world.token and self.headers.get("Authorization") != f"Bearer {world.token}":
            return 401, {}, {"message": "who are you"}
        words = [unquote(word) for word in parts.path.split("/")][1:]
        if len(words) == 2 and words[0] == "api":
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            return self._list(words[1], query) if self.command == "GET" else self._create(words[1], body)
        if len(words) == 3 and words[0] == "api" and (world.item_route or self.command != "GET"):
            return self._item(words[1], words[2], body)
        return 404, {}, {"message": "no such route"}

    def _list(self, name: str, query: dict[str, str]) -> tuple[int, dict[str, str], Json]:
        world = self.world
        everything = [world.shown(one, listed=True) for one in world.objects(name)]
        size = world.page_size or len(everything) or 1
        start = int(query.get("page", 1)) * size - size if world.paging in ("page", "link") else 0
        start = int(query.get("offset", query.get("cursor", start)))
        here, more = everything[start : start + size], start + size < len(everything)
        headers = {}
        if world.paging == "link" and more:
            headers["Link"] = f'</api/{name}?page={start // size + 2}>; title="a, b"; rel="next"'
        if not world.envelope:
            return 200, headers, here
        cursor = str(start + size) if more else None
        return 200, headers, {"data": {"items": here, "total": len(everything), "next": cursor}}

    def _create(self, name: str, body: bytes) -> tuple[int, dict[str, str], Json]:
        one = json.loads(body)
        if one.get("name") == "refused":
            return 422, {}, {"detail": "this name is taken by the house"}
        if any(each.get("name") == one.get("name") for each in self.world.objects(name)):
            return 409, {}, {"message": "it exists"}
        return 201, {}, self.world.shown(self.world.put(name, **one))

    def _item(self, name: str, identifier: str, body: bytes) -> tuple[int, dict[str, str], Json]:
        world, objects = self.world, self.world.objects(name)
        one = next((each for each in objects if str(each["id"]) == identifier), None)
        if one is None and self.command == "PUT" and not identifier.isdigit():
            objects.append({"id": identifier, **json.loads(body)})
            return 201, {}, {}
        if one is None:
            return 404, {}, {"message": "no such object"}
        tag = {"ETag": world.etag(one)} if world.tags else {}
        if self.command == "GET":
            return 200, tag, {"data": world.shown(one)} if world.envelope else world.shown(one)
        if self.headers.get("If-Match") not in (None, world.etag(one)):
            return 412, {}, {}
        sent = json.loads(body)
        new = {**one, **sent} if self.command == "PATCH" else {**sent, "id": one["id"]}
        objects[objects.index(one)] = _merged(one, sent) if self.command == "PATCH" and world.merges else new
        return 200, {}, {}


def _merged(one: Json, patch: Json) -> Json:
    """RFC 7396."""
    if not isinstance(one, dict) or not isinstance(patch, dict):
        return patch
    return {**one, **{key: _merged(one.get(key), value) for key, value in patch.items()}}
