"""Bare repositories for tests, made and looked into with git itself, without anybody's configuration."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_NOBODY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
    **{f"GIT_{role}_NAME": "tester" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "tester@example.invalid" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_DATE": "2026-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")},
}


@dataclass(frozen=True)
class BareRepository:
    """A bare repository in a folder."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make an empty one."""
        made = cls(path)
        path.mkdir(parents=True)
        made.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", ".")
        return made

    @property
    def url(self) -> str:
        """Its file URL."""
        return f"file://{self.path}"

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git in it."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.path), **_NOBODY}
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=environment, input=stdin, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode().strip()

    def commit(self, text: str, *parents: str, size: int = 0) -> str:
        """Add a commit that no ref stands on; gives its id. `size` adds that many bytes that do not compress."""
        content = text.encode() + os.urandom(size)
        blob = self.git("hash-object", "-w", "--stdin", stdin=content)
        tree = self.git("mktree", stdin=f"100644 blob {blob}\tfile\n".encode())
        named = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, "-m", text, *named)

    def grow(self, ref: str, text: str, *, size: int = 0) -> str:
        """Add a commit on top of a ref, or as its first one; gives the id."""
        at = self.at(ref)
        made = self.commit(text, *([at] if at else []), size=size)
        self.put(ref, made)
        return made

    def put(self, ref: str, commit: str) -> None:
        """Set a ref, whatever it was: as its owner may."""
        self.git("update-ref", ref, commit)

    def at(self, ref: str) -> str:
        """What a ref stands on; "" if there is none."""
        return self.refs().get(ref, "")

    def refs(self) -> dict[str, str]:
        """All refs."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def take(self, other: "BareRepository", commit: str, ref: str) -> None:
        """Have a commit of another repository, and a ref on it."""
        self.git("fetch", "--quiet", str(other.path), f"+{commit}:{ref}")

    def holds(self, commit: str) -> bool:
        """Whether a ref leads to this commit."""
        return any(commit in self.git("rev-list", at).split() for at in self.refs().values())
