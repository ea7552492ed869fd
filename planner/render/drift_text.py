"""A drift report for people: what changed, who changed it and when, and what could not be told; one line per field.

Fields that differ only because the config is newer are counted, not listed: the plan shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from planner.drift import Acknowledged, DriftReport, Row, State
from planner.plan import FieldChange, FieldOp
from planner.render.detail import detail
from planner.render.drift_fields import (
    acknowledged,
    as_drift,
    drifted,
    name_of,
    pending,
    several_places,
    undeclared,
)
from planner.render.drift_json import drift_json
from planner.render.graph_groups import counted
from planner.render.style import cells, cut, padded, paint
from planner.render.text_safe import safe
from planner.render.view import place_words

__all__ = ["drift_json", "render_drift"]

ORDER = (State.DRIFTED, State.BOTH, State.PENDING, State.ACKNOWLEDGED, State.INCOMPLETE)
_WORDS = {
    State.DRIFTED: "drifted",
    State.BOTH: "both",
    State.PENDING: "pending",
    State.ACKNOWLEDGED: "accepted",
    State.INCOMPLETE: "????",
}
_STYLES = {
    State.DRIFTED: "yellow",
    State.BOTH: "magenta",
    State.PENDING: "cyan",
    State.ACKNOWLEDGED: "green",
    State.INCOMPLETE: "red",
}
_INDENT = 11  # where addresses begin, behind the state
_LONGEST = 100  # of one value; of a long change planner.render.detail has kept the place where the sides differ


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one object in one line, and who did it."""

    text: str
    who: str = ""


def render_drift(report: DriftReport, *, width: int, colour: bool, command: str) -> str:
    """The page without a final newline. `width` is in columns; `command` puts things back or applies what is pending.

    State, address, field and manager stand in columns where they fit, else the address is on a line of its own.
    """
    several = several_places(report)
    shown = [row for state in ORDER for row in report.rows if row.state is state]
    blocks = [(row, safe(name_of(row.address, several)), said(row)) for row in shown]
    name_width = max((cells(name) for _, name, _ in blocks), default=0)
    told = [line for _, _, lines in blocks for line in lines]
    text_width = max((cells(line.text) for line in told if line.who), default=0)
    widest = _INDENT + name_width + 2 + max((_length(line, text_width) for line in told), default=0)
    lines = _head(report, width)
    for row, name, own in blocks:
        if widest <= width:
            lines += _wide(row, padded(name, name_width), own, text_width, colour)
        else:
            lines += _narrow(row, name, own, width, colour)
    lines += [f"warning: {text}" for text in warnings(report)]
    return "\n".join(lines + _last(report, command))


def warnings(report: DriftReport) -> list[str]:
    """Warnings, acknowledgements that have expired among them; safe to show."""
    expired = (
        f"the acknowledgement of {one.address} ({one.source}) expired on {one.expires}: {one.reason}"
        for one in report.expired
    )
    return [safe(text) for text in (*expired, *report.warnings)]


def _head(report: DriftReport, width: int) -> list[str]:
    first, where_ = verdict(report), where(report)
    return [f"{first} · {where_}"] if len(first) + len(where_) + 3 <= width else [first, where_]


def verdict(report: DriftReport) -> str:
    """How many objects drifted, and how many are in one of the other states that are worth a word."""
    number = report.count(State.DRIFTED) + report.count(State.BOTH)
    counts = [f"{number or 'none'} of {counted(len(report.rows), 'object')} drifted"]
    named = ((State.PENDING, "pending"), (State.ACKNOWLEDGED, "accepted"), (State.INCOMPLETE, "unreadable"))
    counts += [f"{report.count(state)} {word}" for state, word in named if report.count(state)]
    return ", ".join(counts)


def where(report: DriftReport) -> str:
    """What was looked at: the selection and the cluster; safe to show."""
    cluster = report.cluster
    uid = safe(cluster.uid[:8]) or "unknown"
    told = f"{place_words(report.selection)} on {safe(cluster.server) or 'a cluster'} (uid {uid})"
    return told + " · simulated" * cluster.simulated


