"""Drift as issues: one for each finding in each owned set of objects, open while it holds. Pure; deterministic.

A text without the time of looking: it is written again only when something in it is another thing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from planner.dataclass import dataclass
from planner.drift import DriftReport, DriftState, ObjectDrift
from planner.plan import FieldChange
from planner.render.drift_fields import drifted_fields, undeclared_drift_fields
from planner.render.field_detail import field_detail
from planner.text_safe import markdown_safe, safe_text

_MOST_ROWS = 60  # lines of one issue
_MOST_TEXT = 200  # characters of one cell
_ROOM = 50_000  # characters of all lines; GitHub takes 65,536
_OPEN = (DriftState.DRIFTED, DriftState.BOTH)


class DriftFinding(StrEnum):
    """The kinds of findings that a drift issue is about; the value is part of the marker of the issue."""

    DELETED = "deleted"
    CHANGED = "changed"
    UNDECLARED = "undeclared"
    UNREADABLE = "unreadable"


_TITLES = {
    DriftFinding.DELETED: "objects were deleted",
    DriftFinding.CHANGED: "objects were changed by hand",
    DriftFinding.UNDECLARED: "fields were set that nobody declares",
    DriftFinding.UNREADABLE: "objects cannot be looked at",
}


@dataclass(frozen=True, slots=True)
class DriftIssue:
    """One issue. `is_open` is whether the finding holds; `objects` counts those that it holds for."""

    finding: DriftFinding
    marker: str
    title: str
    body: str
    is_open: bool
    objects: int


def make_drift_issues(report: DriftReport, owned: str, command: str) -> tuple[DriftIssue, ...]:
    """Make the drift issues of one owned set, whose rows are those of `report`.

    A finding that holds no more is closed; but while an object cannot be looked at nothing counts as clean, and its
    issue stays as it is.
    """
    found: Mapping[DriftFinding, list[str]] = {finding: [] for finding in DriftFinding}
    objects: dict[DriftFinding, set[str]] = {finding: set() for finding in DriftFinding}
    for row in sorted(report.rows, key=lambda row: row.address):
        for finding, line in _lines(row):
            found[finding].append(line)
            objects[finding].add(str(row.address))
    made = []
    for finding, lines in found.items():
        proven = report.is_complete or finding is DriftFinding.UNREADABLE
        if lines or proven:
            body = _body(finding, owned, lines, command, complete=report.is_complete)
            title = f"Drift in {safe_text(owned)}: {_TITLES[finding]}"
            marker = f"drift:{owned.lower()}:{finding}"
            made.append(DriftIssue(finding, marker, title, body, bool(lines), len(objects[finding])))
    return tuple(made)


def _lines(row: ObjectDrift) -> Iterator[tuple[DriftFinding, str]]:
    name = markdown_safe(row.address.local)
    if row.state is DriftState.INCOMPLETE:
        yield DriftFinding.UNREADABLE, f"| {name} | {_cell(row.reason)} | |"
        return
    if row.state not in _OPEN:
        return
    fields, added = drifted_fields(row), undeclared_drift_fields(row)
    if not (fields or added):
        finding = DriftFinding.DELETED if row.reason.startswith("deleted") else DriftFinding.CHANGED
        yield finding, f"| {name} | {_cell(row.reason)} | |"
    for change in fields:
        yield DriftFinding.CHANGED, f"| {name} | {_change(change.reversed())} |"
    for change in added:
        yield DriftFinding.UNDECLARED, f"| {name} | {_change(change)} |"


def _change(change: FieldChange) -> str:
    """A field as drift: from what was declared to what lives, and who set it."""
    detail = field_detail(change)
    sides = " -> ".join(part for part in (detail.before, detail.after) if part) or detail.note
    return f"{_cell(f'{detail.path} {sides}')} | {_cell(detail.who) if detail.who else ''}"


def _cell(text: str) -> str:
    shown = text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}… +{len(text) - _MOST_TEXT} characters"
    return markdown_safe(shown)


def _body(finding: DriftFinding, owned: str, lines: Sequence[str], command: str, *, complete: bool) -> str:
    if not lines:
        return f"Nothing of {markdown_safe(owned)} is {finding} any more."
    shown: list[str] = []
    for line in lines[:_MOST_ROWS]:
        if sum(map(len, shown)) + len(line) <= _ROOM:
            shown.append(line)
    more = [f"| and {len(lines) - len(shown)} more | | |"] if len(lines) > len(shown) else []
    doubt = ["", "Not everything could be looked at: more may have drifted than stands here."] if not complete else []
    head = [f"Set {markdown_safe(owned)}, finding `{finding}`.", "", "| object | what | who, when |", "|---|---|---|"]
    look = ["", f"To see it: {markdown_safe(command)}"]
    return "\n".join([*head, *shown, *more, *doubt, *look])
