"""A commit of files in a folder, made in our own object cache with git's plumbing. Writes nothing to a remote.

The same tip, files and message give the same commit everywhere: its time is one second after that of its parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonObject, OutputRef, OutputTemplate
from providers.git.checked_names import check_ref_name
from providers.git.git_client import GitClient
from providers.git.object_cache import ObjectCache
from providers.git.remotes import GitRemoteUrls, RemoteLocations, resolve_remote

_WHO = "hwplan <hwplan@localhost>"
_PLAIN = "100644"
_MOST_SHOWN = 256 * 1024  # bytes of a file that a plan shows


@dataclass(frozen=True, slots=True)
class ParsedGitCommitSpec:
    """The parsed spec of a GitCommit: remote, branch, files, message. A file whose text takes an output that is not
    known yet has the leaf there."""

    remote: GitRemoteUrls
    ref: str
    create_branch: bool
    path: str
    files: Mapping[str, str | OutputRef | OutputTemplate]
    message: str | OutputRef | OutputTemplate

    @property
    def open(self) -> bool:
        """Whether something of it depends on what other resources give."""
        return any(isinstance(one, OutputRef | OutputTemplate) for one in (*self.files.values(), self.message))


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of the folder: its text before (None: it is not there) and after (None: it goes)."""

    path: str
    before: str | None
    after: str | OutputRef | OutputTemplate | None


@dataclass(frozen=True, slots=True)
class _Blob:
    mode: str
    id: str


def parse_git_commit_spec(spec: JsonObject, places: RemoteLocations) -> ParsedGitCommitSpec:
    """Parse the spec of a GitCommit document. Raises PermanentError for a remote that may not be used."""
    return ParsedGitCommitSpec(
        resolve_remote(spec, places),
        check_ref_name(f"refs/heads/{spec['branch']}"),
        bool(spec.get("createBranch")),
        str(spec["path"]),
        dict(spec["files"]),
        spec["message"],
    )


@dataclass(frozen=True, slots=True)
class CommitMaker:
    """Makes git commits of file changes on a branch tip, in `repository`, which has the tip with its tree."""

    client: GitClient
    repository: Path

    @classmethod
    def on(cls, client: GitClient, objects: ObjectCache, wish: ParsedGitCommitSpec, tip: str) -> CommitMaker:
        """With the tip ("" for none) brought from the remote. Raises GitCommandFailed."""
        return cls(client, objects.bring(wish.remote, tip, wish.ref) if tip else objects.home())

    def changes(self, wish: ParsedGitCommitSpec, tip: str) -> tuple[FileChange, ...]:
        """What becomes different in the folder, by path."""
        there = self._folder(tip, wish.path)
        wanted = {f"{wish.path}/{name}": text for name, text in wish.files.items()}
        found: list[FileChange] = []
        for path in sorted({*there, *wanted}):
            text, blob = wanted.get(path), there.get(path)
            if blob is None:
                found.append(FileChange(path, None, text))
            elif not isinstance(text, str) or blob != _Blob(_PLAIN, self._blob(text)):
                found.append(FileChange(path, self._text(blob.id), text))
        return tuple(found)

    def commit(self, wish: ParsedGitCommitSpec, tip: str) -> str:
        """The commit of the wish, all of which is known, on the tip; the tip itself where nothing changes."""
        assert isinstance(wish.message, str)
        changes = self.changes(wish, tip)
        if tip and not changes:
            return tip
        with TemporaryDirectory(prefix="hwplan-git-") as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index"), "GIT_WORK_TREE": scratch}  # an empty one
            if tip:
                self._git("read-tree", tip, environment=index)
            gone = [one.path for one in changes if one.after is None]
            if gone:
                self._git("update-index", "--force-remove", "--", *gone, environment=index)
            put = [(one.path, one.after) for one in changes if isinstance(one.after, str)]
            words = [word for path, text in put for word in ("--cacheinfo", f"{_PLAIN},{self._blob(text)},{path}")]
            if words:
                self._git("update-index", "--add", "--replace", *words, environment=index)
            tree = self._git("write-tree", environment=index)
        parents = ("-p", tip) if tip else ()
        return self._git("commit-tree", tree, *parents, "-m", wish.message, environment=self._signature(tip))

    def _folder(self, tip: str, path: str) -> dict[str, _Blob]:
        """Files at and below the path."""
        if not tip:
            return {}
        found: dict[str, _Blob] = {}
        for entry in self._git("ls-tree", "-r", "-z", "--full-tree", tip, "--", path).split("\0"):
            head, tab, name = entry.partition("\t")
            if tab:
                mode, _, blob = head.split(" ")
                found[name] = _Blob(mode, blob)
        return found

    def _blob(self, text: str) -> str:
        with TemporaryDirectory(prefix="hwplan-git-") as scratch:
            file = Path(scratch) / "content"
            file.write_bytes(text.encode())
            return self._git("hash-object", "-w", "--no-filters", "--", str(file))

    def _text(self, blob: str) -> str:
        done = self.client.local(self.repository, "cat-file", "blob", blob)
        if done.code or len(done.out) > _MOST_SHOWN:
            return f"(object {blob})"
        try:
            return done.out.decode()
        except UnicodeDecodeError:
            return f"(object {blob}, no text)"

    def _signature(self, tip: str) -> dict[str, str]:
        time = int(self._git("show", "--no-patch", "--format=%ct", tip)) + 1 if tip else 0
        name, _, mail = _WHO.partition(" <")
        return {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", name), ("EMAIL", mail.rstrip(">")), ("DATE", f"@{time} +0000"))
        }

    def _git(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        done = self.client.local(self.repository, *words, environment=environment or {})
        if done.code:
            raise PermanentError(
                f"git cannot make the commit: {words[0]} failed", remedy="look at the paths of its files"
            )
        return done.out.decode("utf-8", "surrogateescape").strip("\n")
