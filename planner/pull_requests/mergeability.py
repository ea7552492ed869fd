"""What GitHub's word about mergeability means (P5). Pure. Git's own prediction is planner.pull_requests.merge_check."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from planner.pull_requests.github_facts import PullRequestState


class Mergeability(StrEnum):
    """What to do about a pull request. The value is for people."""

    READY = "it can be merged"
    LOOK_AGAIN = "GitHub has not computed yet whether it can be merged"  # pause the lane, do not skip to the next
    BEHIND = "it is behind its base, and the branch requires that it is not"
    BLOCKED = "GitHub holds it back: a review or a check that the branch requires is missing"
    CONFLICT = "it conflicts with its base"
    DRAFT = "it is a draft"
    OTHER = "GitHub gives a state that is not known here"


_MEANINGS: Final = {
    "clean": Mergeability.READY,
    "unstable": Mergeability.READY,
    "has_hooks": Mergeability.READY,
    "behind": Mergeability.BEHIND,
    "blocked": Mergeability.BLOCKED,
    "dirty": Mergeability.CONFLICT,
    "draft": Mergeability.DRAFT,
    "unknown": Mergeability.LOOK_AGAIN,
    "": Mergeability.LOOK_AGAIN,
}


def judge_mergeability(pull: PullRequestState) -> Mergeability:
    """The meaning of `mergeable` and `mergeable_state` of a pull request that was read by its number."""
    if pull.draft:
        return Mergeability.DRAFT
    meaning = _MEANINGS.get(pull.mergeable_state, Mergeability.OTHER)
    if meaning is Mergeability.READY and pull.mergeable is not True:
        return Mergeability.LOOK_AGAIN if pull.mergeable is None else Mergeability.CONFLICT
    return meaning
