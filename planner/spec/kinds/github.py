"""Kinds for GitHub: merging a pull request, comments and issues that are found again by a marker, commit statuses."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, StrictInt, StringConstraints, model_validator

from planner.spec.base import Branch, Commit, HttpUrl, RepoName, StrictModel, Text
from planner.spec.kinds.envelope import Deferred, KindModel
from planner.spec.kinds.git import GitRepositoryAccess, KeyPath

Number: TypeAlias = Annotated[StrictInt, Field(ge=1)]
Marker: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9:./@]{2,120}$")]
SectionName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9.]{0,62}$")]
Body: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=65_536)]


class GitHubApp(StrictModel):
    """A GitHub App that is installed where the repository is."""

    id: Text = Field(description="Its id or client id.")
    installation: Number = Field(description="Id of the installation.")
    key_file: KeyPath = Field(
        description="Its private key (PEM), relative to the configuration folder or below `~`; needs the extra "
        "`github-app`."
    )


class GitHubAccess(StrictModel):
    """Which GitHub is asked, and in whose name. Credentials are files on the machine that plans; none is in a plan."""

    url: HttpUrl = Field("https://api.github.com", description="Beginning of its REST API.")
    token_file: KeyPath | None = Field(
        None, description="File with a token, relative to the configuration folder or below `~`."
    )
    app: GitHubApp | None = Field(None, description="Instead of a token.")

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if self.token_file is not None and self.app is not None:
            raise ValueError("`access` takes either `tokenFile` or `app`")
        return self


class GitHubRepositoryModel(StrictModel):
    """A repository on a GitHub."""

    repo: RepoName = Field(description="owner/name.")
    access: GitHubAccess = Field(default_factory=GitHubAccess, description="Which GitHub, and in whose name.")


class PullRequestSpec(GitHubRepositoryModel):
    """Which pull request, at which reviewed commit."""

    number: Number = Field(description="Number.")
    head_sha: Commit = Field(description="The reviewed head; a merge of anything else is refused.")
    base: Branch = Field(description="The branch that it is merged into; a pull request into another one is refused.")
    git: GitRepositoryAccess = Field(
        description="The repository as git reaches it: the merge is predicted and verified there."
    )
    method: Literal["merge", "squash", "rebase"] = Field("merge", description="How it is merged.")
    freshness: Literal["head", "merge"] = Field(
        "head",
        description="`merge`: the head has to contain the tip of its base, so that what is merged is what was tested.",
    )


class PullRequest(KindModel):
    """A pull request that has to be merged, and its merge verified in git. Outputs: `mergeCommit`, `short` (its first
    12 digits)."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"mergeCommit", "short"})

    kind: Literal["PullRequest"] = Field(description="PullRequest.")
    spec: PullRequestSpec = Field(description="The pull request.")


class GitHubCommentSpec(GitHubRepositoryModel):
    """Where the comment stands, what marks it, and its text."""

    number: Number = Field(description="Number of the issue or pull request.")
    marker: Marker = Field(description="Hidden mark that finds the comment again; one comment per marker.")
    body: Body | Deferred = Field(description="Text, in Markdown.")


class GitHubComment(KindModel):
    """A comment, created once and updated in place. Output: `url`."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"url"})

    kind: Literal["GitHubComment"] = Field(description="GitHubComment.")
    spec: GitHubCommentSpec = Field(description="The comment.")


class GitHubIssueSpec(GitHubRepositoryModel):
    """What a GitHubIssue declares: title, body, labels, and the marker of the issue."""

    marker: Marker = Field(description="Hidden mark that finds the issue again; one issue per marker.")
    title: Annotated[Text, Field(max_length=256)] = Field(description="Title.")
    body: Body | Deferred = Field(description="Text, in Markdown.")
    state: Literal["open", "closed"] = Field("open", description="Wanted state.")
    section: SectionName | None = Field(
        None,
        description="Name of our part of the text, where several commands write one issue: what the others wrote stays "
        "there, and the issue is open while one part is.",
    )
    former_markers: tuple[Marker, ...] = Field(
        (), description="Marks that the issue had before: one that is found by them gets the mark of today."
    )
    labels: tuple[Text, ...] = Field((), description="Labels that it has to have; others that it has are left alone.")


class GitHubIssue(KindModel):
    """An issue, created once and updated in place. Output: `url`."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"url"})

    kind: Literal["GitHubIssue"] = Field(description="GitHubIssue.")
    spec: GitHubIssueSpec = Field(description="The issue.")


class GitHubStatusSpec(GitHubRepositoryModel):
    """What a GitHubStatus declares: the status of a commit, in one context."""

    sha: Commit | Deferred = Field(description="The commit.")
    context: Annotated[Text, Field(max_length=255)] = Field(description="Context; one status each on a commit.")
    state: Literal["error", "failure", "pending", "success"] = Field(description="State.")
    description: Annotated[str, Field(max_length=140)] = Field("", description="One line.")
    target_url: HttpUrl | None = Field(None, description="Where more is to be read.")


class GitHubStatus(KindModel):
    """A commit status, written only when it differs. No outputs."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset()

    kind: Literal["GitHubStatus"] = Field(description="GitHubStatus.")
    spec: GitHubStatusSpec = Field(description="The status.")
