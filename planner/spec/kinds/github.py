"""Kinds for GitHub: merging a pull request, and comments and issues that are found again by a marker."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictInt, StringConstraints

from planner.spec.base import Commit, Model, RepoName, Text
from planner.spec.kinds.envelope import Deferred, KindModel

Number: TypeAlias = Annotated[StrictInt, Field(ge=1)]
Marker: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9:./@]{2,120}$")]
Body: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=65_536)]


class PullRequestSpec(Model):
    """Which pull request, at which reviewed commit."""

    repo: RepoName = Field(description="owner/name.")
    number: Number = Field(description="Number.")
    head_sha: Commit = Field(description="The reviewed head; a merge of anything else is refused.")
    method: Literal["merge", "squash", "rebase"] = Field("merge", description="How it is merged.")


class PullRequest(KindModel):
    """A pull request that has to be merged. Output: `mergeCommit`."""

    kind: Literal["PullRequest"] = Field(description="PullRequest.")
    spec: PullRequestSpec = Field(description="The pull request.")


class GitHubCommentSpec(Model):
    """Where the comment stands, what marks it, and its text."""

    repo: RepoName = Field(description="owner/name.")
    number: Number = Field(description="Number of the issue or pull request.")
    marker: Marker = Field(description="Hidden mark that finds the comment again; one comment per marker.")
    body: Body | Deferred = Field(description="Text, in Markdown.")


class GitHubComment(KindModel):
    """A comment, created once and updated in place. Output: `url`."""

    kind: Literal["GitHubComment"] = Field(description="GitHubComment.")
    spec: GitHubCommentSpec = Field(description="The comment.")


class GitHubIssueSpec(Model):
    """The issue and what marks it."""

    repo: RepoName = Field(description="owner/name.")
    marker: Marker = Field(description="Hidden mark that finds the issue again; one issue per marker.")
    title: Annotated[Text, Field(max_length=256)] = Field(description="Title.")
    body: Body | Deferred = Field(description="Text, in Markdown.")
    state: Literal["open", "closed"] = Field("open", description="Wanted state.")
    labels: tuple[Text, ...] = Field((), description="Labels.")


class GitHubIssue(KindModel):
    """An issue, created once and updated in place. Output: `url`."""

    kind: Literal["GitHubIssue"] = Field(description="GitHubIssue.")
    spec: GitHubIssueSpec = Field(description="The issue.")
