"""A plan as Markdown for a pull-request comment: what is risky first, then a folded section per scope.

Outside text stands only in code spans and fences, where a mention, link, image, command or HTML stays text (rule R22).
The whole comment fits; what had to be left out is counted and named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from planner.address import Address
from planner.plan import FieldOp, Plan
from planner.render.detail import Detail
from planner.render.risks import Danger, Risk
from planner.render.text_safe import fenced, html_safe, markdown_safe
from planner.render.view import Line, PlanView, field_sign, make_view

LIMIT = 60_000  # bytes; GitHub refuses 65,536 characters, and some characters count twice there
_MOST_RISKS = 20
_RISK_ROOM = 12_000  # bytes for the list of risks, and as many for warnings: marks may grow sixfold when escaped
_COMMAND_ROOM = 8_000
_MOST_NAMES = 40  # of objects with one and the same change
_MOST_COLUMNS = 200


def render_markdown(plan: Plan, *, command: str = "", notes: Mapping[Address, str] | None = None) -> str:
    """The comment, with one newline at its end. Deterministic, never longer than `LIMIT` bytes."""
    return page(make_view(plan, command=command, notes=notes))


def page(view: PlanView) -> str:
    """The comment of a view. Head, risks and the last lines always stand; sections share the room that is left."""
    head = [*_head(view), *_risks(view)]
    foot = _foot(view)
    room = LIMIT - _size(head) - _size(foot)
    return "\n".join([*head, *_sections(view, room), *foot]) + "\n"


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _short(text: str, most: int = _MOST_COLUMNS) -> str:
    return text if len(text) <= most else f"{text[:most]}… +{len(text) - most} characters"


def _code(text: str, most: int = _MOST_COLUMNS) -> str:
    return markdown_safe(_short(text, most))


# --- what always stands --------------------------------------------------------------------------------------------


def _head(view: PlanView) -> list[str]:
    simulated = ["", "**Simulated**: made from a sandbox or a snapshot, not from a live cluster."]
    return [
        f"<!-- {view.marker} -->",
        "### Plan",
        "",
        _code(view.title),
        *(simulated if view.simulated else []),
        "",
        f"**{view.verdict}**",
        "",
        f"Risk: {_risk_counts(view.risks)}",
        "",
        f"Plan `{view.identifier}`",
    ]


def _risk_counts(found: Sequence[Risk]) -> str:
    """How much of each danger: deletes, replaces, loosened gates, fields taken, secrets, adoptions, what is blocked."""
    counts = Counter(risk.danger for risk in found)
    told = ", ".join(f"**{counts[danger]} {danger}**" for danger in Danger if counts[danger])
    return told or "no delete, replace, adoption, forced field, changed secret or loosened gate"


def _risks(view: PlanView) -> list[str]:
    """What must not be overlooked: read first, each by name."""
    told = _fitting([_risk(risk) for risk in view.risks], "risk")
    told += _fitting([f"- warning: {_code(warning)}" for warning in view.warnings], "warning")
    return ["", "#### Look at these first", "", *told] if told else []


def _fitting(lines: Sequence[str], noun: str) -> list[str]:
    """As many lines as their share of the comment allows, and how many more there are."""
    shown: list[str] = []
    while len(shown) < min(len(lines), _MOST_RISKS) and _size(lines[: len(shown) + 1]) <= _RISK_ROOM:
        shown.append(lines[len(shown)])
    more = len(lines) - len(shown)
    return [*shown, f"- and {more} more {noun}{'s' * (more != 1)}"] if more else shown


def _risk(risk: Risk) -> str:
    remedy = f"; {_code(risk.remedy)}" if risk.remedy else ""
    return f"- **{risk.danger}** {_code(risk.address)}: {_code(risk.text)}{remedy}"


def _foot(view: PlanView) -> list[str]:
    if len(view.command.encode()) > _COMMAND_ROOM:
        return ["", "The command that applies it is too long for a comment; `hwplan plan` prints it."]
    return ["", "To apply exactly this:", "", *fenced([view.command], "sh")] if view.command else []


# --- sections ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is shown of one change, or of several that are the same: lines of a diff fence."""

    objects: int
    lines: tuple[str, ...]


