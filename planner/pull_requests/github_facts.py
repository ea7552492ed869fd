"""What was read about a pull request, its checks and its repository, as frozen values. Texts in them are untrusted."""

from __future__ import annotations

from typing import Literal, TypeAlias

from planner.dataclass import dataclass

MergeMethod: TypeAlias = Literal["merge", "squash", "rebase"]


@dataclass(frozen=True, slots=True)
class PullRequestState:
    """A pull request at one moment. `mergeable` is None while GitHub is still computing it, and in lists, where
    `mergeable_state` is "" as well. `merge_commit` counts only when `merged` is true. Times are UTC, ISO 8601."""

    number: int
    title: str
    author: str
    is_open: bool
    draft: bool
    head: str
    head_branch: str
    base_branch: str
    base: str
    labels: tuple[str, ...] = ()
    merged: bool = False
    merged_by: str = ""
    merge_commit: str = ""
    mergeable: bool | None = None
    mergeable_state: str = ""
    auto_merge: bool = False
    created_at: str = ""
    updated_at: str = ""
    merged_at: str = ""


@dataclass(frozen=True, slots=True)
class PullRequestReview:
    """A review of a pull request. `commit` is the head that it was made on; `state` is GitHub's word in capitals."""

    author: str
    state: str
    commit: str
    submitted_at: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The latest check run or commit status of one name on one commit.

    `state` is `success`, `failure` or `pending`: a check run that ended `neutral` or `skipped` is a success, any other
    end or an unknown word a failure. `said` is GitHub's own word, `author` who wrote a status ("" for check runs and in
    combined statuses).
    """

    name: str
    state: Literal["success", "failure", "pending"]
    said: str
    author: str = ""
    description: str = ""
    identifier: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class IssueComment:
    """A comment on an issue or pull request."""

    identifier: int
    author: str
    body: str
    url: str = ""
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """An issue as GitHub answers it. `is_pull` is true for a pull request, which GitHub lists among the issues."""

    number: int
    author: str
    title: str
    body: str
    is_open: bool
    labels: tuple[str, ...] = ()
    is_pull: bool = False
    url: str = ""
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class BranchRules:
    """What has to be green before GitHub merges into a branch; `strict` where the head has to contain the base. `tip`
    is the commit that the branch stands on."""

    contexts: tuple[str, ...] = ()
    strict: bool = False
    tip: str = ""


@dataclass(frozen=True, slots=True)
class BranchComparison:
    """How far a head is from a base, in commits, and which files it changes (at most 300, as GitHub shows them)."""

    ahead: int
    behind: int
    merge_base: str
    files: tuple[str, ...] = ()
