"""Image registries for tests: the real docker-registry, and a hostile one of our own.

Owns their processes, ports and folders. The real one stores files in a folder of the test and allows deletes; its log
is in `log`. The hostile one keeps blobs and manifests in memory and does what its rules say.
"""

import hashlib
import http.server
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.testbed import processes
from tests.testbed.errors import PartMissing
from tests.testbed.listening import http_listening

_CONFIG = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: false}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_REQUEST = re.compile(r'"([A-Z]+) (/v2/\S*) HTTP/1\.1" (\d{3})')


@dataclass(frozen=True)
class ImageRegistry:
    """A running docker-registry."""

    host: str
    folder: Path
    log: Path

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return int(self.host.rpartition(":")[2])

    def requests(self, since: int = 0) -> list[tuple[str, str, int]]:
        """Method, path and status of what it answered after the first `since` requests."""
        found = _REQUEST.findall(self.log.read_text(errors="replace"))
        return [(method, path, int(status)) for method, path, status in found][since:]


@contextmanager
def running(folder: Path, port: int = 0) -> Iterator[ImageRegistry]:
    """A docker-registry with its files below `folder`, on a free port, or on one that it had before.

    Raises PartMissing where it is not installed.
    """
    program = shutil.which("docker-registry")
    if program is None:
        raise PartMissing("docker-registry is not installed (Debian package docker-registry)")
    folder.mkdir(parents=True, exist_ok=True)
    port = port or processes.free_ports(1)[0]
    config = folder / "config.yml"
    config.write_text(_CONFIG.format(root=folder / "data", port=port))
    process = processes.start("docker-registry", [program, "serve", config], folder / "log")
    try:
        processes.wait_until("docker-registry listens", lambda: processes.listens(port), process)
        yield ImageRegistry(f"127.0.0.1:{port}", folder, folder / "log")
    finally:
        processes.stop(process)


@dataclass(frozen=True)
class Seen:
    """A request that reached the hostile registry. Header names are lower-case."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What it answers in place of the proper answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Rule = Callable[[Seen], Reply | None]


class HostileRegistry:
    """A small registry in memory, and a listener for what should not come. `rules` are asked first, in order."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.seen: list[Seen] = []
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}  # by tag and by digest, whatever the repository
        self._running = ExitStack()
        self._port = 0

    @property
    def host(self) -> str:
        """`127.0.0.1:port`; it listens from the block's beginning to its end."""
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> "HostileRegistry":
        self._port = self._running.enter_context(http_listening(_handler(self)))
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def add_blob(self, data: bytes) -> str:
        """Store a blob."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return digest

    def add_manifest(self, tag: str, media_type: str, data: bytes) -> str:
        """Store a manifest under a tag and its digest."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.manifests[tag] = self.manifests[digest] = (media_type, data)
        return digest

    def answer(self, seen: Seen, body: bytes) -> Reply:
        """The answer to a request, by rule or as a registry would."""
        self.seen.append(seen)
        for rule in self.rules:
            if (reply := rule(seen)) is not None:
                return reply
        path, _, query = seen.path.partition("?")
        name = path.rpartition("/")[2]
        if "/manifests/" in path:
            return self._manifest(seen, name, body)
        if "/blobs/uploads/" in path:
            return self._upload(seen, query, body)
        if name in self.blobs:
            return Reply(200, {}, self.blobs[name])
        return Reply(404)

    def _manifest(self, seen: Seen, name: str, body: bytes) -> Reply:
        if seen.method == "PUT":
            digest = self.add_manifest(name, seen.headers["content-type"], body)
            return Reply(201, {"Docker-Content-Digest": digest})
        if name not in self.manifests:
            return Reply(404, {}, json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN"}]}).encode())
        media_type, data = self.manifests[name]
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        return Reply(200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, data)

    def _upload(self, seen: Seen, query: str, body: bytes) -> Reply:
        if seen.method == "POST":
            return Reply(202, {"Location": seen.path.partition("?")[0] + "session?state=1"})
        self.blobs[query.rpartition("digest=")[2].replace("%3A", ":")] = body
        return Reply(201)


def _handler(registry: HostileRegistry) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = registry.answer(Seen(self.command, self.path, headers), body)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  # names of http.server

        def log_message(self, *args: object) -> None:
            """Quiet."""

    return Handler
