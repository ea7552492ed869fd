"""The bare repository of our own in which commits of remotes are compared, and from which they are pushed.

A cache: it may be thrown away at any time. One for all remotes, so that what a mirror shares with its upstream is
fetched once. What was fetched last from each ref is retained by a ref of ours, so that the next fetch is a small one.
"""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.dataclass import dataclass
from planner.errors import PermanentError, TemporaryError
from providers.git.git_client import GitClient
from providers.git.git_failures import GitCommandFailed, GitFailureKind
from providers.git.remotes import GitRemoteUrls
from providers.git.run_command import CommandResult

LOCK_SECONDS = 660.0  # longer than any fetch may take (GitLimits.moving)
_LOOK_AGAIN = 0.02


@dataclass(frozen=True, slots=True)
class CommitDistance:
    """How many commits one ref is ahead of another, and behind it."""

    ahead: int
    behind: int


@dataclass(frozen=True, slots=True)
class ObjectCache:
    """The cache of git objects: a bare repository in `folder`, made when it is first needed."""

    client: GitClient
    folder: Path

    def bring(self, remote: GitRemoteUrls, commit: str, ref: str = "") -> Path:
        """Have `commit` with its history here; gives the repository that it is in. Raises GitCommandFailed.

        `ref` is where it stands at the remote, if that is known: what is fetched from there next builds on it.
        """
        with self._locked() as lock:
            repository = self._repository(commit)
            if not self._has(repository, commit):
                _unlock(repository)
                self.client.fetch(remote, repository, commit, _kept(remote, ref), hold=(lock,))
        return repository

    def home(self) -> Path:
        """The repository for commits that build on nothing."""
        with self._locked():
            return self._repository("0" * 40)

    def distance(self, wanted: str, other: str) -> CommitDistance | None:
        """How far `wanted` is ahead of `other` and behind it, both brought here; None when they cannot be compared."""
        done = self.client.local(
            self.place_of(wanted), "rev-list", "--left-right", "--count", f"{wanted}...{other}", "--"
        )
        numbers = done.out.split()
        if done.code or len(numbers) != 2 or not all(number.isdigit() for number in numbers):
            return None
        return CommitDistance(int(numbers[0]), int(numbers[1]))

    def is_ancestor(self, old: str, new: str) -> bool | None:
        """Whether `new` holds all that `old` holds; None when that cannot be determined."""
        code = self.client.local(self.place_of(new), "merge-base", "--is-ancestor", old, new).code
        return {0: True, 1: False}.get(code)

    def contains(self, new: str, old: str) -> bool | None:
        """Whether `old` is in the history of `new`, which was brought here whole; None when it cannot be determined."""
        found = self.is_ancestor(old, new)
        if found is None and self._has(self.place_of(new), new) and not self._has(self.place_of(new), old):
            return False  # all that `new` has is here
        return found

    def matches(self, commit: str, pattern: str, path: str = "") -> tuple[str, ...]:
        """All texts in the files of a commit, below `path`, that match an extended regular expression, each once.

        Raises PermanentError when the commit is not here.
        """
        words = ("grep", "-hIoE", "-e", pattern, commit, "--", *([path] if path else []))
        done = self.client.local(self.place_of(commit), *words)
        if done.code not in (0, 1):
            raise PermanentError("git cannot read the commit", where=commit)
        return tuple(dict.fromkeys(done.out.decode(errors="replace").split()))

    def local(self, commit: str, *words: str) -> CommandResult:
        """Run git on the repository that `commit` is in."""
        return self.client.local(self.place_of(commit), *words)

    def exists_at(self, remote: GitRemoteUrls, commit: str) -> bool:
        """Whether the remote has a commit that none of its refs need stand on. Raises GitCommandFailed when it cannot
        be determined.

        Asked with an empty repository: git does not ask for what it has.
        """
        with TemporaryDirectory(prefix="hwplan-git-") as scratch:
            probe = Path(scratch) / "probe.git"
            self._init(probe, commit)
            try:
                self.client.fetch(remote, probe, commit, "refs/kept/probe", "--depth=1")
            except GitCommandFailed as error:
                if error.kind is GitFailureKind.NO_OBJECT:
                    return False
                raise
        return True

    def _has(self, repository: Path, commit: str) -> bool:
        return self.client.local(repository, "cat-file", "-e", commit).code == 0

    def place_of(self, commit: str) -> Path:
        """The repository that commits with such ids are in."""
        return self.folder / ("objects.git" if len(commit) == 40 else "objects-sha256.git")

    def _repository(self, commit: str) -> Path:
        repository = self.place_of(commit)
        self._init(repository, commit)
        return repository

    def _init(self, repository: Path, commit: str) -> None:
        """Also mends a repository whose making was interrupted: `objects/info` is what git makes last."""
        form = "sha1" if len(commit) == 40 else "sha256"
        words = ("--quiet", "--bare", "--template=", f"--object-format={form}", "--", str(repository))
        if (repository / "objects" / "info").is_dir():
            return
        if self.client.local(None, "init", *words).code:
            raise PermanentError("git cannot make its cache", where=str(repository), remedy="remove that folder")

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """One at a time, over all processes: two fetches would get into each other's way with their refs.

        Gives the descriptor of the lock, for git to hold on to: it may live on when we are killed.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            end = time.monotonic() + LOCK_SECONDS
            while not _lock(file.fileno()):
                if time.monotonic() > end:
                    raise TemporaryError(
                        f"another git has been at work in the cache for {LOCK_SECONDS:.0f} s",
                        where=str(self.folder / "lock"),
                        remedy="wait for the other hwplan, or end the git that holds that file",
                    )
                time.sleep(_LOOK_AGAIN)
            yield file.fileno()


def _lock(descriptor: int) -> bool:
    """Take the lock; False while another process has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(repository: Path) -> None:
    """Remove the locks of refs that a killed git has left: we hold the lock on the cache, so nobody is at work."""
    for left in (repository / "refs" / "kept").glob("*.lock"):
        left.unlink(missing_ok=True)


def _kept(remote: GitRemoteUrls, ref: str) -> str:
    return "refs/kept/" + hashlib.sha256(f"{remote.shown}#{ref}".encode()).hexdigest()[:32]
