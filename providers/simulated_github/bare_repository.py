"""The git side of a repository of the simulated GitHub: where branches stand, whether a merge works, the merge itself.

Merges are made by the git binary in a working tree of their own (`git merge`, `git rebase`), and the base branch is
moved by compare-and-swap, so that what a client predicts by other means is compared with git itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from planner.dataclass import dataclass
from planner.errors import PermanentError
from providers.sandbox.git_repositories import run_git


class MergeFailed(Exception):
    """Git does not merge: a conflict, or the base moved meanwhile (`moved`)."""

    def __init__(self, *, moved: bool = False) -> None:
        super().__init__()
        self.moved = moved


@dataclass(frozen=True, slots=True)
class CommitFields:
    """A commit as GitHub shows it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class SimulatedBareRepository:
    """The bare git repository, in the folder `path`, of a repository of the simulated GitHub."""

    path: Path

    def branches(self) -> dict[str, str]:
        """Every branch with its commit."""
        lines = run_git(self.path, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.split(" ", 1) for line in lines.splitlines())

    def commit(self, sha: str) -> CommitFields | None:
        """A commit by its full id; None when it is not there."""
        try:
            text = run_git(self.path, "show", "--no-patch", "--format=%H%n%T%n%P%n%B", f"{sha}^{{commit}}")
        except PermanentError:
            return None
        found, tree, parents, *message = text.split("\n")
        return CommitFields(found, tree, tuple(parents.split()), "\n".join(message))

    def mergeable(self, base: str, head: str) -> bool:
        """Whether git merges the two without a conflict."""
        try:
            run_git(self.path, "merge-tree", "--write-tree", base, head)
        except PermanentError:
            return False
        return True

    def distance(self, base: str, head: str) -> tuple[int, int]:
        """Commits that only `head` has, and that only `base` has."""
        behind, ahead = run_git(self.path, "rev-list", "--left-right", "--count", f"{base}...{head}").split()
        return int(ahead), int(behind)

    def merge_base(self, base: str, head: str) -> str:
        """The best common ancestor, "" where there is none."""
        try:
            return run_git(self.path, "merge-base", base, head)
        except PermanentError:
            return ""

    def brought(self, merge: str) -> list[str]:
        """The commits that came with a merge, itself among them; none where it is not there."""
        try:
            return run_git(self.path, "rev-list", merge, f"^{merge}^1").splitlines()
        except PermanentError:
            return []

    def changed_files(self, base: str, head: str) -> list[str]:
        """Paths that differ between the merge base and `head`."""
        return run_git(self.path, "diff", "--name-only", f"{base}...{head}").splitlines()

    def set_ref(self, ref: str, sha: str, before: str = "") -> None:
        """Set a ref, only from `before` if that is given. Raises PermanentError."""
        run_git(self.path, "update-ref", ref, sha, *([before] if before else []))

    def merge(self, branch: str, base: str, head: str, method: str, message: str) -> str:
        """Merge `head` into the branch, which stands on `base`; gives the commit. Raises MergeFailed."""
        made = self.merged(base, head, method, message)
        try:
            self.set_ref(f"refs/heads/{branch}", made, base)
        except PermanentError:
            raise MergeFailed(moved=True) from None
        return made

    def merged(self, base: str, head: str, method: str, message: str) -> str:
        """The commit that a merge makes, on no branch yet. Raises MergeFailed."""
        steps: dict[str, Callable[[Path], None]] = {
            "merge": lambda at: _run(at, "merge", "--no-ff", "-m", message, head),
            "squash": lambda at: _squash(at, head, message),
            "rebase": lambda at: _run(at, "rebase", "--force-rebase", "--onto", base, base, head),
        }
        with tempfile.TemporaryDirectory(prefix="hwplan-merge-") as scratch:
            at = Path(scratch) / "tree"
            run_git(self.path, "worktree", "add", "--quiet", "--detach", str(at), base)
            try:
                steps[method](at)
                return run_git(at, "rev-parse", "HEAD")
            except PermanentError:
                raise MergeFailed from None
            finally:
                run_git(self.path, "worktree", "remove", "--force", str(at))


def _run(at: Path, *words: str) -> None:
    run_git(at, "-c", "core.hooksPath=/dev/null", *words)


def _squash(at: Path, head: str, message: str) -> None:
    _run(at, "merge", "--squash", head)
    _run(at, "commit", "--allow-empty", "-m", message)
