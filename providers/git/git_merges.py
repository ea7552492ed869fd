"""Merges predicted and looked at: what git makes of a base and a head, and which commits are really there.

Works on the objects alone, without a working tree, and moves no ref of a remote. What follows is planner.pull_requests.
"""

from __future__ import annotations

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.pull_requests.github_facts import MergeMethod
from planner.pull_requests.predicted_merge_verification import (
    CommitTreeAndParents,
    ConflictingFile,
    ConflictingMerge,
    MergeCommitHistory,
    PredictedMerge,
)
from planner.values import JsonObject
from providers.git.checked_names import check_commit_id, check_ref_name
from providers.git.git_client import GitClient
from providers.git.git_failures import GitCommandFailed
from providers.git.git_ref_reader import is_missing_commit
from providers.git.object_cache import ObjectCache
from providers.git.remotes import GitRemoteUrls, RemoteLocations, resolve_remote

_HEADS = "heads of pull requests"  # for the cache: what is fetched next builds on the one before
_LOG = "--format=%H%x00%s%x00%b%x00"
_MOST_ASKED = 10  # conflicting files of which the other change is looked up
_IDENTITY = ("-c", "user.name=hwplan", "-c", "user.email=hwplan@localhost")


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit: id, first line and rest of its message."""

    commit: str
    subject: str
    rest: str


@dataclass(frozen=True, slots=True)
class RemoteGitMergePredictor:
    """Predicts merges with git, and reads merged commits, of repositories named by the `git` of a document (`remote`,
    `ssh`, `retry`). All methods raise ProviderError."""

    client: GitClient
    objects: ObjectCache
    places: RemoteLocations

    def tip(self, side: JsonObject, branch: str) -> str:
        """Where a branch stands now, "" if there is none."""
        return self._tip(resolve_remote(side, self.places), branch)

    def predict(
        self, side: JsonObject, branch: str, head: str, method: MergeMethod, base: str = ""
    ) -> PredictedMerge | ConflictingMerge:
        """The merge of `head` into the branch as it is now, or as it was at the commit `base`."""
        remote = resolve_remote(side, self.places)
        base = base or self._tip(remote, branch)
        if not base:
            raise PermanentError("the base branch is not there", where=remote.shown)
        self.objects.bring(remote, check_commit_id(base), _ref(branch))
        self.objects.bring(remote, check_commit_id(head), _HEADS)
        trees = self._rebased(base, head) if method == "rebase" else self._merged(base, head, base, head)
        return trees if isinstance(trees, ConflictingMerge) else PredictedMerge(method, base, head, trees)

    def merged(self, side: JsonObject, branch: str, commit: str, limit: int) -> MergeCommitHistory:
        """A commit with at most `limit` commits of its first-parent history, and whether the branch holds it."""
        remote = resolve_remote(side, self.places)
        tip = self._tip(remote, branch)
        if not tip:
            return MergeCommitHistory((), False)
        self.objects.bring(remote, tip, _ref(branch))
        try:
            self.objects.bring(remote, check_commit_id(commit), _HEADS)
        except GitCommandFailed as error:
            if is_missing_commit(error):
                return MergeCommitHistory((), False)
            raise
        words = ("rev-list", "--first-parent", f"--max-count={limit}", "--format=%H %T %P", "--no-commit-header")
        commits = tuple(_commit(row) for row in self._lines(commit, *words, commit, "--"))
        return MergeCommitHistory(commits, self.objects.contains(tip, commit) is True)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` was made on top of `older`; both were brought here."""
        return self.objects.contains(newer, older) is True

    def commits_of(self, head: str, without: str) -> int:
        """How many commits, merges apart, lead to `head` and not to `without`; both were brought here."""
        return int(self._lines(head, "rev-list", "--count", "--no-merges", head, f"^{without}", "--")[0])

    def _tip(self, remote: GitRemoteUrls, branch: str) -> str:
        return self.client.list_refs(remote).get(_ref(branch), "")

    def _merged(self, ours: str, theirs: str, base: str, head: str) -> tuple[str, ...] | ConflictingMerge:
        """The tree of a merge of two commits, for the pull request of `head` into `base`."""
        if self.client.local(self.objects.place_of(head), "merge-base", ours, theirs).code == 1:
            return ConflictingMerge(base, head, ())
        words = ("merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", ours, theirs)
        done = self.client.local(self.objects.place_of(head), *words)
        fields = done.out.decode(errors="replace").split("\0")
        if done.code == 0 and fields[0]:
            return (fields[0].strip(),)
        if done.code == 1:
            names = dict.fromkeys(name for name in fields[1:] if name)
            since = self._left_at(base, head)
            found = (self._touched(base, since, name) if at < _MOST_ASKED else "" for at, name in enumerate(names))
            return ConflictingMerge(base, head, tuple(map(ConflictingFile, names, found)))
        raise PermanentError("git cannot predict the merge", where=head[:12], remedy="it needs git 2.38 or newer")

    def _left_at(self, base: str, head: str) -> str:
        """The newest of the base's first parents that the head has too; "" where it has all or none of them."""
        lacking = self._lines(base, "rev-list", "--first-parent", base, f"^{head}", "--")
        if not lacking:
            return ""
        parents = self._lines(base, "rev-list", "--parents", "--max-count=1", lacking[-1], "--")[0].split()[1:]
        return parents[0] if parents else ""

    def _touched(self, base: str, since: str, name: str) -> str:
        """The newest of the base's first parents after `since` that changed this file: what a pull request brought is
        the commit that it was merged by. (With `^head` for `since`, git leaves out a merge onto a commit of the head.)
        """
        if not since:
            return ""
        words = ("rev-list", "--max-count=1", "--first-parent", base, f"^{since}")
        found = self._lines(base, *words, "--", f":(literal,top){name}")
        return found[0] if found else ""

    def _rebased(self, base: str, head: str) -> tuple[str, ...] | ConflictingMerge:
        """The trees of the commits of `head` when each is made anew on top of `base`, as `git rebase` does: without
        merges, without what the base has already, and without empty commits."""
        words = ("rev-list", "--reverse", "--topo-order", "--no-merges", "--right-only", "--cherry-pick")
        tree, trees = self._tree(base), []
        for commit in self._lines(head, *words, f"{base}...{head}", "--"):
            parent = self._lines(head, "rev-parse", "--verify", f"{commit}^1")[0]
            # A commit with the tree so far and the parent of `commit`: then that parent is the base of the merge.
            sofar = self._lines(head, *_IDENTITY, "commit-tree", tree, "-p", parent, "-m", "so far")[0]
            found = self._merged(sofar, commit, base, head)
            if isinstance(found, ConflictingMerge):
                return found
            if found[0] != tree or self._tree(commit) == self._tree(parent):
                tree = found[0]
                trees.append(tree)
        if not trees:
            raise PermanentError("nothing is left of the pull request: the base has it already", where=head[:12])
        return tuple(trees)

    def _tree(self, commit: str) -> str:
        return self._lines(commit, "rev-parse", "--verify", f"{commit}^{{tree}}")[0]

    def _lines(self, commit: str, *words: str) -> list[str]:
        done = self.client.local(self.objects.place_of(commit), *words)
        if done.code:
            raise PermanentError("git cannot read the history", where=commit[:12])
        return done.out.decode(errors="replace").splitlines()


def _ref(branch: str) -> str:
    return check_ref_name(f"refs/heads/{branch}")


def _commit(row: str) -> CommitTreeAndParents:
    commit, tree, *parents = row.split()
    return CommitTreeAndParents(commit, tree, tuple(parents))


def commits_between(objects: ObjectCache, commit: str, since: str, most: int) -> tuple[LoggedCommit, ...]:
    """The newest commits, merges apart, that `commit` has and `since` has not; `since` "" stands for the parent that
    `commit` was made on. Raises PermanentError when the history cannot be read."""
    check_commit_id(commit)
    before = check_commit_id(since) if since else f"{commit}^1"
    words = ("log", "--no-merges", f"--max-count={most}", "-z", _LOG, commit, f"^{before}", "--")
    done = objects.local(commit, *words)
    if done.code and not since:  # the first commit of all
        done = objects.local(commit, "log", "--max-count=1", "-z", _LOG, commit, "--")
    if done.code:
        raise PermanentError("git cannot read the history", where=commit[:12])
    fields = done.out.decode(errors="replace").split("\0")
    rows = [fields[at : at + 3] for at in range(0, len(fields) - 3, 4)]
    return tuple(LoggedCommit(one.strip(), subject.strip(), rest) for one, subject, rest in rows)
