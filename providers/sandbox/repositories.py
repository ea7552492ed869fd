"""Bare git repositories with a first commit, one per configured remote. Uses the git binary, offline, argv only."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from planner.errors import PermanentError

_IDENTITY = {"NAME": "sandbox", "EMAIL": "sandbox@hwplan.invalid", "DATE": "2026-01-01T00:00:00Z"}
_SECONDS = 30  # far more than a commit of one file needs


@dataclass(frozen=True, slots=True, order=True)
class Remote:
    """A remote to imitate: the folder name it gets (`<name>.git`) and its branches, the first one is the default."""

    name: str
    branches: tuple[str, ...]


def create_repository(folder: Path, remote: Remote) -> str:
    """Make `<folder>/<name>.git` with one commit on every branch; gives the commit id, the same on every machine.

    Raises PermanentError when there is no git binary or it fails.
    """
    path = folder.resolve() / f"{remote.name}.git"  # git runs elsewhere: a relative path would mean another place
    _git(folder, "init", "--quiet", "--bare", "--template=", f"--initial-branch={remote.branches[0]}", str(path))
    readme = f"# {remote.name}\n\nA repository of the sandbox, with a first commit.\n".encode()
    blob = _git(path, "hash-object", "-w", "--stdin", stdin=readme)
    tree = _git(path, "mktree", stdin=f"100644 blob {blob}\tREADME.md\n".encode())
    commit = _git(path, "commit-tree", tree, "-m", "First commit")
    for branch in remote.branches:
        _git(path, "update-ref", f"refs/heads/{branch}", commit)
    return commit


def _git(cwd: Path, *arguments: str, stdin: bytes = b"") -> str:
    environment = {
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
