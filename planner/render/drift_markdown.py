"""A drift report as Markdown for a pull-request comment or an issue: folded sections, the worst first.

Outside text stands only in code spans and fences, where a mention, link, image, command or HTML stays text (rule R22).
The whole comment fits; what had to be left out is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.drift import DriftReport, DriftState, ObjectDrift
from planner.render.drift_fields import drift_address_text, spans_several_lanes
from planner.render.drift_text import drift_heading, drift_report_warnings, drift_verdict, object_drift_lines
from planner.render.plan_markdown import LIMIT
from planner.render.terminal_style import cut_text
from planner.text_safe import fenced_code_block, markdown_safe, safe_text

_ORDER = (
    DriftState.INCOMPLETE,
    DriftState.DRIFTED,
    DriftState.BOTH,
    DriftState.PENDING,
    DriftState.ACKNOWLEDGED,
    DriftState.IGNORED,
)
_TITLES = {
    DriftState.INCOMPLETE: "could not be determined",
    DriftState.DRIFTED: "drifted",
    DriftState.BOTH: "drifted, and the configuration is newer",
    DriftState.PENDING: "not applied yet",
    DriftState.ACKNOWLEDGED: "accepted",
    DriftState.IGNORED: "ignored",
}
_OPEN = (DriftState.INCOMPLETE, DriftState.DRIFTED, DriftState.BOTH)
_MOST_COLUMNS = 200
_MOST_WARNINGS = 20
_COMMAND_ROOM = 8_000
_FRAME = 700  # bytes: fences, summary, the note on the cut


def render_drift_markdown(report: DriftReport, *, command: str = "") -> str:
    """A drift report as Markdown for a comment, with one newline at its end. Deterministic, never longer than the
    limit of a plan's comment."""
    head = [
        "### Drift",
        "",
        markdown_safe(cut_text(drift_heading(report), _MOST_COLUMNS)),
        "",
        f"**{drift_verdict(report)}**",
    ]
    if not report.is_complete:
        head += ["", "**Incomplete**: not everything could be looked at, so this is no proof that nothing drifted."]
    reported = drift_report_warnings(report)
    head += [""] * bool(reported)
    head += [f"- warning: {markdown_safe(cut_text(text, _MOST_COLUMNS))}" for text in reported[:_MOST_WARNINGS]]
    head += [f"- and {len(reported) - _MOST_WARNINGS} more warnings"] * (len(reported) > _MOST_WARNINGS)
    foot = _foot(report, command)
    room = LIMIT - _size(head) - _size(foot)
    return "\n".join([*head, *_sections(report, room), *foot]) + "\n"


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _foot(report: DriftReport, command: str) -> list[str]:
    drifted = report.count(DriftState.DRIFTED) + report.count(DriftState.BOTH)
    if not command or not (drifted or report.count(DriftState.PENDING)) or len(command.encode()) > _COMMAND_ROOM:
        return []
    return ["", "To put it back:" if drifted else "To apply it:", "", *fenced_code_block([command], "sh")]


def _sections(report: DriftReport, room: int) -> Iterator[str]:
    several = spans_several_lanes(report)
    for state in _ORDER:
        rows = [row for row in report.rows if row.state is state]
        if not rows:
            continue
        section = list(_section(state, rows, several, room))
        room -= _size(section)
        yield from section


def _section(state: DriftState, rows: list[ObjectDrift], several: bool, room: int) -> Iterator[str]:
    """The section in at most `room` bytes; how many objects had to be left out is said in it."""
    lines: list[str] = []
    left, used = len(rows), _FRAME
    for row in rows:
        entry = [cut_text(line, _MOST_COLUMNS) for line in _entry(row, several)]
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
    yield from fenced_code_block(lines, "diff")
    yield from ["", f"**Cut**: {left} more do not fit."] if left else []
    yield from ["", "</details>"]


def _entry(row: ObjectDrift, several: bool) -> Iterator[str]:
    """The first column colours a line of a `diff` fence: an exclamation mark orange, a number sign grey."""
    sign = "!" if row.state in _OPEN else "#"
    yield f"{sign} {safe_text(drift_address_text(row.address, several))}"
    for line in object_drift_lines(row):
        yield f"      {line.text}" + (f"  {line.who}" if line.who else "")
