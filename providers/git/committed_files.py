"""Reads files of commits that the object cache holds, by running git on it. Asks no remote."""

from __future__ import annotations

from planner.dataclass import dataclass
from planner.errors import PermanentError
from providers.git.object_cache import ObjectCache
from providers.git.run_command import CommandResult


@dataclass(frozen=True, slots=True)
class CommittedFiles:
    """Reads files of one commit, which was brought into the object cache before."""

    objects: ObjectCache
    commit: str

    def listing(self, path: str) -> str:
        """Mode, object id and name of each file below a path, as `git ls-tree -r` prints them; "" where there is none.

        Raises PermanentError when the commit cannot be read, as all of these do.
        """
        return self._git("ls-tree", "-r", self.commit, "--", path)

    def names(self, folder: str) -> tuple[str, ...]:
        """Names of the files that lie directly in a folder."""
        rows = self._git("ls-tree", "-z", self.commit, "--", f"{folder.rstrip('/')}/").split("\0")
        kinds = (row.partition("\t") for row in rows if row)
        return tuple(path.rpartition("/")[2] for words, _, path in kinds if words.split()[1] == "blob")

    def text(self, path: str) -> str | None:
        """The content of a file; None where there is no such file."""
        if not self._git("ls-tree", self.commit, "--", path):
            return None
        return self._git("cat-file", "blob", f"{self.commit}:{path}")

    def _git(self, *words: str) -> str:
        done: CommandResult = self.objects.local(self.commit, *words)
        if done.code:
            raise PermanentError("git cannot read the commit", where=self.commit)
        return done.out.decode(errors="replace")
