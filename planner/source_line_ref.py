"""Places in input files. The lowest module of all: everything that points at a line uses this one value."""

from __future__ import annotations

from planner.dataclass import dataclass


@dataclass(frozen=True, slots=True, order=True)
class SourceRef:
    """A place in an input file. `file` is relative to the configuration; counting starts at 1, and 0 is unknown."""

    file: str
    line: int = 0
    column: int = 0

    def document(self) -> dict[str, str | int]:
        """Its JSON form."""
        return {"file": self.file, "line": self.line, "column": self.column}

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"
