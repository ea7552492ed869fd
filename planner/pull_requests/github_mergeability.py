"""What GitHub's words `mergeable` and `mergeable_state` mean for a merge (P5). Pure. Git's own prediction is in
planner.pull_requests.predicted_merge_verification."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from planner.pull_requests.github_facts import PullRequestState


class GitHubMergeability(StrEnum):
    """Whether a pull request can be merged now, by GitHub's word, or why not. The value is for people."""

    READY = "it can be merged"
    LOOK_AGAIN = "GitHub has not computed yet whether it can be merged"  # pause the lane, do not skip to the next
    BEHIND = "it is behind its base, and the branch requires that it is not"
    BLOCKED = "GitHub holds it back: a review or a check that the branch requires is missing"
    CONFLICT = "it conflicts with its base"
    DRAFT = "it is a draft"
    OTHER = "GitHub gives a state that is not known here"


_MEANINGS: Final = {
    "clean": GitHubMergeability.READY,
    "unstable": GitHubMergeability.READY,
    "has_hooks": GitHubMergeability.READY,
    "behind": GitHubMergeability.BEHIND,
    "blocked": GitHubMergeability.BLOCKED,
    "dirty": GitHubMergeability.CONFLICT,
    "draft": GitHubMergeability.DRAFT,
    "unknown": GitHubMergeability.LOOK_AGAIN,
    "": GitHubMergeability.LOOK_AGAIN,
}


def interpret_github_mergeability(pull: PullRequestState) -> GitHubMergeability:
    """Interpret `mergeable` and `mergeable_state` of a pull request that was read by its number."""
    if pull.draft:
        return GitHubMergeability.DRAFT
    meaning = _MEANINGS.get(pull.mergeable_state, GitHubMergeability.OTHER)
    if meaning is GitHubMergeability.READY and pull.mergeable is not True:
        return GitHubMergeability.LOOK_AGAIN if pull.mergeable is None else GitHubMergeability.CONFLICT
    return meaning
