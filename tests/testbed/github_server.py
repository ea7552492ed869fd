"""A local GitHub on 127.0.0.1: its REST API over HTTP, with real bare repositories behind it.

What the endpoints do is providers.simulated_github, merges are git's own. Owns what a server adds: tokens, entity tags,
primary and secondary limits, mergeability that is computed late, faults that a test orders, lies about merges
(`github_lies.py`), and a log of everything that was asked.
"""

import base64
import hashlib
import http.server
import json
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from providers.simulated_github.request_and_reply import SimulatedReply, SimulatedRequest
from providers.simulated_github.request_routes import SimulatedGitHub
from providers.simulated_github.store_file import GitHubStoreFile, StoredRepository
from tests.testbed import github_documents as documents
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.github_lies import LIES
from tests.testbed.listening import http_listening

Json = Any
BOT, PERSON = "hwplan-bot", "alice"
TOKENS = {"ghp_token-of-the-bot-0001": BOT, "ghp_token-of-alice-0002": PERSON, "ghp_token-of-mallory-03": "mallory"}
BOT_TOKEN = "ghp_token-of-the-bot-0001"
Action = Literal["status", "lose-request", "lose-answer", "cut"]


@dataclass(frozen=True)
class Asked:
    """One request as it came: `at` is when, in seconds of the monotonic clock; `status` what it was answered (0: it was
    cut off)."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    login: str
    at: float
    status: int = 0


@dataclass
class Fault:
    """What happens to the next `times` requests that match: a status instead of an effect, or a connection that is cut
    before the effect (`lose-request`), after it (`lose-answer`) or in the middle of the answer (`cut`). `skip` lets as
    many pass before."""

    action: Action
    method: str = ""
    path: str = ""
    code: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "Server Error"
    times: int = 1
    skip: int = 0

    def takes(self, method: str, path: str) -> bool:
        """Whether it happens to this request; uses it up."""
        if self.times < 1 or self.method not in ("", method) or not re.search(self.path, path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class LocalGitHub:
    """The state of a server; change it between requests.

    `late` is how often a pull request is read before its mergeability is known. `remaining` is what is left of the
    primary limit, None for no limit. `skew` is added to the server's clock, in seconds. `lie` is a name of
    `github_lies.LIES`: merges are answered by it. `before` is called once, right before a request of its method and
    path takes effect.
    """

    folder: Path
    url: str = ""
    late: int = 0
    limit: int = 5000
    remaining: int | None = None
    resets_in: float = 3600.0
    skew: float = 0.0
    tags: bool = True
    lie: str = ""
    tokens: dict[str, str] = field(default_factory=lambda: dict(TOKENS))
    faults: list[Fault] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    log: list[Asked] = field(default_factory=list)
    app: tuple[str, bytes] = ("", b"")  # slug and public key (PEM)
    _read: dict[tuple[str, str, str], int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def store(self) -> GitHubStoreFile:
        """Where everything is."""
        return GitHubStoreFile(self.folder, self.folder)

    def repository(self, name: str = "demo/shop", branch: str = "main") -> BareRepository:
        """Make a repository with a first commit on `branch`."""
        bare = BareRepository.create(self.folder / f"{name.replace('/', '-')}.git")
        bare.write(f"refs/heads/{branch}", {"README.md": "shop\n", "app.py": "one\ntwo\nthree\n"}, "first")
        path = self.folder / "github.json"
        document = json.loads(path.read_text()) if path.exists() else {"repositories": {}}
        document["repositories"][name] = {"git": bare.path.name}
        path.write_text(json.dumps(document))
        return bare

    @contextmanager
    def stored(self, name: str = "demo/shop") -> Iterator[StoredRepository]:
        """The repository's rows, to be read and changed."""
        with self.lock, self.store.open() as repositories:
            yield repositories[name]

    def open_pull(self, head: str, base: str = "main", *, repo: str = "demo/shop", **fields: Json) -> int:
        """Open a pull request of a branch that is there; gives its number."""
        with self.stored(repo) as rows:
            number = rows.next_number()
            given = {"title": f"Change {head}", "author": PERSON, "state": "open", "labels": [], **fields}
            rows.add("pulls", number=number, head=head, base=base, **given)
            return number

    def add_check(self, commit: str, name: str = "ci", conclusion: str | None = "success", **fields: Json) -> None:
        """A check run on a commit; without a conclusion it is still running."""
        with self.stored(fields.pop("repo", "demo/shop")) as rows:
            status = "completed" if conclusion else "in_progress"
            rows.add("check_runs", head_sha=commit, name=name, status=status, conclusion=conclusion)

    def add_review(self, number: int, author: str, state: str, commit: str, repo: str = "demo/shop") -> None:
        """A review of a pull request."""
        with self.stored(repo) as rows:
            more = {"body": "", "submitted_at": rows.now()}
            rows.add("reviews", pull=number, user=author, state=state, commit_id=commit, **more)

    def writes(self) -> list[Asked]:
        """Every request that was no reading."""
        return [one for one in self.log if one.method != "GET"]

    def count(self, method: str, path: str = "") -> int:
        """How many requests of a method came to paths that match."""
        return sum(one.method == method and bool(re.search(path, one.path)) for one in self.log)

    def now(self) -> float:
        """The server's clock."""
        return time.time() + self.skew

    def answer(self, request: SimulatedRequest) -> SimulatedReply:
        """The reply of the engine, with its whole documents, and mergeability late if that is ordered."""
        merging = re.fullmatch(r"/repos/([^/]+/[^/]+)/pulls/(\d+)/merge", request.path)
        if self.lie and merging and request.method == "PUT":
            with self.stored(merging[1]) as rows:
                reply = LIES[self.lie](rows, request, int(merging[2]))
        else:
            reply = SimulatedGitHub(self.store).answer(request)
        return self._later(request, _whole(request, reply))

    def _later(self, request: SimulatedRequest, reply: SimulatedReply) -> SimulatedReply:
        body = reply.body
        if not isinstance(body, dict) or "mergeable" not in body or body["state"] != "open":
            return reply
        key = (request.path, body["head"]["sha"], body["base"]["sha"])
        self._read[key] = self._read.get(key, 0) + 1
        if self._read[key] > self.late:
            return reply
        return SimulatedReply(
            reply.status, {**body, "mergeable": None, "mergeable_state": "unknown"}, headers=reply.headers
        )


