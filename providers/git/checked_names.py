"""The names that git is given: URLs, refs, commit ids. Each passes an allow-list here before git can see it.

`git check-ref-format` is no guard (it takes `refs/heads/--upload-pack=x` and `$(id)`), so the rules are our own and
narrower. Errors never quote what was refused: it may hold a token or control characters.
"""

from __future__ import annotations

import re

from planner.commit_id import is_commit_id
from planner.dataclass import dataclass
from planner.errors import PermanentError

SCHEMES = ("ssh", "https", "http", "file")
_URL = re.compile(
    r"(?P<scheme>[a-z]+)://"
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]{0,63})@)?"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])?"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9_.~%+@][A-Za-z0-9._~%+@/-]{0,1023})",
    re.ASCII,
)
_REF = re.compile(r"refs/[A-Za-z0-9][A-Za-z0-9._/-]{0,240}", re.ASCII)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RepositoryUrl:
    """A checked URL of a repository, in parts. Its text is put together from these parts again."""

    scheme: str
    user: str
    host: str
    port: int | None
    path: str

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{user}{self.host}{port}{self.path}"


def parse_repository_url(text: object) -> RepositoryUrl:
    """The parts of a URL. Raises PermanentError for anything but ssh, https, http or file with plain characters."""
    match = _URL.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["scheme"] not in SCHEMES:
        raise PermanentError(
            "not a git URL",
            remedy="write ssh://, https://, http:// or file://, a host and a path of letters, digits and ._~%+@/-",
        )
    scheme, user, host, path = match["scheme"], match["user"] or "", match["host"] or "", match["path"]
    port = int(match["port"]) if match["port"] else None
    if any(part == ".." or part.startswith("-") for part in path.split("/")):
        raise PermanentError("not a git URL: its path holds `..`, or a part that starts with `-`")
    if (scheme == "file") != (not host) or (port is not None and not 0 < port < 65536):
        raise PermanentError("not a git URL: a host (with a port up to 65535) is needed, and none for file://")
    if user and scheme != "ssh":
        raise PermanentError(
            "a git URL holds a user or a token", remedy="take it out of the URL: credentials are named by a secret"
        )
    return RepositoryUrl(scheme, user, host, port, path)


def is_remote_name(text: object) -> bool:
    """Whether this is a bare name of a remote, which says nothing about where it is."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def check_ref_name(text: object) -> str:
    """Check that a text is a full ref name, and give it as it is. Raises PermanentError for what is none, or has parts
    that could mislead git."""
    if not isinstance(text, str) or not _REF.fullmatch(text) or ".." in text or text.endswith("."):
        raise PermanentError("not a full ref name", remedy="write refs/heads/..., refs/tags/... or refs/<own>/...")
    if any(not part or part[0] in ".-" or part.endswith(".lock") for part in text.split("/")):
        raise PermanentError("not a full ref name: a part is empty, starts with `.` or `-`, or ends in .lock")
    return text


def check_commit_id(text: object) -> str:
    """Check that a text is a full object id, and give it as it is (40 or 64 lower-case hexadecimal digits). Raises
    PermanentError for all else."""
    if not isinstance(text, str) or not is_commit_id(text):
        raise PermanentError("not a full commit id", remedy="write all 40 (or 64) hexadecimal digits")
    return text


def short_commit(commit: str) -> str:
    """The first 12 digits of a commit id: as a label, a name part, or in a sentence."""
    return commit[:12]
