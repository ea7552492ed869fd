"""The kind for a commit with rendered files on a branch."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from planner.spec.base import Branch, Flag, InnerPath, Text
from planner.spec.kinds.envelope import Deferred, KindModel
from planner.spec.kinds.git import GitRepositoryAccess


class GitCommitSpec(GitRepositoryAccess):
    """Which folder of which branch, and what is in it."""

    branch: Branch = Field(description="Branch that gets the commit.")
    create_branch: Flag = Field(
        False, description="Whether a branch that is not there is made, with this commit as its first one."
    )
    path: InnerPath = Field(description="Folder that holds these files and no other; the rest of the tree stays.")
    files: dict[InnerPath, str | Deferred] = Field(
        min_length=1, max_length=1000, description="Text of each file, by its path in the folder."
    )
    message: Text | Deferred = Field(description="Message of the commit.")


class GitCommit(KindModel):
    """A commit that makes a folder of a branch hold exactly these files; none where it does already.

    Its parent is the tip that the plan saw; a branch that moved on is refused, and nothing is forced. The commit is
    made of tip, files and message alone, so that every machine plans the same one. Outputs: `commit`, `short`: where
    the branch then stands.
    """

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"commit", "short"})

    kind: Literal["GitCommit"] = Field(description="GitCommit.")
    spec: GitCommitSpec = Field(description="What is committed.")