def _last(report: DriftReport, command: str) -> list[str]:
    if not command:
        return []
    if report.count(State.DRIFTED) or report.count(State.BOTH):
        return [f"to put it back:  {safe(command)}"]
    return [f"to apply it:  {safe(command)}"] if report.count(State.PENDING) else []


def said(row: Row) -> list[Line]:
    """The lines of one object: its drifted fields, and a reason where fields do not say it all."""
    fields = [Line(_field(as_drift(change)), _who(change)) for change in drifted(row)]
    if row.state in (State.DRIFTED, State.BOTH):
        fields += [Line(_field(change), f"{_who(change) or 'somebody'} (not declared)") for change in undeclared(row)]
    fields += [_accepted(change, one) for change, one in acknowledged(row)]
    if row.state in (State.DRIFTED, State.ACKNOWLEDGED) and fields:
        return fields
    waiting = pending(row)
    number = f" ({counted(len(waiting), 'field')})" if waiting else ""
    return [*fields, Line((safe(row.reason) or "no reason given") + number)]


def _accepted(change: FieldChange | None, one: Acknowledged) -> Line:
    what = _field(change) if change else "deleted"
    who = f"{_who(change)} " if change and _who(change) else ""
    return Line(what, f"{who}(accepted until {safe(one.by.expires)}: {cut(safe(one.by.reason), _LONGEST)})")


def _field(change: FieldChange) -> str:
    """One field on one line, from what we declared to what lives."""
    told = detail(change)
    note = f"({told.note})" if told.note else ""
    match change.op:
        case FieldOp.CHANGE if told.lines:
            words = [told.path, note]
        case FieldOp.CHANGE:
            words = [told.path, cut(told.before, _LONGEST), "->", cut(told.after, _LONGEST), note]
        case FieldOp.ADD:
            words = ["+", told.path, cut(told.after, _LONGEST), note]
        case FieldOp.REMOVE:
            words = ["-", told.path, cut(told.before, _LONGEST), f"({told.note}, gone)" if told.note else "(gone)"]
        case FieldOp.DISOWN:
            words = ["=", told.path, cut(told.after, _LONGEST), note]
        case _ as never:
            assert_never(never)
    return " ".join(word for word in words if word)


def _who(change: FieldChange) -> str:
    return ", ".join(safe(word) for word in (change.manager, change.time) if word)


def _length(line: Line, text_width: int) -> int:
    return text_width + 2 + cells(line.who) if line.who else cells(line.text)


def _wide(row: Row, name: str, told: Sequence[Line], text_width: int, colour: bool) -> list[str]:
    """State, address, what and who in columns; state and address only on the first line of an object."""
    lines = []
    for at, line in enumerate(told):
        head = _state(row.state, colour) + name if not at else " " * (_INDENT + cells(name))
        who = f"{' ' * (text_width - cells(line.text))}  {paint(line.who, 'dim', colour)}" if line.who else ""
        lines.append(f"{head}  {line.text}{who}")
    return lines


def _narrow(row: Row, name: str, told: Sequence[Line], width: int, colour: bool) -> list[str]:
    """The address on its own line, what was changed below it, who did so beside that or below."""
    lines = [_state(row.state, colour) + name]
    for line in told:
        text = " " * (_INDENT + 2) + line.text
        who = paint(line.who, "dim", colour)
        if cells(text) + 2 + cells(line.who) <= width:
            lines.append(f"{text}  {who}" if line.who else text)
        else:
            lines += [text, *([" " * (_INDENT + 4) + who] if line.who else [])]
    return lines


def _state(state: State, colour: bool) -> str:
    word = _WORDS[state]
    return f"  {paint(word, _STYLES[state], colour)}{' ' * (_INDENT - 2 - len(word))}"
