"""A TCP proxy that makes the network worse: latency, reset, cut, half-close, black hole.

Owns bytes and connections only; it does not look into them, so TLS passes through untouched. Faults that need to know
what a request is (status storms, lost answers) are in `http_proxy.py`. It runs an event loop in a thread of its own.
"""

import asyncio
import socket
import struct
import threading
import time
import urllib.parse
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

_CHUNK = 64 * 1024
_QUEUE = 256
_RESET = struct.pack("ii", 1, 0)
Direction = Literal["up", "down"]
Outcome = Literal["end", "reset", "cut"]


@dataclass(frozen=True)
class Faults:
    """What is wrong with connections. Counts of bytes are per connection and direction; `up` is towards the server.

    `latency` is in seconds, each way. `reset_after` cuts the connection with RST once that many bytes came down,
    `cut_after` closes it properly at that byte, `half_close_after` ends only the way down and leaves the way up open,
    `black_hole` swallows everything in both directions, `refuse` resets new connections at once. `count` limits all but
    latency to that many connections; later ones are healthy.
    """

    latency: float = 0.0
    reset_after: int | None = None
    reset_after_up: int | None = None
    cut_after: int | None = None
    half_close_after: int | None = None
    black_hole: bool = False
    refuse: bool = False
    count: int | None = None

    def limit(self, way: "Direction") -> tuple[int | None, "Outcome"]:
        """Return after how many bytes that way ends, if it does, and how."""
        if way == "up":
            return self.reset_after_up, "reset"
        ends: list[tuple[int | None, Outcome]] = [
            (self.reset_after, "reset"),
            (self.cut_after, "cut"),
            (self.half_close_after, "end"),
        ]
        return next((end for end in ends if end[0] is not None), (None, "end"))

    def healthy(self) -> "Faults":
        """Return what stays of this once `count` connections had it: the latency."""
        return Faults(latency=self.latency)


@dataclass
class Traffic:
    """What went through so far."""

    connections: int = 0
    up: int = 0
    down: int = 0


class FaultProxy:
    """A listener on a free port of 127.0.0.1 in front of one server; `faults` may be set at any time.

    New faults hold for new connections, latency and black hole for open ones too.
    """

    def __init__(self, host: str, port: int, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.traffic = Traffic()
        self.port = 0
        self._target = (host, port)
        self._afflicted = 0
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    @classmethod
    def before(cls, url: str, faults: Faults | None = None) -> Self:
        """Return a proxy in front of the server of a URL."""
        parts = urllib.parse.urlsplit(url)
        return cls(parts.hostname or "127.0.0.1", parts.port or 443, faults)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def drop_connections(self) -> None:
        """Reset every open connection."""
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_CHUNK)

    async def _close(self) -> None:
        self._server.close()
        await self._cancel_all()

    async def _cancel_all(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until one side is done with it or a fault ends it; cancelled, it is reset."""
        faults = self._faults_of_next()
        self.traffic.connections += 1
        server: asyncio.StreamWriter | None = None
        reset = True
        try:
            if faults.refuse:
                return
            answers, server = await asyncio.open_connection(*self._target, limit=_CHUNK)
            up = self._carry("up", reader, server, faults)
            down = self._carry("down", answers, writer, faults)
            reset = await _first_cut(self._loop.create_task(up), self._loop.create_task(down))
        except (OSError, asyncio.CancelledError):
            reset = True
        finally:
            for end in (writer, server):
                if end is not None:
                    _end(end, reset=reset)

    def _faults_of_next(self) -> Faults:
        faults = self.faults
        if faults.count is not None and self._afflicted >= faults.count:
            return faults.healthy()
        self._afflicted += 1
        return faults

    async def _carry(
        self, way: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults
    ) -> Outcome:
        """Carry bytes one way; every chunk arrives `latency` after it was sent, however many are under way."""
        line = _DelayLine(writer)
        sender = self._loop.create_task(line.send())
        left, outcome = faults.limit(way)
        try:
            while left != 0 and (data := await reader.read(_CHUNK)):
                if self.faults.black_hole:
                    continue
                piece = data[:left]
                await line.put(piece, self.faults.latency)
                self._count(way, len(piece))
                left = None if left is None else left - len(piece)
            if self.faults.black_hole:
                await self._loop.create_future()
            outcome = outcome if left == 0 else "end"
            await line.finish(sender, say_so=outcome != "reset")
        finally:
            sender.cancel()
        return outcome

    def _count(self, way: Direction, size: int) -> None:
        setattr(self.traffic, way, getattr(self.traffic, way) + size)


class _DelayLine:
    """Bytes under way, each chunk with the time at which it arrives."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._chunks: deque[tuple[float, bytes]] = deque()
        self._changed = asyncio.Condition()
        self._finished = False

    async def put(self, data: bytes, latency: float) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._chunks) < _QUEUE)
            self._chunks.append((time.monotonic() + latency, data))
            self._changed.notify_all()

    async def finish(self, sender: "asyncio.Task[None]", *, say_so: bool) -> None:
        """Wait until all has arrived, then say to the receiver that no more comes, if that is wanted."""
        async with self._changed:
            self._finished = True
            self._changed.notify_all()
        await sender
        if say_so:
            with suppress(OSError):
                self._writer.write_eof()

    async def send(self) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._chunks) or self._finished)
                if not self._chunks:
                    return
                arrival, data = self._chunks.popleft()
                self._changed.notify_all()
            await asyncio.sleep(max(0.0, arrival - time.monotonic()))
            self._writer.write(data)
            await self._writer.drain()


async def _first_cut(*tasks: "asyncio.Task[Outcome]") -> bool:
    """Wait until both ways ended, or one was cut; say whether the end is a reset."""
    pending = set(tasks)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            outcomes = [task.result() for task in done]
            if "reset" in outcomes or "cut" in outcomes:
                return "reset" in outcomes
        return False
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _end(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset:
        connection = writer.get_extra_info("socket")
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
    else:
        writer.close()
