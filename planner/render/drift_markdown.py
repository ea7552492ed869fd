"""A drift report as Markdown for a pull-request comment or an issue: folded sections, the worst first.

Outside text stands only in code spans and fences, where a mention, link, image, command or HTML stays text (rule R22).
The whole comment fits; what had to be left out is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.drift import DriftReport, Row, State
from planner.render.drift_fields import name_of, several_places
from planner.render.drift_text import said, verdict, warnings, where
from planner.render.markdown import LIMIT
from planner.render.style import cut
from planner.render.text_safe import fenced, markdown_safe, safe

_ORDER = (State.INCOMPLETE, State.DRIFTED, State.BOTH, State.PENDING, State.ACKNOWLEDGED)
_TITLES = {
    State.INCOMPLETE: "could not be told",
    State.DRIFTED: "drifted",
    State.BOTH: "drifted, and the configuration is newer",
    State.PENDING: "not applied yet",
    State.ACKNOWLEDGED: "accepted",
}
_OPEN = (State.INCOMPLETE, State.DRIFTED, State.BOTH)
_MOST_COLUMNS = 200
_MOST_WARNINGS = 20
_COMMAND_ROOM = 8_000
_FRAME = 700  # bytes: fences, summary, the note on the cut


def render_drift_markdown(report: DriftReport, *, command: str = "") -> str:
    """The comment, with one newline at its end. Deterministic, never longer than the limit of a plan's comment."""
    head = ["### Drift", "", markdown_safe(cut(where(report), _MOST_COLUMNS)), "", f"**{verdict(report)}**"]
    if not report.is_complete:
        head += ["", "**Incomplete**: not everything could be looked at, so this is no proof that nothing drifted."]
    told = warnings(report)
    head += [""] * bool(told)
    head += [f"- warning: {markdown_safe(cut(text, _MOST_COLUMNS))}" for text in told[:_MOST_WARNINGS]]
    head += [f"- and {len(told) - _MOST_WARNINGS} more warnings"] * (len(told) > _MOST_WARNINGS)
    foot = _foot(report, command)
    room = LIMIT - _size(head) - _size(foot)
    return "\n".join([*head, *_sections(report, room), *foot]) + "\n"


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _foot(report: DriftReport, command: str) -> list[str]:
    drifted = report.count(State.DRIFTED) + report.count(State.BOTH)
    if not command or not (drifted or report.count(State.PENDING)) or len(command.encode()) > _COMMAND_ROOM:
        return []
    return ["", "To put it back:" if drifted else "To apply it:", "", *fenced([command], "sh")]


def _sections(report: DriftReport, room: int) -> Iterator[str]:
    several = several_places(report)
    for state in _ORDER:
        rows = [row for row in report.rows if row.state is state]
        if not rows:
            continue
        section = list(_section(state, rows, several, room))
        room -= _size(section)
        yield from section


def _section(state: State, rows: list[Row], several: bool, room: int) -> Iterator[str]:
    """The section in at most `room` bytes; how many objects had to be left out is said in it."""
    lines: list[str] = []
    left, used = len(rows), _FRAME
    for row in rows:
        entry = [cut(line, _MOST_COLUMNS) for line in _entry(row, several)]
        used += _size(entry)
        if used > room:
            break
        lines += entry
        left -= 1
    number = f"{len(rows)} object{'s' * (len(rows) != 1)}"
    if not lines:
        yield from ["", f"**Cut here**: {_TITLES[state]}: {number}; the JSON form of the report has them all."]
        return
    opened = " open" * (state in _OPEN)
    yield from ["", f"<details{opened}><summary><b>{_TITLES[state]}</b>: {number}</summary>", ""]
    yield from fenced(lines, "diff")
    yield from ["", f"**Cut**: {left} more do not fit."] if left else []
    yield from ["", "</details>"]


def _entry(row: Row, several: bool) -> Iterator[str]:
    """The first column colours a line of a `diff` fence: an exclamation mark orange, a number sign grey."""
    sign = "!" if row.state in _OPEN else "#"
    yield f"{sign} {safe(name_of(row.address, several))}"
    for line in said(row):
        yield f"      {line.text}" + (f"  {line.who}" if line.who else "")
