"""A drift report for people: what changed, who changed it and when, and what could not be determined; one line per
field.

Fields that differ only because the config is newer are counted, not listed: the plan shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from planner.dataclass import dataclass
from planner.drift import AcknowledgedDriftField, DriftReport, DriftState, IgnoredDriftField, ObjectDrift
from planner.plan import FieldChange, FieldOp
from planner.render.blocked_reasons_and_warnings import deduplicated_warnings
from planner.render.drift_fields import (
    acknowledged_drift_fields,
    drift_address_text,
    drifted_fields,
    fields_not_yet_applied,
    ignored_drift_fields,
    spans_several_lanes,
    undeclared_drift_fields,
)
from planner.render.drift_json import drift_json
from planner.render.field_detail import field_detail
from planner.render.graph_groups import count_noun
from planner.render.selection_in_words import selection_text
from planner.render.terminal_style import column_count, cut_text, pad_text, with_colour
from planner.text_safe import safe_text

__all__ = ["drift_json", "render_drift_text"]

ORDER = (
    DriftState.DRIFTED,
    DriftState.BOTH,
    DriftState.PENDING,
    DriftState.ACKNOWLEDGED,
    DriftState.IGNORED,
    DriftState.INCOMPLETE,
)
_WORDS = {
    DriftState.DRIFTED: "drifted",
    DriftState.BOTH: "both",
    DriftState.PENDING: "pending",
    DriftState.ACKNOWLEDGED: "accepted",
    DriftState.IGNORED: "ignored",
    DriftState.INCOMPLETE: "????",
}
_STYLES = {
    DriftState.DRIFTED: "yellow",
    DriftState.BOTH: "magenta",
    DriftState.PENDING: "cyan",
    DriftState.ACKNOWLEDGED: "green",
    DriftState.IGNORED: "green",
    DriftState.INCOMPLETE: "red",
}
_INDENT = 11  # where addresses begin, behind the state
_LONGEST = (
    100  # of one value; of a long change planner.render.field_detail has retained the place where the sides differ
)


@dataclass(frozen=True, slots=True)
class DriftLine:
    """The line of the report about one object: what drifted, and who did it."""

    text: str
    who: str = ""


def render_drift_text(report: DriftReport, *, width: int, colour: bool, command: str) -> str:
    """A drift report as text for a terminal, without a final newline. `width` is in columns; `command` puts things
    back or applies what is pending.

    State, address, field and manager stand in columns where they fit, else the address is on a line of its own.
    """
    several = spans_several_lanes(report)
    shown = [row for state in ORDER for row in report.rows if row.state is state]
    blocks = [(row, safe_text(drift_address_text(row.address, several)), object_drift_lines(row)) for row in shown]
    name_width = max((column_count(name) for _, name, _ in blocks), default=0)
    reported = [line for _, _, lines in blocks for line in lines]
    text_width = max((column_count(line.text) for line in reported if line.who), default=0)
    widest = _INDENT + name_width + 2 + max((_length(line, text_width) for line in reported), default=0)
    lines = _head(report, width)
    for row, name, own in blocks:
        if widest <= width:
            lines += _wide(row, pad_text(name, name_width), own, text_width, colour)
        else:
            lines += _narrow(row, name, own, width, colour)
    lines += [f"warning: {text}" for text in drift_report_warnings(report)]
    return "\n".join(lines + _last(report, command))


def drift_report_warnings(report: DriftReport) -> list[str]:
    """Warnings, acknowledgements that have expired among them; safe to show."""
    expired = (
        f"the acknowledgement of {one.address} ({one.source}) expired on {one.expires}: {one.reason}"
        for one in report.expired
    )
    return [*map(safe_text, expired), *deduplicated_warnings(report.warnings)]


def _head(report: DriftReport, width: int) -> list[str]:
    first, where_ = drift_verdict(report), drift_heading(report)
    return [f"{first} · {where_}"] if len(first) + len(where_) + 3 <= width else [first, where_]


def drift_verdict(report: DriftReport) -> str:
    """How many objects drifted, and how many are in one of the other states that are worth a word."""
    number = report.count(DriftState.DRIFTED) + report.count(DriftState.BOTH)
    counts = [f"{number or 'none'} of {count_noun(len(report.rows), 'object')} drifted"]
    named = (
        (DriftState.PENDING, "pending"),
        (DriftState.ACKNOWLEDGED, "accepted"),
        (DriftState.INCOMPLETE, "unreadable"),
    )
    counts += [f"{report.count(state)} {word}" for state, word in named if report.count(state)]
    left = sum(len(row.ignored) for row in report.rows)
    return ", ".join([*counts, *([f"{count_noun(left, 'field')} ignored"] if left else [])])


def drift_heading(report: DriftReport) -> str:
    """The heading of a drift report: the selection and the cluster that were looked at; safe to show."""
    cluster = report.cluster
    uid = safe_text(cluster.uid[:8]) or "unknown"
    reported = f"{selection_text(report.selection)} on {safe_text(cluster.server) or 'a cluster'} (uid {uid})"
    return reported + " · simulated" * cluster.simulated


def _last(report: DriftReport, command: str) -> list[str]:
    if not command:
        return []
    if report.count(DriftState.DRIFTED) or report.count(DriftState.BOTH):
        return [f"to put it back:  {safe_text(command)}"]
    return [f"to apply it:  {safe_text(command)}"] if report.count(DriftState.PENDING) else []


def object_drift_lines(row: ObjectDrift) -> list[DriftLine]:
    """The lines of one object: its drifted fields, and a reason where fields do not say it all."""
    fields = [DriftLine(_field(change.reversed()), _who(change)) for change in drifted_fields(row)]
    if row.state in (DriftState.DRIFTED, DriftState.BOTH):
        fields += [
            DriftLine(_field(change), f"{_who(change) or 'somebody'} (not declared)")
            for change in undeclared_drift_fields(row)
        ]
    fields += [_accepted(change, one) for change, one in acknowledged_drift_fields(row)]
    fields += [_ignored(change, one) for change, one in ignored_drift_fields(row)]
    if row.state in (DriftState.DRIFTED, DriftState.ACKNOWLEDGED, DriftState.IGNORED) and fields:
        return fields
    waiting = fields_not_yet_applied(row)
    number = f" ({count_noun(len(waiting), 'field')})" if waiting else ""
    return [*fields, DriftLine((safe_text(row.reason) or "no reason given") + number)]


def _accepted(change: FieldChange | None, one: AcknowledgedDriftField) -> DriftLine:
    what = _field(change) if change else "deleted"
    who = f"{_who(change)} " if change and _who(change) else ""
    return DriftLine(
        what, f"{who}(accepted until {safe_text(one.by.expires)}: {cut_text(safe_text(one.by.reason), _LONGEST)})"
    )


def _ignored(change: FieldChange, one: IgnoredDriftField) -> DriftLine:
    who = f"{_who(change)} " if _who(change) else ""
    where = f", {safe_text(str(one.source))}" if str(one.source) else ""
    return DriftLine(_field(change), f"{who}(ignored: {cut_text(safe_text(one.reason), _LONGEST)}{where})")


def _field(change: FieldChange) -> str:
    """One field on one line, from what we declared to what lives."""
    reported = field_detail(change)
    note = f"({reported.note})" if reported.note else ""
    match change.op:
        case FieldOp.CHANGE if reported.lines:
            words = [reported.path, note]
        case FieldOp.CHANGE:
            words = [reported.path, cut_text(reported.before, _LONGEST), "->", cut_text(reported.after, _LONGEST), note]
        case FieldOp.ADD:
            words = ["+", reported.path, cut_text(reported.after, _LONGEST), note]
        case FieldOp.REMOVE:
            words = [
                "-",
                reported.path,
                cut_text(reported.before, _LONGEST),
                f"({reported.note}, gone)" if reported.note else "(gone)",
            ]
        case FieldOp.DISOWN:
            words = ["=", reported.path, cut_text(reported.after, _LONGEST), note]
        case _ as never:
            assert_never(never)
    return " ".join(word for word in words if word)


def _who(change: FieldChange) -> str:
    return ", ".join(safe_text(word) for word in (change.manager, change.time) if word)


def _length(line: DriftLine, text_width: int) -> int:
    return text_width + 2 + column_count(line.who) if line.who else column_count(line.text)


def _wide(row: ObjectDrift, name: str, reported: Sequence[DriftLine], text_width: int, colour: bool) -> list[str]:
    """State, address, what and who in columns; state and address only on the first line of an object."""
    lines = []
    for at, line in enumerate(reported):
        head = _state(row.state, colour) + name if not at else " " * (_INDENT + column_count(name))
        who = (
            f"{' ' * (text_width - column_count(line.text))}  {with_colour(line.who, 'dim', colour)}"
            if line.who
            else ""
        )
        lines.append(f"{head}  {line.text}{who}")
    return lines


def _narrow(row: ObjectDrift, name: str, reported: Sequence[DriftLine], width: int, colour: bool) -> list[str]:
    """The address on its own line, what was changed below it, who did so beside that or below."""
    lines = [_state(row.state, colour) + name]
    for line in reported:
        text = " " * (_INDENT + 2) + line.text
        who = with_colour(line.who, "dim", colour)
        if column_count(text) + 2 + column_count(line.who) <= width:
            lines.append(f"{text}  {who}" if line.who else text)
        else:
            lines += [text, *([" " * (_INDENT + 4) + who] if line.who else [])]
    return lines


def _state(state: DriftState, colour: bool) -> str:
    word = _WORDS[state]
    return f"  {with_colour(word, _STYLES[state], colour)}{' ' * (_INDENT - 2 - len(word))}"
