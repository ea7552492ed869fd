"""Looks at a merge that is said to be done: the commits in git against those that were predicted (P10, P11).

GitHub's word is only where to look. A branch may be seen a moment later than the merge, so what is missing is looked
for a few times; what is there and different is a mismatch at once.
"""

from __future__ import annotations

from collections.abc import Callable

from planner.dataclass import dataclass
from planner.pull_requests.github_facts import PullRequestState
from planner.pull_requests.predicted_merge_verification import (
    MergeCommitHistory,
    MergeMismatch,
    PredictedMerge,
    base_commit_of_merge_in_git,
    find_merge_mismatch,
    merge_problem_by_github_facts,
    ways_others_may_have_merged,
)
from providers.github.client import GitHubClient
from providers.github.pull_request_spec import GitMergePredictor, ParsedPullRequestSpec

_PAUSES = (1.0, 2.0, 4.0)  # seconds between looks for what is not there yet
_MOST = 250  # commits of a pull request that GitHub rebases


@dataclass(frozen=True, slots=True)
class VerifiedMerge:
    """The commit of a merge that is what git makes of base and head. `moved_to` is where the base had moved on to
    between the last look at it and the merge, "" where it had not: no request can name the base."""

    commit: str
    moved_to: str = ""


@dataclass(frozen=True, slots=True)
class MergeVerifier:
    """Verifies the merges of one account. `sleep` lets time pass between two looks."""

    git: GitMergePredictor
    sleep: Callable[[float], None]

    def after_merge(
        self, wanted: ParsedPullRequestSpec, client: GitHubClient, predicted: PredictedMerge, named: str
    ) -> VerifiedMerge | MergeMismatch:
        """The commit of a merge that we asked for, or what is wrong with it. `named` is what GitHub's answer named."""
        for pause in (*_PAUSES, 0.0):
            pull = client.pull(wanted.repo, wanted.number)
            reason = merge_problem_by_github_facts(pull, wanted.head, wanted.base, named)
            found = MergeMismatch(reason, predicted.tree) if reason else self._checked(wanted, pull, predicted)
            if isinstance(found, VerifiedMerge) or not pause or found.found_tree:
                break
            self.sleep(pause)
        return found

    def of_others(self, wanted: ParsedPullRequestSpec, pull: PullRequestState) -> str | MergeMismatch:
        """The commit of a merge that somebody else made, or that we made before a crash, or what is wrong with it."""
        if reason := merge_problem_by_github_facts(pull, wanted.head, wanted.base):
            return MergeMismatch(reason, "")
        seen = self.git.merged(wanted.git, wanted.base, pull.merge_commit, _MOST)
        worst = MergeMismatch("its parents fit no way to merge", "", seen.commits[0].tree if seen.commits else "")
        if not seen.commits or not seen.on_branch:
            missing = "the base branch does not hold the commit that GitHub names"
            return MergeMismatch(missing, "", worst.found_tree)
        for method, base in ways_others_may_have_merged(seen, wanted.head, self._commits(wanted, seen)):
            predicted = self.git.predict(wanted.git, wanted.base, wanted.head, method, base)
            if not isinstance(predicted, PredictedMerge):
                continue
            mismatch = find_merge_mismatch(predicted, seen)
            if mismatch is None:
                return pull.merge_commit
            worst = mismatch if not worst.expected_tree else worst
        return worst

    def _checked(
        self, wanted: ParsedPullRequestSpec, pull: PullRequestState, predicted: PredictedMerge
    ) -> VerifiedMerge | MergeMismatch:
        seen = self.git.merged(wanted.git, wanted.base, pull.merge_commit, len(predicted.trees))
        mismatch = find_merge_mismatch(predicted, seen)
        if mismatch is None:
            return VerifiedMerge(pull.merge_commit)
        base = base_commit_of_merge_in_git(predicted, seen)
        if base in ("", predicted.base) or not self.git.is_ancestor(predicted.base, base):
            return mismatch
        again = self.git.predict(wanted.git, wanted.base, wanted.head, wanted.method, base)
        if not isinstance(again, PredictedMerge) or find_merge_mismatch(again, seen) is not None:
            return mismatch
        if wanted.up_to_date:
            reason = f"the base moved on to {base[:12]} right before the merge, so that what is merged was never tested"
            return MergeMismatch(reason, predicted.tree, mismatch.found_tree)
        return VerifiedMerge(pull.merge_commit, moved_to=base)

    def _commits(self, wanted: ParsedPullRequestSpec, seen: MergeCommitHistory) -> int:
        """How many commits the pull request has; the head is read by a prediction first."""
        self.git.predict(wanted.git, wanted.base, wanted.head, "squash", seen.commits[-1].commit)
        return self.git.commits_of(wanted.head, seen.commits[0].commit)
