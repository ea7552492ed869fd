"""Follows objects of an API server: a cache of some kinds, retained by watches, and a queue of what changed.

Owns connections and threads. A watch that breaks lists anew and goes on; nothing is decided here.
"""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from tests.testbed.api import Api
from tests.testbed.errors import TestbedError

Document = dict[str, Any]
_PAUSE = 0.2  # seconds before a broken watch is begun again


class Key(NamedTuple):
    """An object: kind, namespace, name."""

    kind: str
    namespace: str
    name: str


def key_of(document: Mapping[str, Any], kind: str) -> Key:
    """The key of an object of this kind."""
    return Key(kind, document["metadata"]["namespace"], document["metadata"]["name"])


def version(document: Mapping[str, Any]) -> int:
    """The resourceVersion as a number: of two versions of one object, the higher is the later."""
    return int(document["metadata"]["resourceVersion"])


@dataclass
class Follower:
    """The cache of all objects of `paths` (kind -> path of its list), and what happened to them."""

    api: Api
    paths: Mapping[str, str]
    changed: "SimpleQueue[Key]" = field(default_factory=SimpleQueue)
    objects: dict[Key, Document] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _sockets: set[socket.socket] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """List all kinds, then follow them until `stop`."""
        for kind, path in self.paths.items():
            since = self._list(kind, path)
            thread = threading.Thread(target=self._follow, args=(kind, path, since), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End all watches; returns when their threads are over."""
        self._over.set()
        with self._lock:
            open_now = list(self._sockets)
        for one in open_now:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def next(self, seconds: float) -> Key | None:
        """The next thing that changed, or None after so many seconds."""
        with suppress(Empty):
            return self.changed.get(timeout=seconds)
        return None

    def get(self, key: Key) -> Document | None:
        """An object as it was last seen."""
        with self._lock:
            return self.objects.get(key)

    def all(self, kind: str, namespace: str | None = None) -> list[Document]:
        """All objects of a kind, in one namespace or everywhere."""
        with self._lock:
            return [one for key, one in self.objects.items() if key.kind == kind and namespace in (None, key.namespace)]

    def learn(self, kind: str, document: Document) -> None:
        """Take in what a write of our own answered, so that it is known before its event arrives."""
        self._take(key_of(document, kind), document)

    def _take(self, key: Key, document: Document) -> bool:
        with self._lock:
            known = self.objects.get(key)
            if known is not None and version(known) >= version(document):
                return False
            self.objects[key] = document
            return True

    def _list(self, kind: str, path: str) -> str:
        found = self.api.get(path)
        seen = set()
        for one in found["items"]:
            seen.add(key_of(one, kind))
            self._take(key_of(one, kind), one)
        with self._lock:
            gone = [key for key in self.objects if key.kind == kind and key not in seen]
            for key in gone:
                del self.objects[key]
        for key in (*seen, *gone):
            self.changed.put(key)
        return str(found["metadata"]["resourceVersion"])

    def _follow(self, kind: str, path: str, since: str) -> None:
        while not self._over.is_set():
            try:
                join = "&" if "?" in path else "?"
                for event in self._events(f"{path}{join}watch=1&resourceVersion={since}"):
                    if event.get("type") in ("ERROR", None):  # None: no event, the request itself was refused
                        break
                    since = event["object"]["metadata"]["resourceVersion"]
                    self._event(kind, event)
            except (OSError, ValueError, TestbedError):
                pass
            if self._over.wait(_PAUSE):
                return
            with suppress(OSError, TestbedError):
                since = self._list(kind, path)

    def _event(self, kind: str, event: Document) -> None:
        key = key_of(event["object"], kind)
        if event["type"] == "DELETED":
            with self._lock:
                self.objects.pop(key, None)
        else:
            self._take(key, event["object"])
        self.changed.put(key)

    def _events(self, path: str) -> Iterator[Document]:
        connection = self.api.connect(timeout=None)
        try:
            connection.request("GET", path, headers=self.api.headers())
            wire = connection.sock
            with self._lock:
                self._sockets.add(wire)
            try:
                answer = connection.getresponse()
                while line := answer.readline():
                    yield json.loads(line)
            finally:
                with self._lock:
                    self._sockets.discard(wire)
        finally:
            connection.close()
