"""Where the brief of a lane's rollouts is written: the list of them, for people."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StrictInt, model_validator

from planner.spec.base import InnerPath, StrictModel


class RolloutBriefLocation(StrictModel):
    """Where the brief of a lane is written: an issue on GitHub, or a file. One entry for each rollout, appended
    once."""

    issue: Annotated[StrictInt, Field(ge=1)] | None = Field(
        None, description="Number of an issue of the lane's repository: each entry is a comment of it."
    )
    file: InnerPath | None = Field(None, description="A Markdown file, below the configuration folder.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.issue is None) == (self.file is None):
            raise ValueError("`brief` takes either `issue` or `file`")
        return self
