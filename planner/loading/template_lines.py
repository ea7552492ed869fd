"""From a line of rendered text back to the line of its template: exact where a document starts, else best effort."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import chain

_MARKER = re.compile(r"^--- #@(\d+)$", re.MULTILINE)  # planner.jinja_templating writes it


class TemplateLineMap:
    """The lines of one rendered text and of its template. Lines count from 1."""

    def __init__(self, rendered: str, template: str) -> None:
        self._rendered, self._template = rendered, template
        self._markers = [(0, 0)]  # line in the rendered text, line in the template
        line, position = 1, 0
        for match in _MARKER.finditer(rendered):
            line += rendered.count("\n", position, match.start())
            position = match.start()
            self._markers.append((line, int(match[1])))

    def document_line(self, line: int) -> int:
        """The template line of a document whose first content stands on `line` of the rendered text."""
        marker, start = self._markers[bisect_right(self._markers, (line, 1 << 40)) - 1]
        first = self._rendered_lines[line - 1] if 0 < line <= len(self._rendered_lines) else ""
        for number in range(start, min(start + 40, len(self._template_lines))):
            if _fits(first, self._template_lines[number]):
                return number + 1
        return max(1, start + line - marker)

    def line(self, line: int) -> int:
        """The template line that a line of the rendered text most likely came from."""
        lines = self._all
        return lines[line - 1] if 0 < line <= len(lines) else 0

    @cached_property
    def _rendered_lines(self) -> list[str]:
        return self._rendered.split("\n")

    @cached_property
    def _template_lines(self) -> list[str]:
        return self._template.split("\n")

    @cached_property
    def _all(self) -> list[int]:
        """For each rendered line its template line: looked for forward in the document, then from its start."""
        found: list[int] = []
        starts = dict(self._markers)
        begin = end = at = 0
        for number, text in enumerate(self._rendered_lines, 1):
            if number in starts or number == 1:
                begin = at = starts.get(number, 0)
                end = self._document_end(begin)
            if text.strip() and number not in starts:
                at = self._search(text, at, begin, end)
            found.append(at)
        return found

    def _document_end(self, begin: int) -> int:
        for number in range(begin, len(self._template_lines)):
            if self._template_lines[number].rstrip() == "---":
                return number
        return len(self._template_lines)

    def _search(self, text: str, at: int, begin: int, end: int) -> int:
        for number in chain(range(at, end), range(begin, min(at, end))):
            if _fits(text, self._template_lines[number]):
                return number + 1
        return at


def _fits(rendered: str, template: str) -> bool:
    """Whether a rendered line can come from a template line: equal up to the first expression."""
    fixed, brace, _ = template.partition("{{")
    fixed, percent, _ = fixed.partition("{%")
    if not brace and not percent:
        return bool(rendered.strip()) and rendered == template
    return bool(fixed.strip()) and rendered.startswith(fixed)
