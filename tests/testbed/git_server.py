"""Git servers on 127.0.0.1: smart HTTP by `git http-backend`, ssh by a real sshd, and a CONNECT proxy, all with faults.

Owns servers only; repositories are those of a folder that the test gives. The HTTP server and the proxy are threads of
this process, sshd is a child that is stopped by its id.
"""

import http.server
import os
import shutil
import socket
import socketserver
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path
from typing import Literal

from tests.testbed import listening, processes
from tests.testbed.errors import PartMissing

_RESET = struct.pack("ii", 1, 0)
_PIECE = 64 * 1024


@dataclass
class GitRule:
    """What happens to the next `times` requests whose method and path with query `matches` says yes to.

    `status` answers with `code`, `headers` and `body` and asks nobody, `lose-request` resets the connection instead,
    `lose-answer` lets git do its work first, `cut-answer` does too and sends half of the answer. The first `skip` that
    match are spared.
    """

    action: Literal["status", "lose-request", "lose-answer", "cut-answer"]
    times: int = 1
    code: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"no\n"
    matches: Callable[[str, str], bool] = field(default=lambda _method, _path: True)
    skip: int = 0


@dataclass
class GitHttp:
    """A running HTTP server of all repositories below `root`; `requests` are method and path of all that came,
    `failures` what retained this server from answering, for whoever reads why a test failed."""

    root: Path
    port: int = 0
    rules: list[GitRule] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, name: str) -> str:
        """The URL of a repository below `root`."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def listings(self, service: str = "git-upload-pack") -> int:
        """How often refs were listed for a service: an `ls-remote` is one, a fetch one more, a push one of its own."""
        return sum(path.endswith(f"info/refs?service={service}") for _, path in self.requests)

    def rule_for(self, method: str, path: str) -> GitRule | None:
        """Note a request, and use up the rule for it."""
        with self.lock:
            self.requests.append((method, path))
            for rule in self.rules:
                if rule.times and rule.matches(method, path):
                    if rule.skip:
                        rule.skip -= 1
                        continue
                    rule.times -= 1
                    return rule
        return None


@contextmanager
def http_server(root: Path, *, lasting: bool = False) -> Iterator[GitHttp]:
    """Serve the repositories below `root`, for reading and pushing, without authentication; `lasting` for the
    session."""
    value = GitHttp(root)

    class Handler(_CgiHandler):
        git = value

    server = _QuietServer(Handler, lasting=lasting)
    server.failures = value.failures
    with listening.running(server) as value.port:
        yield value


class _QuietServer(listening.HttpServer):
    """Does not print that a client went away: tests cut connections on purpose."""

    failures: list[str]

    def handle_error(self, request: object, client_address: object) -> None:
        self.failures.append(f"before a request: {sys.exc_info()[1]!r}")


class _CgiHandler(http.server.BaseHTTPRequestHandler):
    """The gateway to `git http-backend` (gitprotocol-http, CGI of RFC 3875)."""

    git: GitHttp
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        if self.path.startswith("http://"):  # asked as a proxy, which has the whole URL: by a name that only pods know
            self.path = "/" + self.path.split("/", 3)[3]
        rule = self.git.rule_for(self.command, self.path)
        try:
            if rule and rule.action == "lose-request":
                return self._reset()
            body = self._body()
            if rule and rule.action == "status":
                return self._send(
                    rule.code, list(({"Content-Type": "text/plain"} | dict(rule.headers)).items()), rule.body
                )
            status, headers, content = self._run(body)
            if rule and rule.action == "lose-answer":
                return self._reset()
            self._send(status, headers, content, cut=bool(rule and rule.action == "cut-answer"))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self.git.failures.append(f"{self.command} {self.path}: {error!r}")
            self.close_connection = True

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            wanted = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(wanted)
            if len(body) < wanted:
                raise OSError("the request was cut")
            return body
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            if len(pieces[-1]) < size:
                raise OSError("the request was cut")
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _run(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.git.root), "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "tester", "REMOTE_ADDR": "127.0.0.1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, timeout=60)
        if not done.stdout:  # an empty 200 would be taken for an empty server
            words = done.stderr.decode(errors="replace").strip()[-500:]
            raise OSError(f"git http-backend ended with {done.returncode} and {len(done.stdout)} bytes: {words}")
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        status, headers = 200, []
        for line in head.decode().splitlines():
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value))
        return status, headers, content

    def _send(self, status: int, headers: list[tuple[str, str]], content: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.connection.close()
        self.close_connection = True


@dataclass(frozen=True)
class GitSsh:
    """A running sshd: lines of known_hosts for it (on any port of 127.0.0.1), and a private key that may log in."""

    port: int
    host_key: str
    identity: Path
    log: Path

    def url(self, repository: Path, port: int | None = None) -> str:
        """The URL of a repository, through another port if one is given."""
        return f"ssh://{getuser()}@127.0.0.1:{port or self.port}{repository}"

    def known_hosts(self, port: int | None = None) -> list[str]:
        """The host key, as known_hosts has it."""
        return [f"[127.0.0.1]:{port or self.port} {self.host_key}"]


@contextmanager
def ssh_server(folder: Path) -> Iterator[GitSsh]:
    """A real sshd with keys and configuration of its own in `folder`. Raises PartMissing without openssh-server."""
    binary = shutil.which("sshd") or ("/usr/sbin/sshd" if Path("/usr/sbin/sshd").exists() else None)
    if binary is None or shutil.which("ssh") is None:
        raise PartMissing("sshd or ssh is not installed (Debian: openssh-server, openssh-client)")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it locks itself up before a login
    host, user = _key(folder / "host_key"), _key(folder / "user_key")
    (folder / "authorized_keys").write_text(user + "\n")
    port = processes.free_ports(1)[0]
    (folder / "sshd_config").write_text(_SSHD.format(port=port, folder=folder))
    process = processes.start("sshd", [binary, "-D", "-e", "-f", folder / "sshd_config"], folder / "sshd.log")
    try:
        processes.wait_until("sshd", lambda: processes.listens(port), process)
        yield GitSsh(port, host, folder / "user_key", folder / "sshd.log")
    finally:
        processes.stop(process)


_SSHD = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AcceptEnv GIT_PROTOCOL
# Or else a login shell that is bash reads the user's ~/.bashrc, which may be slow and may print.
SetEnv SHLVL=2
MaxStartups 100
# The quickest that both sides know: tests log in often.
KexAlgorithms curve25519-sha256
"""


