"""hwplan commands in processes of their own that need not import everything again: forked from one that has.

A command costs half a second of processor time before it does anything, and the suite runs thousands of them. What is
forked is a process like any other: its own arguments, environment, folder, streams and exit. What a fork hides (the
order of imports, the start of the interpreter, what is kept for a text that is read again) is tested by the tests that
start the program itself.

Run as a program it is the server: it owns one socket, holds no threads, and ends when its client does.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import pkgutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from pydantic import BaseModel

_ROOT = Path(__file__).parent.parent.parent
_LENGTH = struct.Struct("!I")
_FDS = 4  # stdin, stdout, stderr, and where to say how it ended


class WarmCommand:
    """A command that runs. `pid` is its own; `wait` gives its exit code, negative for a signal."""

    def __init__(self, reply: socket.socket) -> None:
        self._reply = reply
        (self.pid,) = _LENGTH.unpack(_exactly(reply, _LENGTH.size))

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end. Raises TimeoutError; it goes on then."""
        self._reply.settimeout(seconds)
        (status,) = _LENGTH.unpack(_exactly(self._reply, _LENGTH.size))
        self._reply.close()
        return os.waitstatus_to_exitcode(status)


class WarmCommands:
    """The client of a server, started at its first command. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None

    def start(
        self, words: Sequence[str], folder: Path, env: Mapping[str, str], streams: tuple[int, int, int]
    ) -> WarmCommand:
        """Start `hwplan WORDS` in `folder` with this whole environment and these descriptors."""
        request = json.dumps({"words": list(words), "folder": str(folder), "env": dict(env)}).encode()
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            control = self._control = self._control or _server()
            socket.send_fds(control, [_LENGTH.pack(len(request))], [*streams, theirs.fileno()])
            control.sendall(request)
        return WarmCommand(ours)

    def run(
        self, words: Sequence[str], folder: Path, env: Mapping[str, str], *, stdin: str = "", timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run `hwplan WORDS` to its end, as `subprocess.run` would. Raises subprocess.TimeoutExpired; it is killed
        then."""
        with ExitStack() as files:
            given, out, err = (files.enter_context(TemporaryFile("w+", encoding="utf-8", newline="")) for _ in range(3))
            given.write(stdin)
            given.seek(0)
            command = self.start(words, folder, env, (given.fileno(), out.fileno(), err.fileno()))
            try:
                code = command.wait(timeout)
            except TimeoutError:
                os.kill(command.pid, signal.SIGKILL)
                command.wait(60)
                raise subprocess.TimeoutExpired(list(words), timeout, _read(out), _read(err)) from None
            return subprocess.CompletedProcess(list(words), code, _read(out), _read(err))


WARM = WarmCommands()  # one server for a process of the test runner


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read().replace("\r\n", "\n")


def _server() -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
    atexit.register(_stop, ours, server)
    return ours


def _stop(control: socket.socket, server: subprocess.Popen[bytes]) -> None:
    control.close()
    server.wait()


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = source.recv(size - len(data))
        if not piece:
            raise EOFError("the process that starts commands has ended")
        data += piece
    return data


def _serve(control: socket.socket) -> list[str] | None:
    """Fork for each request. Returns in the process of a command, which is set up then, and, with None, when the
    client is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for commands
    while True:
        head, fds, _, _ = socket.recv_fds(control, _LENGTH.size, _FDS)
        if not head:
            return None
        request = json.loads(_exactly(control, _LENGTH.unpack(head)[0]))
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if (pid := os.fork()) == 0:
                return _become(request, fds)
            _report(pid, fds)
        for fd in fds:
            os.close(fd)


def _report(pid: int, fds: Sequence[int]) -> NoReturn:
    """Say the pid, wait, say the status."""
    for fd in fds[:3]:
        os.close(fd)
    with socket.socket(fileno=fds[3]) as reply:
        reply.sendall(_LENGTH.pack(pid))
        _, status = os.waitpid(pid, 0)
        with suppress(BrokenPipeError):
            reply.sendall(_LENGTH.pack(status))
    os._exit(0)


def _become(request: Mapping[str, Any], fds: Sequence[int]) -> list[str]:
    """Make this process the one that was asked for. Gives its arguments."""
    for target, fd in enumerate(fds[:3]):
        os.dup2(fd, target)
    for fd in fds:
        os.close(fd)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.stdin = _text(io.BufferedReader(io.FileIO(0)))
    sys.stdout = _text(io.BufferedWriter(io.FileIO(1, "w")))
    sys.stderr = _text(io.BufferedWriter(io.FileIO(2, "w")), errors="backslashreplace", line_buffering=True)
    return list(request["words"])


def _text(stream: io.BufferedReader | io.BufferedWriter, **how: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, encoding="utf-8", **how)


def _import_everything() -> None:
    for name in ("planner", "providers", "state"):
        package = import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith(("__main__", "ssa.generate")):  # programs
                with suppress(ImportError):  # an optional library that is not installed
                    import_module(module.name)
    _fill_caches()
    gc.collect()
    gc.freeze()  # what is shared stays shared


def _fill_caches() -> None:
    """Make once what every command would make again of the same text: models, compiled templates, tables."""
    from planner.jinja_templating import TemplateProblem, render_template
    from planner.loading.config import load_config
    from planner.spec.base import StrictModel
    from providers.kubernetes.snapshot.folder_layout import parse_object_yaml
    from providers.kubernetes.ssa.merge_types import MergeTypeTable

    for stack in (_ROOT, _ROOT / "tests" / "cases" / "config" / "base"):
        load_config(stack / "config")
        for template in (stack / "templates").rglob("*.j2"):
            with suppress(TemplateProblem):  # there are no values for its names; by then it is compiled
                render_template(template, {})
    for model in _subclasses(StrictModel):
        model.model_rebuild()
    MergeTypeTable.builtin()
    parse_object_yaml("{}", "")  # makes the reader


def _subclasses(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


if __name__ == "__main__":
    _import_everything()
    words = _serve(socket.socket(fileno=int(sys.argv[1])))
    if words is not None:
        sys.argv = ["hwplan", *words]
        from planner.cli import main

        main()
