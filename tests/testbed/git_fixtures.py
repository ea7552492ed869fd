"""Bare repositories for tests, made and looked into with git itself, without anybody's configuration."""

import os
import subprocess
import uuid
from collections.abc import Mapping
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

_MAIN = "refs/heads/main"


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

    def git(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> str:
        """Run git in it, on an index file if one is given."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.path), **_NOBODY}
        if index is not None:
            environment["GIT_INDEX_FILE"] = str(index)
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

    def write(self, ref: str, files: Mapping[str, str], message: str = "change", *, exactly: bool = False) -> str:
        """Add a commit on top of a ref, or as its first one, that sets these files and leaves all others (`exactly`:
        has no others); gives the id.

        Never forced: raises AssertionError when the ref has moved meanwhile.
        """
        at = self.at(ref)
        index = self.path / f"index-{uuid.uuid4().hex}"  # one of its own: several may write at once
        try:
            if at and not exactly:
                self.git("read-tree", at, index=index)
            for name, content in files.items():
                blob = self.git("hash-object", "-w", "--stdin", stdin=content.encode())
                self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", index=index)
            tree = self.git("write-tree", index=index)
        finally:
            index.unlink(missing_ok=True)
        made = self.git("commit-tree", tree, "-m", message, *(["-p", at] if at else []))
        self.git("update-ref", ref, made, at or "0" * 40)
        return made

    def read(self, commit: str, name: str) -> str:
        """Content of a file in a commit, without white space at its ends."""
        return self.git("show", f"{commit}:{name}")

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


def upstream_of(folder: Path) -> BareRepository:
    """A repository `upstream.git` in the folder, with one commit on main."""
    made = BareRepository.create(folder / "upstream.git")
    made.grow(_MAIN, "first")
    return made


def mirror_of(upstream: BareRepository, folder: Path, *, ahead: bool = False) -> BareRepository:
    """A mirror `mirror.git` that is up to date with main of `upstream`, or one promotion ahead of it."""
    made = BareRepository.create(folder / "mirror.git")
    made.take(upstream, upstream.at(_MAIN), _MAIN)
    if ahead:
        made.grow(_MAIN, "promoted")
    return made
