"""From the `access` of a document to a client: which GitHub, with which credential. One client for each account."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from urllib.parse import urlsplit

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonObject
from providers.github.client import GitHubClient
from providers.github.credentials import (
    AnonymousCredential,
    GitHubAppCredential,
    GitHubCredential,
    TokenFileCredential,
    WebSender,
)
from providers.github.rate_limits import WritePace
from providers.github.send_requests import API, GitHubConnection

_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(slots=True)
class GitHubClientsByAccount:
    """The GitHub clients of one command, one for each account. `folder` is where relative paths start; `connect` makes
    a connection."""

    folder: Path
    web: WebSender
    connect: Callable[[WebSender, str, GitHubCredential], GitHubConnection] = GitHubConnection
    _clients: dict[str, GitHubClient] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, access: JsonObject) -> GitHubClient:
        """The client for the `access` of a document. Raises PermanentError for a URL that no token may go to."""
        key = json.dumps(access, sort_keys=True)
        with self._lock:
            if key not in self._clients:
                base, credential = str(access.get("url") or API).rstrip("/"), self._credential(access)
                if (
                    urlsplit(base).scheme != "https"
                    and urlsplit(base).hostname not in _LOCAL
                    and access.keys() - {"url"}
                ):
                    raise PermanentError("a token is not sent over plain HTTP", where=urlsplit(base).netloc,
                                         remedy="write https:// in access.url")  # fmt: skip
                self._clients[key] = GitHubClient(self.connect(self.web, base, credential))
            return self._clients[key]

    def _credential(self, access: JsonObject) -> GitHubCredential:
        if app := access.get("app"):
            return GitHubAppCredential(str(app["id"]), int(app["installation"]), self._path(app["keyFile"]))
        if token := access.get("tokenFile"):
            return TokenFileCredential(self._path(token))
        return AnonymousCredential()

    def _path(self, text: str) -> Path:
        return self.folder.absolute() / Path(text).expanduser()


def connect_to_simulated_github(web: WebSender, base: str, credential: GitHubCredential) -> GitHubConnection:
    """A connection to the GitHub of a sandbox: no credential is read, and no pause is made between writes."""
    return GitHubConnection(web, base, AnonymousCredential(), WritePace(between=0.0))