def _whole(request: SimulatedRequest, reply: SimulatedReply) -> SimulatedReply:
    """The reply with every field that GitHub's documents have."""
    if reply.status >= 300 or reply.body is None:
        return reply
    match = re.fullmatch(r"/repos/([^/]+/[^/]+)/(.+)", request.path)
    name, words = (match[1], match[2].split("/")) if match else ("", [request.path[1:]])
    kind = "branches" if words[0] == "branches" else "rules" if words[0] == "rules" else words[-1]
    if words[0] == "compare":
        kind = "compare"
    if words[0] in ("statuses",) or words[:2] == ["issues", "comments"]:
        kind = words[0] if words[0] == "statuses" else "comments"
    if words[0] in ("pulls", "issues") and len(words) == 2:
        kind = {"pulls": "pull", "issues": "issues"}[words[0]]
    if "labels" in words:
        kind = "labels"
    make = documents.ONE.get(kind)
    if make is None:
        return reply
    body = reply.body
    if kind == "check-runs":
        body = {**body, "check_runs": [make(one, name) for one in body["check_runs"]]}
    else:
        body = [make(one, name) for one in body] if isinstance(body, list) else make(body, name)
    return SimulatedReply(reply.status, body, headers=reply.headers)


@contextmanager
def local_github(folder: Path, **options: Any) -> Iterator[LocalGitHub]:
    """A running GitHub whose repositories are in `folder`; it ends with the block."""
    world = LocalGitHub(folder, **options)

    class Handler(_Handler):
        github = world

    with http_listening(Handler) as port:
        world.url = f"http://127.0.0.1:{port}"
        yield world