def _key(path: Path) -> str:
    """Make a key pair; gives the public half without its comment."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@dataclass
class ConnectProxy:
    """A running HTTP proxy that only tunnels; `mode` may be set at any time, `targets` are those asked for."""

    port: int = 0
    mode: Literal["tunnel", "reset", "status", "close", "hang", "garbage", "endless"] = "tunnel"
    code: int = 503
    times: int | None = None  # how many connections the mode holds for; None for all
    targets: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """As `ssh.proxy` has it."""
        return f"http://127.0.0.1:{self.port}"

    def mode_of_next(self) -> str:
        """The mode for one connection."""
        with self.lock:
            if self.times is None:
                return self.mode
            self.times -= 1
            return self.mode if self.times >= 0 else "tunnel"


@contextmanager
def connect_proxy() -> Iterator[ConnectProxy]:
    """An HTTP CONNECT proxy on a free port."""
    value = ConnectProxy()
    over = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                _serve(value, self.rfile, self.connection, over)

    class Server(listening.JoinedThreads, socketserver.TCPServer):
        """Tunnels, each in a thread of its own."""

    with listening.running(Server(("127.0.0.1", 0), Handler)) as value.port:
        try:
            yield value
        finally:
            over.set()


_CANNED: Mapping[str, bytes] = {
    "garbage": b"SSH-2.0-hello\r\n\r\n",
    "endless": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 9999,
}


def _serve(value: ConnectProxy, reader: object, connection: socket.socket, over: threading.Event) -> None:
    mode = value.mode_of_next()
    if mode == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        return
    lines = []
    while (line := reader.readline()) not in (b"\r\n", b"\n", b""):  # type: ignore[attr-defined]
        lines.append(line)
    target = lines[0].split()[1].decode() if lines else ""
    value.targets.append(target)
    if mode == "status":
        connection.sendall(f"HTTP/1.1 {value.code} No\r\nContent-Length: 0\r\n\r\n".encode())
    elif mode == "hang":
        over.wait(60)
    elif mode in _CANNED:
        connection.sendall(_CANNED[mode])
    elif mode == "tunnel":
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as server:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            server.settimeout(None)
            thread = threading.Thread(target=_copy, args=(connection, server), daemon=True)
            thread.start()
            _copy(server, connection)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
