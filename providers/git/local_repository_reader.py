"""Reads the repository that a folder of this machine stands in: its commit, its branch, the files of another commit.

Nothing is written to it and no remote is asked. Configuration of the repository that runs programs is switched off.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from planner.dataclass import dataclass
from planner.errors import PermanentError
from providers.git.run_command import CommandResult, CommandTermination, run_command

_SECONDS = 60.0
_MOST = 256 << 20  # bytes of an answer
_MOST_FILES = 5000
_LINK = "120000"  # the mode of a symbolic link
_CONFIG = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.untrackedCache=false", "log.showSignature=false")
_KEPT = ("PATH", "HOME", "TMPDIR")
_HEAD_OF_LINE = re.compile(r"(?P<commit>[0-9a-f]{40}|[0-9a-f]{64}) [0-9]{1,9} (?P<line>[0-9]{1,9})( [0-9]{1,9})?")
_ZONE = re.compile(r"([+-])([0-9]{2})([0-9]{2})")


@dataclass(frozen=True, slots=True)
class LocalRepositoryReader:
    """The repository with its work tree at `root`."""

    root: Path

    @classmethod
    def around(cls, folder: Path) -> LocalRepositoryReader:
        """The repository that `folder` stands in. Raises PermanentError where it stands in none."""
        done = _git(folder, "rev-parse", "--show-toplevel")
        if done.code:
            raise PermanentError(
                "it is in no git repository",
                where=str(folder),
                remedy="make it one, or leave --base out",
            )
        return cls(Path(done.out.decode().rstrip("\n")))

    def commit(self, name: str) -> str:
        """The commit that a branch, tag or commit means. Raises PermanentError for anything else."""
        done = _git(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if done.code:
            raise PermanentError(f"{name!r} is no commit of the repository", where=str(self.root), remedy="git fetch")
        return done.out.decode().strip()

    def branch(self) -> str:
        """The branch that is checked out; "" for none."""
        return _git(self.root, "symbolic-ref", "--quiet", "--short", "HEAD").out.decode().strip()

    def is_dirty(self, paths: Sequence[Path]) -> bool:
        """Whether something below `paths` is not as in the commit that is checked out."""
        done = self._run("status", "--porcelain", "--", *self._inside(paths))
        return bool(done.out.strip())

    def missing(self, base: str) -> int:
        """How many commits of `base` the one that is checked out does not have."""
        return int(self._run("rev-list", "--count", base, "^HEAD").out.decode().strip() or 0)

    def last_change(self, path: Path) -> str:
        """The commit in which a file was last changed, with its day; "" for a file that is in none."""
        done = _git(self.root, "log", "-1", "--format=%h %cs", "--", str(path))
        return "" if done.code else done.out.decode().strip()

    def line_changes(self, path: Path, lines: Sequence[int]) -> dict[int, str]:
        """The commit in which each of these lines (from 1) was last changed, with its day and author; lines of which
        nobody knows are left out."""
        words = [word for line in lines for word in ("-L", f"{line},{line}")]
        done = _git(self.root, "blame", "--porcelain", "--no-textconv", *words, "--", str(path)) if words else None
        return _blamed(done.out.decode(errors="replace")) if done is not None and not done.code else {}

    def extract(self, commit: str, paths: Sequence[Path], folder: Path) -> None:
        """Write the files of a commit below `paths` into `folder`, as they are committed: no attribute and no filter of
        the repository has a say. A path that it does not have is left out.

        Raises PermanentError when nothing of them is there, or a link leads out of the folder.
        """
        rows = self._run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *self._inside(paths)).out
        found = [row.decode().partition("\t") for row in rows.split(b"\0") if row]
        files = [(head.split()[0], head.split()[2], name) for head, _, name in found if " blob " in head]
        if not files:
            raise PermanentError(f"commit {commit[:12]} has nothing of {', '.join(self._inside(paths))}")
        if len(files) > _MOST_FILES:
            raise PermanentError(f"{len(files)} files are too many to plan a commit of", where=str(self.root))
        for mode, blob, name in files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            data = self._run("cat-file", "blob", blob).out
            if mode == _LINK:
                _link(target, data.decode(), folder)
            else:
                target.write_bytes(data)

    def relative(self, path: Path) -> Path:
        """A path as the repository has it. Raises PermanentError for one outside."""
        try:
            return path.resolve().relative_to(self.root.resolve())
        except ValueError:
            raise PermanentError("it is outside of the repository", where=str(path)) from None

    def _inside(self, paths: Sequence[Path]) -> list[str]:
        return [str(found) for found in map(self.relative, paths)]

    def _run(self, *words: str) -> CommandResult:
        done = _git(self.root, *words)
        if done.code or done.ended is not CommandTermination.ITSELF:
            said = done.err.decode(errors="replace").strip().splitlines()
            reason = said[-1] if said else str(done.ended)
            raise PermanentError(f"git {words[0]} failed: {reason}", where=str(self.root))
        return done


def _git(folder: Path, *words: str) -> CommandResult:
    settings = [part for one in _CONFIG for part in ("-c", one)]
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
    return run_command(["git", *settings, *words], env=env, cwd=folder, seconds=_SECONDS, most=_MOST)


def _blamed(text: str) -> dict[int, str]:
    """What `git blame --porcelain` says: a head for each line, and what is known of a commit where it comes first."""
    known: dict[str, dict[str, str]] = {}
    found: dict[int, str] = {}
    commit, line = "", 0
    for row in text.split("\n"):
        word, _, rest = row.partition(" ")
        if row.startswith("\t"):
            found[line] = _change_of(commit, known.get(commit, {}))
            commit = ""
        elif not commit:
            if (head := _HEAD_OF_LINE.fullmatch(row)) is None:
                break
            commit, line = head["commit"], int(head["line"])
            known.setdefault(commit, {})
        else:
            known[commit][word] = rest
    return found


def _change_of(commit: str, facts: dict[str, str]) -> str:
    if not commit.strip("0"):
        return "no commit yet"
    day = _day(facts.get("author-time", ""), facts.get("author-tz", ""))
    return f"{commit[:10]} {f'{day} ' if day else ''}by {facts.get('author', '')}"


def _day(seconds: str, zone: str) -> str:
    """The day where its author was; "" for a time that is none. A commit may claim any time and any zone."""
    offset = _ZONE.fullmatch(zone)
    minutes = (int(offset[2]) * 60 + int(offset[3])) * (-1 if offset[1] == "-" else 1) if offset else 0
    try:
        at = datetime.fromtimestamp(int(seconds), timezone(timedelta(minutes=minutes if abs(minutes) < 1440 else 0)))
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{at:%Y-%m-%d}"


def _link(target: Path, to: str, folder: Path) -> None:
    """A symbolic link, where it stays inside of the folder."""
    if not (target.parent / to).resolve().is_relative_to(folder.resolve()):
        raise PermanentError("a link leads out of the repository", where=str(target.relative_to(folder)))
    target.symlink_to(to)
