"""Where a lane's brief stands: the list of its rollouts, for people."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StrictInt, model_validator

from planner.spec.base import InnerPath, StrictModel


class RolloutBriefLocation(StrictModel):
    """An issue on GitHub, or a file. One entry for each rollout, appended once."""

    issue: Annotated[StrictInt, Field(ge=1)] | None = Field(
        None, description="Number of an issue of the lane's repository: each entry is a comment of it."
    )
    file: InnerPath | None = Field(None, description="A Markdown file, below the configuration folder.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.issue is None) == (self.file is None):
            raise ValueError("`brief` takes either `issue` or `file`")
        return self