def _sections(view: PlanView, room: int) -> Iterator[str]:
    """A folded section per scope, the room shared out in their order."""
    groups = [(group.title, group.lines) for group in view.groups]
    groups += [("drift that this plan leaves alone", view.drift)] if view.drift else []
    for at, (title, lines) in enumerate(groups):
        section, left_out = _section(title, lines, room)
        size = _size(section)
        if left_out == len(lines):
            objects = sum(len(rest) for _, rest in groups[at:])
            yield from ["", f"**Cut here**: {objects} more objects do not fit; the JSON form of the plan has them all."]
            return
        yield from section
        room -= size


def _section(title: str, lines: Sequence[Line], room: int) -> tuple[list[str], int]:
    """The section in at most `room` bytes, and how many objects had to be left out."""
    summary = f"<details><summary><b>{html_safe(_short(title))}</b>: {_counts(lines)}</summary>"
    frame = _size(["", summary, "", "", "</details>"]) + 900  # both fences, the note on the cut, the one after it
    shown: list[str] = []
    left_out = len(lines)
    for entry in _entries(lines):
        size = _size(entry.lines)
        if frame + size > room:
            break
        shown += entry.lines
        left_out -= entry.objects
        frame += size
    note = ["", f"**Cut**: {left_out} more objects of this section do not fit."] if left_out else []
    return ["", summary, "", *fenced(shown, "diff"), *note, "", "</details>"], left_out


def _counts(lines: Sequence[Line]) -> str:
    named = [line.why if line.symbol == "?" else line.action.value for line in lines]
    return ", ".join(f"{named.count(name)} {html_safe(name)}" for name in dict.fromkeys(named))


def _entries(lines: Sequence[Line]) -> Iterator[_Entry]:
    """The lines in order; objects with the very same change stand together where the first of them does."""
    alike: dict[tuple[object, ...], list[Line]] = {}
    for line in lines:
        key = (line.symbol, line.why, line.details) if line.details else (line.symbol, line.address, line.number)
        alike.setdefault(key, []).append(line)
    for same in alike.values():
        if len(same) == 1:
            yield _Entry(1, (_headline(same[0]), *_fields(same[0])))
        else:
            yield _Entry(len(same), (*_together(same), *_fields(same[0])))


def _together(same: Sequence[Line]) -> Iterator[str]:
    yield f"{_sign(same[0])} {same[0].symbol} same change on {len(same)} objects: {_short(same[0].why)}"
    for line in same[:_MOST_NAMES]:
        yield f"      {line.number or '':>4} {_short(line.address)}"
    if len(same) > _MOST_NAMES:
        yield f"           and {len(same) - _MOST_NAMES} more"


def _headline(line: Line) -> str:
    number = f"{line.number:>4}" if line.number else " " * 4
    return f"{_sign(line)} {number} {line.symbol} " + _short("  ".join(part for part in _parts(line) if part))


def _parts(line: Line) -> tuple[str, ...]:
    return line.address, line.why, line.hint


def _sign(line: Line) -> str:
    """The first column colours a line of a `diff` fence: plus green, minus red, an exclamation mark orange."""
    return {"+": "+", "-": "-", "=": " ", "?": " "}.get(line.symbol, "!")


def _fields(line: Line) -> Iterator[str]:
    for item in line.details:
        yield from _field(item)


def _field(item: Detail) -> Iterator[str]:
    note = f"  ({item.note})" if item.note else ""
    head = f"         {_short(item.path)}{note}{'  ' + item.who if item.who else ''}"
    if item.lines:
        yield head
        yield from (_long(text) for text in item.lines)
    elif item.op is FieldOp.CHANGE and len(item.before) + len(item.after) > _MOST_COLUMNS // 2:
        yield head
        yield f"-          {_short(item.before)}"
        yield f"+          {_short(item.after)}"
    else:
        arrow = f"{item.before} -> {item.after}" if item.op is FieldOp.CHANGE else item.before or item.after
        sign = {"+": "+", "-": "-"}.get(field_sign(item.op), " ")
        yield f"{sign}{head[1:]}  {_short(arrow)}"


def _long(text: str) -> str:
    """A line of a long value; the sign, if it has one, goes to the first column."""
    sign, body = (text[0], text[2:]) if text[:2] in ("+ ", "- ") else (" ", text)
    return f"{sign}          {_short(body)}"
