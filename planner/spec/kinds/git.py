"""Kinds for git: the head of a branch as data, and a ref that has to be like another one."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from planner.spec.base import Branch, Commit, FullRef, GitUrl, Model, Name
from planner.spec.kinds.envelope import Deferred, KindModel


class GitHeadSpec(Model):
    """Which branch."""

    remote: GitUrl | Name = Field(description="URL, or the name of a remote of the node's mirror.")
    branch: Branch = Field(description="Branch whose head is read.")


class GitHead(KindModel):
    """Data: the commit that a branch stands on. Changes nothing. Outputs: `commit`, `short`."""

    kind: Literal["GitHead"] = Field(description="GitHead.")
    spec: GitHeadSpec = Field(description="What is read.")


class RefSide(Model):
    """One ref in one repository."""

    remote: GitUrl | Name = Field(description="URL, or the name of a remote of the node's mirror.")
    ref: FullRef | Deferred = Field(description="Full ref name, `refs/heads/v0.3`.")


class RefOrigin(Model):
    """Where the wanted commit comes from: a ref, or a commit that is named."""

    remote: GitUrl | Name = Field(description="URL, or the name of a remote of the node's mirror.")
    ref: FullRef | Deferred | None = Field(None, description="Full ref name.")
    commit: Commit | Deferred | None = Field(None, description="Full commit id.")

    @model_validator(mode="after")
    def _ref_or_commit(self) -> Self:
        if (self.ref is None) == (self.commit is None):
            raise ValueError("`from` names either a `ref` or a `commit`")
        return self


class GitRefSpec(Model):
    """Both sides, and the rule between them."""

    from_: RefOrigin = Field(alias="from", description="Where the commit comes from.")
    to: RefSide = Field(description="The ref that has to stand on it.")
    mode: Literal["mirror", "fast-forward", "immutable"] = Field(
        description="`mirror`: follow; `fast-forward`: only forward; `immutable`: create once, never move."
    )
    transport: Literal["ssh", "https", "http", "file"] | None = Field(
        None, description="The only transport allowed for both sides; the remote's own when left out."
    )
    via: Literal["direct", "job"] = Field("direct", description="Push from here, or by a Job next to the mirror.")


class GitRef(KindModel):
    """A ref that has to be like another one. Pushes are never forced and carry a lease on what the plan saw.

    Outputs: `commit`, `pendingFlush`, `inSync`, `ahead`, `behind`.
    """

    kind: Literal["GitRef"] = Field(description="GitRef.")
    spec: GitRefSpec = Field(description="What has to hold.")
