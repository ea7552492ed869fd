"""The ssh that git starts: its command line, and the host keys it may trust. Reads no configuration file of ssh.

Git hands GIT_SSH_COMMAND to a shell, and ssh hands ProxyCommand to another one, so both are quoted here.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from planner.dataclass import dataclass
from planner.errors import PermanentError
from providers.git.checked_names import RepositoryUrl

CONNECT_SECONDS = 10
_CONNECTOR = Path(__file__).with_name("ssh_proxy_tunnel.py")


@dataclass(frozen=True, slots=True)
class GitSshSettings:
    """How an ssh remote is reached. `proxy` is host and port; `identity` an absolute path, "" for the default keys."""

    proxy: tuple[str, int] | None = None
    known_hosts: tuple[str, ...] = ()
    identity: str = ""


def git_ssh_command(ssh: GitSshSettings, url: RepositoryUrl, folder: Path) -> str:
    """The value of GIT_SSH_COMMAND. Writes the known host keys to a private file in `folder`.

    Raises PermanentError when the private key is not there, or others may read it.
    """
    known = folder / "known_hosts"
    known.touch(mode=0o600)
    known.write_text("".join(f"{line}\n" for line in ssh.known_hosts))
    options = [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={_plain(known)}",
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        "PermitLocalCommand=no",
        "ClearAllForwardings=yes",
        f"ConnectTimeout={CONNECT_SECONDS}",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=3",
        f"ProxyCommand={_proxy_command(ssh.proxy, url)}",
    ]
    if ssh.identity:
        _check_key(Path(ssh.identity))
        options.append(f"IdentityFile={_plain(Path(ssh.identity))}")
    words = ["ssh", "-F", "/dev/null"]
    for option in options:
        words += ["-o", option]
    return shlex.join(words)


def _plain(path: Path) -> str:
    """A path that ssh takes as it is: quoted against spaces, `%` doubled. Raises PermanentError for what it expands."""
    text = str(path)
    if any(char in text for char in '"\\$') or not text.isprintable():
        raise PermanentError("a path has characters that ssh does not take as they are", remedy="use a plain path")
    return '"' + text.replace("%", "%%") + '"'


def _proxy_command(proxy: tuple[str, int] | None, url: RepositoryUrl) -> str:
    if proxy is None:
        return "none"
    host = url.host.strip("[]")
    words = [sys.executable, "-I", "-S", str(_CONNECTOR), proxy[0], str(proxy[1]), host, str(url.port or 22)]
    return shlex.join(words).replace("%", "%%")


def _check_key(path: Path) -> None:
    """Ssh would only say "permission denied" about a key that it does not like."""
    try:
        mode = path.stat().st_mode
    except OSError:
        raise PermanentError("the private key of `ssh.identityFile` cannot be read", where=str(path)) from None
    if mode & 0o077 and path.stat().st_uid == os.getuid():
        raise PermanentError(
            "the private key of `ssh.identityFile` may be read by others", where=str(path), remedy="chmod 600 it"
        )
