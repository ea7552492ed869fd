"""What a document of the kind Note may say."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from planner.spec.base import StrictModel, Text
from planner.spec.kinds.envelope import Deferred, KindModel, SecretKeyRef


class NoteSpec(StrictModel):
    """What stands on the note."""

    text: Text | Deferred = Field(description="The text.")
    color: Literal["yellow", "blue"] = Field("yellow", description="Color of the paper.")
    signature: SecretKeyRef | None = Field(None, description="Secret that the note is signed with.")


class Note(KindModel):
    """A note on the shelf. Outputs: `digest` of all that stands on it, `length` of the text."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"digest", "length"})

    kind: Literal["Note"] = Field(description="Note.")
    spec: NoteSpec = Field(description="The note.")
