"""Bare git repositories with a first commit, one per configured remote, and the list of the URLs they stand for.

Uses the git binary, offline, argv only.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from planner.dataclass import dataclass
from planner.errors import PermanentError

_IDENTITY = {"NAME": "sandbox", "EMAIL": "sandbox@hwplan.invalid", "DATE": "2026-01-01T00:00:00Z"}
_HEAD = """\
# The folder that stands for each URL in this sandbox (simulated: nothing is fetched or pushed over a network).
# A URL that is not here cannot be read."""
_SECONDS = 30  # far more than a commit of one file needs


@dataclass(frozen=True, slots=True, order=True)
class SandboxRemote:
    """A remote to imitate: the folder name it gets (`<name>.git`), its branches, the first one is the default (none for
    an empty repository), the URL that it stands for ("" for none), and others under which it is known."""

    name: str
    branches: tuple[str, ...]
    url: str = ""
    also: tuple[str, ...] = ()


def create_repository(folder: Path, remote: SandboxRemote) -> str:
    """Make `<folder>/<name>.git` with one commit on every branch; gives the commit id, the same on every machine.

    Adds the remote's URLs to `<folder>/remotes.yaml`, in which the provider of git looks up every URL.

    Raises PermanentError when there is no git binary or it fails.
    """
    path = folder.resolve() / f"{remote.name}.git"  # git runs elsewhere: a relative path would mean another place
    run_git(
        folder,
        "init",
        "--quiet",
        "--bare",
        "--template=",
        f"--initial-branch={(*remote.branches, 'main')[0]}",
        str(path),
    )
    readme = b"# A repository of the sandbox, with a first commit\n"  # the same for all: a mirror shares history
    blob = run_git(path, "hash-object", "-w", "--stdin", stdin=readme)
    tree = run_git(path, "mktree", stdin=f"100644 blob {blob}\tREADME.md\n".encode())
    commit = run_git(path, "commit-tree", tree, "-m", "First commit")
    for branch in remote.branches:
        run_git(path, "update-ref", f"refs/heads/{branch}", commit)
    if remote.url:
        _list(folder / "remotes.yaml", remote)
    return commit


def _list(path: Path, remote: SandboxRemote) -> None:
    """JSON strings are YAML strings, so nothing needs a YAML writer here."""
    lines = [] if path.exists() else [_HEAD, "remotes:"]
    for url in (remote.url, *remote.also):
        lines += [f"  - url: {json.dumps(url)}", f"    folder: {json.dumps(remote.name + '.git')}"]
    with path.open("a") as file:
        file.write("\n".join(lines) + "\n")


def run_git(cwd: Path, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> str:
    """What git says in `cwd`, without blanks around it; `index` is an index file of its own.

    Raises PermanentError when there is no git binary or it fails.
    """
    environment = {
        **({"GIT_INDEX_FILE": str(index)} if index else {}),
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(cwd),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _IDENTITY.items()},
    }
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - the git of the PATH is the one the operator chose
            cwd=cwd, env=environment, input=stdin, capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except FileNotFoundError as missing:
        if missing.filename != "git":
            raise
        raise PermanentError("the git binary is not on the PATH", remedy="install git") from missing
    if done.returncode:
        raise PermanentError(f"git {arguments[0]} failed with code {done.returncode}", where=str(cwd))
    return done.stdout.decode().strip()
