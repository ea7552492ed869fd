"""The kind for a file on this machine."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from planner.spec.base import FileMode, StrictModel
from planner.spec.kinds.envelope import Deferred, KindModel


class LocalFileSpec(StrictModel):
    """What a LocalFile declares: path, content and mode."""

    path: Annotated[str, StringConstraints(pattern=r"^(~/|/)?[^\x00]+$", max_length=1024)] = Field(
        description="Path; `~/` is the home folder, a relative one starts at the configuration folder."
    )
    content: str | Deferred = Field(description="Whole content.")
    mode: FileMode = Field("0600", description="File mode, as text.")


class LocalFile(KindModel):
    """A file on this machine, written atomically. Output: `digest`."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"digest"})

    kind: Literal["LocalFile"] = Field(description="LocalFile.")
    spec: LocalFileSpec = Field(description="The file.")
