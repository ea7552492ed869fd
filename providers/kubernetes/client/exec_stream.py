"""A command in a container: the channels of the API server's exec over a WebSocket, a deadline, a bounded log.

Protocol: v5.channel.k8s.io, or v4 from servers before 1.30 (KEP-4006, apimachinery util/remotecommand). Each message
begins with its channel: 1 stdout, 2 stderr, 3 the Status at the end. Nothing is sent to the command, there is no
terminal and no shell. Owns the one question that counts after a failure: whether the command may have run.
"""

from __future__ import annotations

import contextlib
import re
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import field
from typing import Final

from planner.dataclass import dataclass
from planner.values import JsonObject
from planner.whole_number import parse_whole_number
from providers.cluster_interface import EXEC_OUTPUT, EndedCommand
from providers.http.connections import UpgradedConnection
from providers.json_answer import parse_json_answer
from providers.kubernetes.client.api_exchange import ApiRequest
from providers.kubernetes.client.transport import Transport
from providers.kubernetes.client.websocket import (
    MalformedFrame,
    WebSocketMessage,
    WebSocketOpcode,
    WebSocketReader,
    control_frame,
    expected_websocket_accept,
    new_websocket_key,
)
from providers.kubernetes.errors import CommandNotStarted, CommandUnsettled, OutcomeUnknown

PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDOUT, _STDERR, _STATUS = 1, 2, 3
_LARGEST = 1 << 20  # bytes of a message; API servers send at most 32 KiB
_CHUNK = 1 << 16
_PING = 5.0  # seconds of silence, so that nothing on the way takes the connection for idle; as kubectl does
_SILENT = 60.0  # seconds without a byte, though pinged: nobody is there
_GRACE = 1.0  # seconds for the output that arrives after the status
_EXIT_STATUS = re.compile(r"\bexit status (\d{1,3})$")  # a kubelet that does not distinguish exit codes (kwok)
# What runc, crun and the API server say of a command that was not even started. The path is anchored at the end: a
# kubelet may quote the command before it.
_NEVER_STARTED = re.compile(
    r"executable file not found in \$PATH(: unknown)?$|exec failed: unable to start container process: "
    r"|attempted to invoke a command that was not found|unable to upgrade connection: |error dialing backend: "
)


def exec_request_path(pod: str, container: str, command: Sequence[str]) -> str:
    """The path of the request. `pod` is the path of the pod; the command goes as it is, word by word."""
    words = [("command", word) for word in command]
    query = [*words, ("container", container), ("stdout", "true"), ("stderr", "true")]
    return f"{pod}/exec?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}"


def run_in_container(
    transport: Transport, request: ApiRequest, seconds: float, protocols: Sequence[str] = PROTOCOLS
) -> EndedCommand:
    """Run the command of `request` (see `exec_request_path`) for at most so many seconds after it was asked for.

    Raises CommandUnsettled when the command may have run and its end is not known; any other error says that it was
    not started.
    """
    deadline = time.monotonic() + seconds
    key = new_websocket_key()
    try:
        connection = transport.upgrade(request, _handshake(key, protocols))
    except OutcomeUnknown:
        raise CommandUnsettled("the answer of the server was lost", where=request.where) from None
    run = _Run(connection, request.where, deadline)
    try:
        run.check(key, protocols)
        return run.result()
    finally:
        connection.sock.close()


def _handshake(key: str, protocols: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Protocol", ", ".join(protocols)),
    )


@dataclass(slots=True)
class OutputTail:
    """Keeps the last bytes of an output of any length."""

    retained: bytearray = field(default_factory=bytearray)
    cut: int = 0

    def add(self, data: bytes) -> None:
        """Take more; what came first is dropped."""
        self.retained += data
        if (over := len(self.retained) - EXEC_OUTPUT) > 0:
            del self.retained[:over]
            self.cut += over


