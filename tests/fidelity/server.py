"""A small client of the API server for many short requests: one retained-alive connection for each thread."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
PLAIN = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said: status code, document, its clock (the Date header), and the texts of its warnings."""

    code: int
    body: Any
    date: str
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.code < 300


class Server:
    """An API server and the token of its administrator."""

    def __init__(self, url: str, token: str, ca: Path | None = None) -> None:
        self._url = urlsplit(url)
        self._headers = {"Authorization": f"Bearer {token}", "Accept": PLAIN}
        self._context = ssl.create_default_context(cafile=str(ca) if ca else None)
        if ca is None:
            self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._local = threading.local()
        self._opened: list[http.client.HTTPSConnection] = []

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Server:
        """The current context's server; only bearer tokens are understood."""
        from ruamel.yaml import YAML

        config = YAML(typ="safe", pure=True).load(path.read_text())
        context = next(c["context"] for c in config["contexts"] if c["name"] == config["current-context"])
        cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == context["cluster"])
        user = next(u["user"] for u in config["users"] if u["name"] == context["user"])
        ca = cluster.get("certificate-authority")
        return cls(cluster["server"], user["token"], Path(ca) if ca else None)

    def close(self) -> None:
        """Close the connections of all threads; to be called when they are done."""
        for connection in self._opened:
            connection.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def request(self, method: str, path: str, body: Any = None, content_type: str = PLAIN) -> Answer:
        """One request; a connection that the server closed is opened again once."""
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": content_type}
        for attempt in (1, 2):
            connection = self._connection(fresh=attempt == 2)
            try:
                connection.request(method, path, body=data, headers=headers)
                response = connection.getresponse()
                text = response.read()
            except (http.client.HTTPException, OSError):
                if attempt == 2:
                    raise
                continue
            parsed = json.loads(text) if text[:1] == b"{" else {"message": text.decode(errors="replace")}
            return Answer(response.status, parsed, response.headers.get("Date", ""), _warnings(response.headers))
        raise AssertionError("unreachable")

    def _connection(self, *, fresh: bool) -> http.client.HTTPSConnection:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if connection is None or fresh:
            assert self._url.hostname is not None
            connection = http.client.HTTPSConnection(
                self._url.hostname, self._url.port or 443, context=self._context, timeout=60
            )
            self._local.connection = connection
            self._opened.append(connection)
        return connection


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def _warnings(headers: http.client.HTTPMessage) -> tuple[str, ...]:
    """Texts of RFC 7234 `Warning: 299 - "text"` headers, escapes taken away."""
    found = (_QUOTED.search(line) for line in headers.get_all("Warning") or ())
    return tuple(re.sub(r"\\(.)", r"\1", one[1]) for one in found if one)
