"""Remotes as documents name them, made into what git is given: a checked URL, and how it is reached.

Owns the policy of transports (a URL of another transport is drift) and the way into a sandbox, where each configured
URL stands for a folder and nothing goes over a network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from planner import duration
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonObject, JsonValue
from providers.git.checked_names import RepositoryUrl, is_remote_name, parse_repository_url
from providers.git.git_ssh import GitSshSettings
from providers.json_answer import parse_json_answer

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.git", re.ASCII)
_ENTRY = re.compile(r"\s*(?:- )?\s*(url|folder): (\".*\")\s*")


class UnknownSandboxRemote(PermanentError):
    """A URL that no folder of the sandbox stands for: what is there cannot be read."""


@dataclass(frozen=True, slots=True)
class RetryPauses:
    """How often a git command is tried in all, and the pauses between tries, in seconds."""

    attempts: int = 4
    delay: float = 2.0
    max_delay: float = 30.0

    def pause(self, tried: int) -> float:
        """Seconds to wait after that many tries."""
        return min(self.delay * (1 << (tried - 1)), self.max_delay)


_NO_SSH = GitSshSettings()
_USUAL = RetryPauses()


@dataclass(frozen=True, slots=True)
class GitRemoteUrls:
    """A repository. `shown` is its URL as configured, `url` the one that git is given (another one in a sandbox)."""

    shown: str
    url: RepositoryUrl
    ssh: GitSshSettings = _NO_SSH
    retry: RetryPauses = _USUAL

    @property
    def over_ssh(self) -> bool:
        """Whether it is configured as one over ssh, whatever stands for it in a sandbox."""
        return self.shown.startswith("ssh://")

    @property
    def key(self) -> tuple[str, GitSshSettings]:
        """Equal for what is the same to a reader."""
        return str(self.url), self.ssh


@dataclass(frozen=True, slots=True)
class RemoteLocations:
    """Where git remotes are: where relative paths start, and the sandbox folders that stand for URLs (None in the real
    world)."""

    folder: Path
    simulated: Mapping[str, Path] | None = None


def open_remote_locations(folder: Path, sandbox: Path | None) -> RemoteLocations:
    """The places of a run. Raises PermanentError when the sandbox's list of repositories is damaged."""
    return RemoteLocations(folder, None if sandbox is None else _simulated(sandbox / "git"))


def resolve_remote(side: JsonObject, places: RemoteLocations, transport: str = "") -> GitRemoteUrls:
    """The remote of one side of a document. `transport` is the policy where the side names none of its own.

    Raises PermanentError, never with the URL, when it is none or against the policy; UnknownSandboxRemote in a sandbox.
    """
    text = side.get("remote")
    if is_remote_name(text):
        raise PermanentError(
            f"`remote: {text}` is a name, not a URL",
            remedy="write the URL, or have the template take it from the node's mirror (gitMirror.remotes)",
        )
    url = parse_repository_url(text)
    allowed = str(side.get("transport") or transport)
    if allowed and url.scheme != allowed:
        raise PermanentError(
            f"drift: the transport is {allowed} (githubTransport.mode={allowed}), and the URL of a remote is "
            f"{url.scheme}://",
            remedy=f"write the {allowed}:// URL of the same repository; there is no fallback",
        )
    shown = str(url)
    ssh, retry = _ssh(side.get("ssh") or {}, places.folder), _retry(side.get("retry") or {})
    return GitRemoteUrls(shown, url if places.simulated is None else _inside(places.simulated, shown), ssh, retry)


def _ssh(given: JsonObject, folder: Path) -> GitSshSettings:
    identity = given.get("identityFile")
    path = str(folder.absolute() / Path(identity).expanduser()) if identity else ""
    return GitSshSettings(_proxy(given.get("proxy")), tuple(given.get("knownHosts") or ()), path)


def _proxy(text: JsonValue) -> tuple[str, int] | None:
    if not text:
        return None
    parts = urlsplit(str(text))
    if parts.scheme != "http" or not parts.hostname or parts.username or parts.path not in ("", "/"):
        raise PermanentError("`ssh.proxy` is no proxy", remedy="write http://HOST:PORT")
    return parts.hostname, parts.port or 80


def _retry(given: JsonObject) -> RetryPauses:
    return RetryPauses(
        int(given.get("attempts", _USUAL.attempts)),
        duration.parse_duration(given["delay"]) if "delay" in given else _USUAL.delay,
        duration.parse_duration(given["maxDelay"]) if "maxDelay" in given else _USUAL.max_delay,
    )


def _inside(simulated: Mapping[str, Path], shown: str) -> RepositoryUrl:
    folder = simulated.get(shown)
    if folder is None:
        raise UnknownSandboxRemote(
            f"the sandbox has no repository for {shown}",
            remedy="`hwplan sandbox create` makes one for each remote of the node's mirror; see git/remotes.yaml in it",
        )
    return RepositoryUrl("file", "", "", None, quote(str(folder)))


def _simulated(folder: Path) -> Mapping[str, Path]:
    """Read remotes.yaml: pairs of `url` and `folder` as providers.sandbox.git_repositories writes them."""
    path = folder / "remotes.yaml"
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    found: dict[str, Path] = {}
    url = ""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#") or line.startswith("remotes:"):
            continue
        match = _ENTRY.fullmatch(line)
        if match is None:
            raise PermanentError("not a line of a list of url and folder", where=f"{path}:{number}")
        value = _text(match[2], path, number)
        if match[1] == "url":
            url = value
        elif not url or not _FOLDER.fullmatch(value):
            raise PermanentError("not the name of a folder NAME.git after its url", where=f"{path}:{number}")
        else:
            found[url] = folder.resolve() / value
            url = ""
    return found


def _text(quoted: str, path: Path, number: int) -> str:
    try:
        return str(parse_json_answer(quoted.encode()))
    except ValueError:
        raise PermanentError("not a text in double quotes", where=f"{path}:{number}") from None
