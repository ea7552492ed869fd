"""One pull request with everything that was read about it in one cycle. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from planner.dataclass import dataclass
from planner.pull_requests.approvals import Approval
from planner.pull_requests.github_facts import CheckResult, PullRequestReview, PullRequestState
from planner.pull_requests.predicted_merge_verification import ConflictingFile


@dataclass(frozen=True, slots=True)
class MergeCandidate:
    """A pull request and its evidence, all of it read for `pull.head` (P3).

    `checks` and `reviews` are None where they could not be read. `contains_base` says whether the head contains the tip
    of the base, None for unknown. `effect` is the id of its plan, "" where there is none, `effect_parts` the digests of
    what that is made of; `conflicts` are the files that a local merge could not join (P8), None where that was not
    tried. `unreadable` says what else is missing. With `row_only` nothing but its row in the list was read, because
    that alone keeps it back. Without `base_read` nobody has asked yet how it stands to its base, because something else
    was missing.
    """

    pull: PullRequestState
    checks: tuple[CheckResult, ...] | None = ()
    reviews: tuple[PullRequestReview, ...] | None = ()
    approvals: tuple[Approval, ...] = ()
    contains_base: bool | None = None
    effect: str = ""
    effect_parts: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[ConflictingFile, ...] | None = None
    in_queue: bool = False
    unreadable: str = ""
    row_only: bool = False
    base_read: bool = True


@dataclass(frozen=True, slots=True)
class UnmetRequirement:
    """Something that is not met: a code for programs, a reason for people, and who can change it.

    `holder` is `author`, `reviewer`, `checks`, `github`, `operator` or `time`.
    """

    code: str
    reason: str
    holder: str
