"""Whether a merge is the predicted one (P8, P10, P11). Pure: git has read the commits, GitHub the pull request.

A prediction names every tree that the merge makes and the commit that it is made on. What GitHub says of a merge counts
for nothing here but as something to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from planner.dataclass import dataclass
from planner.pull_requests.github_facts import MergeMethod, PullRequestState

MISMATCH = "merge-mismatch"


@dataclass(frozen=True, slots=True)
class PredictedMerge:
    """The commits that a merge of `head` into `base` makes, by their trees, the oldest first: one, or with `rebase` one
    for each commit of the pull request that changes something."""

    method: MergeMethod
    base: str
    head: str
    trees: tuple[str, ...]

    @property
    def tree(self) -> str:
        """The tree that the base branch has afterwards."""
        return self.trees[-1]


@dataclass(frozen=True, slots=True)
class ConflictingFile:
    """A file in which two sides conflict. `commit` is the newest one of the base's own line of commits that changed it
    and that the head lacks ("" where there is none); `pull` the pull request that it came with, 0 for none known."""

    name: str
    commit: str = ""
    pull: int = 0

    def described(self) -> str:
        """The file, and whose change of it the head lacks."""
        if not self.commit:
            return self.name
        return f"{self.name} (changed by {f'#{self.pull}, ' if self.pull else ''}{self.commit[:12]})"


@dataclass(frozen=True, slots=True)
class ConflictingMerge:
    """Git cannot merge `head` into `base`: the files that conflict. No files: the two share no history."""

    base: str
    head: str
    files: tuple[ConflictingFile, ...]

    def described(self) -> str:
        """The conflict as one phrase."""
        if not self.files:
            return f"it shares no history with {self.base[:12]}"
        return f"conflict with {self.base[:12]} in {merge_conflicts_text(self.files)}"

    def attributed(self, pulls: Mapping[str, int]) -> ConflictingMerge:
        """The same with the pull requests that commits of the base came with."""
        files = tuple(replace(one, pull=pulls.get(one.commit, one.pull)) for one in self.files)
        return replace(self, files=files)


def merge_conflicts_text(files: Sequence[ConflictingFile], most: int = 10) -> str:
    """Name the conflicting files of a merge in one phrase: the change that several have in common is named once."""
    names: dict[tuple[str, int], list[str]] = {}
    for one in files[:most]:
        names.setdefault((one.commit, one.pull), []).append(one.name)
    parts = [ConflictingFile(", ".join(found), commit, pull).described() for (commit, pull), found in names.items()]
    return "; ".join(parts) + (f" and {len(files) - most} more" if len(files) > most else "")


@dataclass(frozen=True, slots=True)
class CommitTreeAndParents:
    """A commit as git has it: its id, its tree and its parents."""

    commit: str
    tree: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergeCommitHistory:
    """What git has of a merge: the named commit and its first parents, the newest first (empty where the commit is not
    there), and whether the base branch holds it."""

    commits: tuple[CommitTreeAndParents, ...]
    on_branch: bool


@dataclass(frozen=True, slots=True)
class MergeMismatch:
    """A merge that is not the one that was predicted: nothing may be rolled out. Trees are "" where there is none."""

    reason: str
    expected_tree: str
    found_tree: str = ""

    def described(self) -> str:
        """Everything that a reader needs, as one phrase."""
        found = self.found_tree or "none"
        return f"{MISMATCH}: {self.reason}; expected tree {self.expected_tree or 'none'}, found {found}"


def merge_problem_by_github_facts(pull: PullRequestState, head: str, base_branch: str, named: str = "") -> str:
    """What is wrong with a pull request that counts as merged, by what GitHub says of it; "" for nothing.

    `named` is the commit that the answer to the merge named, "" where somebody else merged.
    """
    if not pull.merged:
        return "GitHub said that it was merged, and it is not"
    if pull.head != head:
        return f"its head is {pull.head[:12]}, and {head[:12]} was reviewed"
    if pull.base_branch != base_branch:
        return "it was merged into another branch"
    if not pull.merge_commit or (named and named != pull.merge_commit):
        return f"GitHub names {named[:12] or 'no commit'} and {pull.merge_commit[:12] or 'no commit'} as the merge"
    return ""


def find_merge_mismatch(predicted: PredictedMerge, seen: MergeCommitHistory) -> MergeMismatch | None:
    """Compare the commits of a merge in git with the predicted ones; None when they are the same, else the mismatch."""
    reason = next(_differences(predicted, seen), "")
    found = seen.commits[0].tree if seen.commits else ""
    return MergeMismatch(reason, predicted.tree, found) if reason else None


def _differences(predicted: PredictedMerge, seen: MergeCommitHistory) -> Iterator[str]:
    if not seen.commits:
        yield "the commit that GitHub names is not in the repository"
        return
    if not seen.on_branch:
        yield "the base branch does not hold the commit that GitHub names"
    made = tuple(reversed(seen.commits[: len(predicted.trees)]))
    if tuple(one.tree for one in made) != predicted.trees:
        yield "the tree is another one"
    before = predicted.base
    for one in made:
        expected = (before, predicted.head) if predicted.method == "merge" else (before,)
        if one.parents != expected:
            yield f"the parents of {one.commit[:12]} are {_short(one.parents)}, and {_short(expected)} were expected"
        before = one.commit


def base_commit_of_merge_in_git(predicted: PredictedMerge, seen: MergeCommitHistory) -> str:
    """The commit that a merge like the predicted one was really made on, by its parents; "" where they fit none."""
    made = seen.commits[: len(predicted.trees)]
    if not seen.on_branch or len(made) < len(predicted.trees) or not made[-1].parents:
        return ""
    before, *others = made[-1].parents
    return before if others == ([predicted.head] if predicted.method == "merge" else []) else ""


def _short(commits: tuple[str, ...]) -> str:
    return " and ".join(one[:12] for one in commits) or "none"


def ways_others_may_have_merged(seen: MergeCommitHistory, head: str, commits: int) -> Iterator[tuple[MergeMethod, str]]:
    """The ways (merge, squash, rebase) by which somebody else may have merged `head`, each with the commit that it was
    made on (P11). `commits` is how
    many the pull request has. A head that was pushed to the base is none of GitHub's ways to merge."""
    if not seen.commits or seen.commits[0].commit == head:
        return
    parents = seen.commits[0].parents
    if len(parents) == 2 and parents[1] == head:
        yield "merge", parents[0]
    if len(parents) == 1:
        yield "squash", parents[0]
        if 0 < commits <= len(seen.commits) and (before := seen.commits[commits - 1].parents):
            yield "rebase", before[0]