class _Run:
    """A command under way."""

    def __init__(self, connection: UpgradedConnection, where: str, deadline: float) -> None:
        self._connection, self._where, self._deadline = connection, where, deadline
        self._reader = WebSocketReader(_LARGEST)
        self._tail = OutputTail()
        self._status: JsonObject | None = None
        self._heard = time.monotonic()
        self._over = False

    def check(self, key: str, protocols: Sequence[str]) -> None:
        """See that the server speaks what was asked for."""
        headers = self._connection.headers
        agreed = headers.get("sec-websocket-protocol", "") in protocols
        if not agreed or headers.get("sec-websocket-accept") != expected_websocket_accept(key):
            raise self._unsettled("the server switched to a protocol that was not asked for")

    def result(self) -> EndedCommand:
        """Read to the end."""
        try:
            while self._status is None and not self._over:
                self._look(self._deadline)
            self._finish()
        except MalformedFrame as error:
            raise self._unsettled(f"the server sent {error}") from None
        except TimeoutError:
            raise self._unsettled("it did not end in time, and may still run") from None
        except OSError:
            raise self._unsettled("the connection broke") from None
        if self._status is None:
            raise self._unsettled("the connection ended before the command did")
        return self._judge(self._status)

    def _finish(self) -> None:
        """What is still on its way after the status; a connection that breaks now loses nothing that counts."""
        end = min(self._deadline, time.monotonic() + _GRACE)
        with contextlib.suppress(OSError):
            while not self._over:
                self._look(end)

    def _look(self, deadline: float) -> None:
        """Read once. Raises TimeoutError at the deadline, or when nobody is there any more."""
        now = time.monotonic()
        left = min(deadline, self._heard + _SILENT) - now
        if left <= 0:
            raise TimeoutError if now >= deadline else ConnectionError
        sock = self._connection.sock
        sock.settimeout(min(left, _PING))
        try:
            data = sock.recv(_CHUNK)
        except TimeoutError:
            sock.sendall(control_frame(WebSocketOpcode.PING))
            return
        self._heard = time.monotonic()
        self._over = not data
        for message in self._reader.feed(data):
            self._take(message)

    def _take(self, message: WebSocketMessage) -> None:
        match message:
            case (WebSocketOpcode.BINARY, payload):
                self._channel(payload[:1], payload[1:])
            case (WebSocketOpcode.PING, payload):
                self._connection.sock.sendall(control_frame(WebSocketOpcode.PONG, payload))
            case (WebSocketOpcode.CLOSE, _):
                self._over = True

    def _channel(self, channel: bytes, data: bytes) -> None:
        if channel in (bytes((_STDOUT,)), bytes((_STDERR,))):
            self._tail.add(data)
        elif channel == bytes((_STATUS,)) and data:
            self._status = _parsed(data)

    def _judge(self, status: JsonObject) -> EndedCommand:
        code = exit_code_of_status(status)
        if code is not None:
            return EndedCommand(code, bytes(self._tail.retained), self._tail.cut)
        if not self._tail.retained and _NEVER_STARTED.search(str(status.get("message") or "")):
            remedy = "check that the container has this program, and that the API server reaches its node"
            raise CommandNotStarted("the command could not be started", where=self._where, remedy=remedy)
        raise self._unsettled("the container runtime failed")

    def _unsettled(self, reason: str) -> CommandUnsettled:
        return CommandUnsettled(reason, where=self._where, output=bytes(self._tail.retained), cut=self._tail.cut)


def exit_code_of_status(status: JsonObject) -> int | None:
    """The exit code that a Status says; None when it says none (apimachinery util/remotecommand, `ExitCode`)."""
    if status.get("status") == "Success":
        return 0
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes if isinstance(causes, list) else ():
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode":
            code = parse_whole_number(str(cause.get("message")))
            if code is not None:
                return code
    reported = _EXIT_STATUS.search(str(status.get("message") or ""))
    return int(reported[1]) if reported else None


def _parsed(data: bytes) -> JsonObject:
    try:
        document = parse_json_answer(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise MalformedFrame("a status that is not JSON")
    return document
