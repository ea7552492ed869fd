"""Credentials for registries from docker's own file, read when a registry first asks for them.

Only `auths` with `auth`, or `username` and `password`, is understood. Credential helpers are programs, and none is
run: a registry that is served by one gets no credentials, and the error that follows says why.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from pathlib import Path
from typing import Any

from planner.redaction.redactor import REDACTOR
from providers.json_answer import parse_json_answer

_MAX_FILE = 1 << 20
_HUB = ("https://index.docker.io/v1/", "index.docker.io", "docker.io")


class DockerConfigFileCredentials:
    """Looks up the username and password of a registry in one file: the one that `$REGISTRY_AUTH_FILE` names (as for
    skopeo and buildah), else `config.json` below `$DOCKER_CONFIG`, else below `~/.docker`."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._document: dict[str, Any] | None = None

    def basic(self, host: str) -> str:
        """The value of an `Authorization: Basic` header for a registry, "" when there are none."""
        auths = self._read().get("auths")
        if not isinstance(auths, dict):
            return ""
        for name in (host, f"https://{host}", *(_HUB if host == "registry-1.docker.io" else ())):
            entry = auths.get(name)
            if isinstance(entry, dict) and (pair := _pair(entry)):
                return "Basic " + base64.b64encode(pair).decode()
        return ""

    def has_helper(self, host: str) -> bool:
        """Whether the file leaves this registry to a credential helper."""
        document = self._read()
        helpers = document.get("credHelpers")
        return bool(document.get("credsStore")) or (isinstance(helpers, dict) and host in helpers)

    def _read(self) -> dict[str, Any]:
        with self._lock:
            if self._document is None:
                self._document = _load(self._file or _default_file())
            return self._document


def _default_file() -> Path:
    if named := os.environ.get("REGISTRY_AUTH_FILE"):
        return Path(named)
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def _load(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as handle:
            document = parse_json_answer(handle.read(_MAX_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _pair(entry: dict[str, Any]) -> bytes:
    """`user:password`, or nothing when it holds what cannot be in a header."""
    match entry:
        case {"auth": str(packed)} if packed:
            try:
                pair = base64.b64decode(packed, validate=True).rstrip(b"\x00")
            except (binascii.Error, ValueError):
                return b""
        case {"username": str(user), "password": str(password)}:
            pair = f"{user}:{password}".encode()
        case _:
            return b""
    REDACTOR.learn(pair)
    REDACTOR.learn(pair.partition(b":")[2])
    return pair if b":" in pair else b""
