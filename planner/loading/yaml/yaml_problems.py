"""What is wrong in one text, with the position of the event where it was seen.

Owns the difference between a problem and a doubt: a doubt is a problem in our own configuration and in documents of our
own kinds, while in a plain manifest the API's reading counts.
"""

from __future__ import annotations

from typing import Any, Final

from planner.errors import Problem
from planner.loading.problems import Problems, source_line_unless_secret
from planner.source_line_ref import SourceRef

_MOST: Final = 200  # problems of one text; a text with more is not read to its end


class YamlReadingStopped(Exception):
    """Reading cannot go on; the problem is noted."""


class YamlProblems:
    """Problems and doubts of one text. `first_line` is the line of the file (from 0) that the text begins on; with
    `strict` every doubt is a problem."""

    def __init__(self, text: str, file: str, first_line: int, *, strict: bool) -> None:
        self._text, self._file, self._first_line, self._strict = text, file, first_line, strict
        self._doubts: list[tuple[Any, str, str]] = []
        self.problems = Problems()

    def problem(self, event: Any, message: str, suggestion: str = "") -> None:
        """Note a problem where an event begins. Raises YamlReadingStopped when there are too many."""
        mark = event.start_mark
        source = SourceRef(self._file, self._first_line + mark.line + 1, mark.column + 1)
        self.problems.extend(
            [Problem(source, message, suggestion, source_line_unless_secret(self._text, mark.line + 1))]
        )
        if len(self.problems.found) >= _MOST:
            raise YamlReadingStopped

    def doubt(self, event: Any, message: str, suggestion: str) -> None:
        """Note what two readers understand differently."""
        if self._strict:
            self.problem(event, message, suggestion)
        elif len(self._doubts) < _MOST:
            self._doubts.append((event, message, suggestion))

    def end_document(self, *, own: bool) -> None:
        """The doubts of a document become problems if it is of a kind of our own."""
        for doubt in self._doubts if own else ():
            self.problem(*doubt)
        self._doubts.clear()
