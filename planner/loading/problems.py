"""Problems: collecting every independent one, pointing at the line, and showing them. Owns their text form.

A line is shown only when no secret can stand in it; values are never repeated in a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field

from planner.dataclass import dataclass
from planner.errors import ConfigError, Problem
from planner.source_line_ref import SourceRef
from planner.text_safe import safe_text

_LINE_WIDTH = 160
_SECRET_KIND = re.compile(r"\bkind[\"']?\s*:\s*[\"']?Secret(List)?\b")
_SECRETIVE = re.compile(
    r"(token|passw|secret|credential|api[-_]?key|private[-_]?key)[\w.-]*[\"']?\s*[:=]\s*\S", re.IGNORECASE
)
_USER_INFO = re.compile(r"(?<=http)(s?)://[^/\s@]{1,200}@|://[^/\s@:]{0,200}:[^/\s@]{0,200}@")
_DOCUMENT_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)


@dataclass(slots=True)
class Problems:
    """A growing list of problems. `raise_any` ends the collecting with all of them."""

    found: list[Problem] = field(default_factory=list)

    def add(self, source: SourceRef, message: str, suggestion: str = "", line_text: str = "") -> None:
        """Note one problem."""
        self.found.append(Problem(source, message, suggestion, line_text))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several."""
        self.found.extend(problems)

    def raise_any(self) -> None:
        """Raise ConfigError with everything noted so far; do nothing when there is nothing."""
        if self.found:
            raise ConfigError(tuple(dict.fromkeys(self.found)))


def source_line_unless_secret(text: str, line: int) -> str:
    """The text of a line (from 1), or "" when its document may be a Secret."""
    lines = text.split("\n", line)
    if not 0 < line <= len(lines):
        return ""
    shown_line = lines[line - 1].rstrip("\r")
    if _SECRETIVE.search(shown_line) or is_in_secret_document(text, sum(map(len, lines[: line - 1])) + line - 1):
        return ""
    return _USER_INFO.sub(lambda match: f"{match[1] or ''}://…@", shown_line)


def is_in_secret_document(text: str, offset: int) -> bool:
    """Whether the YAML document around a character offset names the kind Secret."""
    start, end = 0, len(text)
    for match in _DOCUMENT_START.finditer(text):
        if match.start() > offset:
            end = match.start()
            break
        start = match.start()
    return _SECRET_KIND.search(text, start, end) is not None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"?`, or the known words when nothing is close and they are few."""
    from difflib import get_close_matches

    words = sorted(set(known))
    if close := get_close_matches(word, words, 1, 0.6):
        return f'did you mean "{close[0]}"?'
    return f"known here: {', '.join(words)}" if words and len(words) <= 12 else ""


def render_problems(problems: Sequence[Problem]) -> str:
    """All problems as text, each with its place, line and suggestion; the last line counts them."""
    ordered = sorted(problems, key=lambda problem: (problem.source, problem.message))
    blocks = ["\n".join(_block(problem)) for problem in ordered]
    count = f"{len(ordered)} problem" + ("" if len(ordered) == 1 else "s")
    return "\n".join([*blocks, count]) + "\n"


def _block(problem: Problem) -> list[str]:
    lines = [f"{safe_text(str(problem.source))}: {safe_text(problem.message)}"]
    if problem.line_text:
        number = str(problem.source.line)
        text = _line_shown(problem.line_text)
        lines.append(f"  {number} | {text[:_LINE_WIDTH]}{'…' if len(text) > _LINE_WIDTH else ''}")
        column = problem.source.column
        if 0 < column <= _LINE_WIDTH:
            lines.append(f"  {' ' * len(number)} | {' ' * (column - 1)}^")
    if problem.suggestion:
        lines.append(f"  {safe_text(problem.suggestion)}")
    return lines


def _line_shown(text: str) -> str:
    """A line of a file, each character one column wide: a tab is a blank, what `safe_text` would write out is one
    sign."""
    return safe_text("".join(" " if char == "\t" else char if safe_text(char) == char else "\ufffd" for char in text))