class _Handler(http.server.BaseHTTPRequestHandler):
    github: LocalGitHub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Write no log."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(self.github.now(), usegmt=True)

    def _serve(self) -> None:
        world, parts = self.github, urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with world.lock:
            login = self._login()
            asked = Asked(
                self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers.items()),
                json.loads(data) if data else {}, login or "", time.monotonic(),
            )  # fmt: skip
            fault = next((one for one in world.faults if one.takes(self.command, parts.path)), None)
            if fault and fault.action == "lose-request":
                world.log.append(asked)
                return self._hang_up()
            if fault and fault.action == "status":
                reply = _said(fault.code, fault.message, fault.headers)
            else:
                reply = self._judged(asked, login)
            headers, body = self._finished(asked, reply)
            world.log.append(
                Asked(**{**vars(asked), "status": 304 if body is None and headers.get("ETag") else reply.status})
            )
        if fault and fault.action == "lose-answer":
            return self._hang_up()
        return self._send(world.log[-1].status, headers, body, cut=bool(fault and fault.action == "cut"))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _judged(self, asked: Asked, login: str | None) -> SimulatedReply:
        world = self.github
        if asked.path.startswith("/app"):
            return _app_reply(world, asked)
        if login is None:
            return _said(401, "Bad credentials")
        if asked.method != "GET" and not login:
            return _said(401, "Requires authentication")
        if self.headers.get("X-GitHub-Api-Version") not in ("2022-11-28", "2026-03-10"):
            return _said(400, "Unsupported 'X-GitHub-Api-Version' header")
        if world.remaining is not None and world.remaining <= 0:
            return _said(403, f"API rate limit exceeded for {login}.")
        for key in [key for key in world.before if re.fullmatch(key, f"{asked.method} {asked.path}")]:
            world.before.pop(key)()
        request = SimulatedRequest(asked.method, asked.path, asked.query, asked.body, login or "anonymous")
        return world.answer(request)

    def _login(self) -> str | None:
        """Who asks: "" for nobody, None for a token that nobody has."""
        sent = self.headers.get("Authorization", "")
        return self.github.tokens.get(sent.removeprefix("Bearer ")) if sent else ""

    def _finished(self, asked: Asked, reply: SimulatedReply) -> tuple[dict[str, str], bytes | None]:
        """Headers and body; no body where the entity tag was sent that the answer has."""
        world = self.github
        headers = {**reply.headers}
        data = b"" if reply.body is None else json.dumps(reply.body).encode()
        if "Link" in headers:
            headers["Link"] = headers["Link"].replace("</", f"<{world.url}/")
        unchanged = False
        if world.tags and asked.method == "GET" and reply.status == 200:
            headers["ETag"] = f'W/"{hashlib.sha256(data).hexdigest()}"'
            unchanged = self.headers.get("If-None-Match") == headers["ETag"]
        if world.remaining is not None:
            world.remaining = max(0, world.remaining - (not unchanged))
        left = world.limit if world.remaining is None else world.remaining
        headers |= {"X-RateLimit-Limit": str(world.limit), "X-RateLimit-Remaining": str(left)}
        headers |= {"X-RateLimit-Used": str(world.limit - left), "X-RateLimit-Resource": "core"}
        headers["X-RateLimit-Reset"] = str(int(world.now() + world.resets_in))
        headers |= dict(reply.headers) if "Link" not in reply.headers else {}
        return headers, None if unchanged else data

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes | None, *, cut: bool) -> None:
        data = body or b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut:
            self._hang_up()


def _said(status: int, message: str, headers: Mapping[str, str] | None = None) -> SimulatedReply:
    return SimulatedReply(status, {"message": message, "documentation_url": "https://docs"}, headers=headers or {})


def _app_reply(world: LocalGitHub, asked: Asked) -> SimulatedReply:
    """What an App asks in its own name: signed by its key, and not too old, too new or too long."""
    import jwt

    slug, key = world.app
    token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(token, key, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
        now = world.now()
        fits = claims["iat"] <= now + 5 and now < claims["exp"] <= now + 600
    except jwt.PyJWTError:
        fits = False
    if not fits:
        return _said(401, "A JSON web token could not be decoded")
    if asked.path == "/app":
        return SimulatedReply(200, documents.app(slug))
    made = "ghs_" + base64.b32encode(hashlib.sha256(token.encode()).digest()).decode()[:36]
    world.tokens[made] = f"{slug}[bot]"
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(world.now() + 3600))
    return SimulatedReply(201, {"token": made, "expires_at": until})
