"""A plan as text for a terminal or a log: dense, one resource a line, the fields that change below it.

The first line says what is looked at; the last ones what it comes to, the id of the plan, and the command that applies
exactly it. Thin over planner.render.view; owns columns, colour and where a long value goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from planner.address import Address
from planner.plan import FieldOp, Plan
from planner.render.detail import Detail
from planner.render.style import cells, cut, padded, paint
from planner.render.view import Line, PlanView, field_sign, make_view

_INDENT = " " * 9  # number, symbol and the blanks around them
_BESIDE = 45  # columns to be left beside an address: for numbers, the reason, and a short hint
_LEAST = 60  # columns; a narrower terminal wraps

_COLOURS = {
    "+": "green",
    "~": "yellow",
    "-": "red",
    "±": "magenta",
    "^": "yellow",
    ">": "cyan",
    "!": "red",
    "?": "dim",
}


def render_plan(
    plan: Plan,
    *,
    command: str = "",
    width: int = 100,
    colour: bool = False,
    notes: Mapping[Address, str] | None = None,
) -> str:
    """The page of `plan` in `width` columns, with one newline at its end."""
    return page(make_view(plan, command=command, notes=notes), width=width, colour=colour)


def page(view: PlanView, *, width: int = 100, colour: bool = False) -> str:
    """The page of a view. Only addresses, reasons and the command may pass the right edge: they are never cut."""
    return "\n".join(_Page(view, max(width, _LEAST), colour).lines()) + "\n"


class _Page:
    """The columns of one page: addresses as wide as they need, to a limit that leaves room for the rest."""

    def __init__(self, view: PlanView, width: int, colour: bool) -> None:
        shown = [line for group in view.groups for line in group.lines] + [*view.blocked, *view.drift]
        self.view = view
        self.width = width
        self.colour = colour
        self.names = _column((line.address for line in shown), max(width * 9 // 20, width - _BESIDE))
        self.whys = _column((line.why for line in shown), 12)

    def lines(self) -> Iterator[str]:
        yield self.paint(self.view.title, "bold")
        sections = [(group.title, group.lines) for group in self.view.groups]
        sections += [("blocked", self.view.blocked), ("drift", self.view.drift)]
        for title, lines in sections:
            if lines:
                yield ""
                yield self.paint(title, "bold")
                for line in lines:
                    yield from self.resource(line)
        yield ""
        for warning in self.view.warnings:
            yield self.paint("warning: ", "yellow") + warning
        yield from self.verdict()

    def verdict(self) -> Iterator[str]:
        for text in folded(self.view.verdict, self.width):
            yield self.paint(text, "bold")
        if not self.view.command:
            yield f"plan {self.view.identifier}"
            return
        yield f"plan {self.view.identifier}  to apply exactly this:"
        yield f"  {self.view.command}"

    def resource(self, line: Line) -> Iterator[str]:
        number = self.paint(f"{line.number:>5}", "dim") if line.number else " " * 5
        hint = self.paint(line.hint, "dim")
        head = f"{number} {self.paint(line.symbol, _COLOURS.get(line.symbol, ''))} {padded(line.address, self.names)}"
        taken = len(_INDENT) - 1 + max(cells(line.address), self.names) + 2 + max(cells(line.why), self.whys)
        if line.hint and taken + 2 + cells(line.hint) <= self.width:
            yield f"{head}  {padded(line.why, self.whys)}  {hint}"
        else:
            yield f"{head}  {line.why}"
            if line.hint:
                yield f"{_INDENT}{hint}"
        paths = _column((item.path for item in line.details), self.width * 9 // 20)
        for item in line.details:
            yield from self.detail(item, paths)
        if line.remedy:
            yield f"{_INDENT}{line.remedy}"

    def detail(self, item: Detail, paths: int) -> Iterator[str]:
        head = f"{_INDENT}{padded(item.path, paths)}"
        who = f"  {item.who}" if item.who else ""
        if item.lines:
            yield f"{head}  {self.signed(item)}{item.note}{who}"
            for text in item.lines:
                yield f"{_INDENT}  {self.painted(cut(text, self.width - len(_INDENT) - 2))}"
            return
        value = _value(item)
        note = f"  ({item.note})" if item.note else ""
        if cells(head) + 2 + cells(value) + 2 + cells(note) + cells(who) <= self.width:
            yield f"{head}  {self.signed(item)}{value}{note}{who}"
        else:
            told = f"{_INDENT}{item.path}{note}"
            yield from [told + who] if cells(told + who) <= self.width else [told, f"{_INDENT}{who}"]
            yield from self.sides(item)

    def sides(self, item: Detail) -> Iterator[str]:
        """A value too long for the line of its path: each side on a line of its own."""
        room = self.width - len(_INDENT) - 4
        for sign, side in (("-", item.before), ("+", item.after)):
            if side:
                shown = "=" if item.op is FieldOp.DISOWN else sign
                yield f"{_INDENT}  {self.painted(f'{shown} {cut(side, room)}')}"

    def signed(self, item: Detail) -> str:
        """The sign in front of a value that is on one side only; a change has its arrow."""
        return "" if item.op is FieldOp.CHANGE else f"{self.painted(field_sign(item.op))} "

    def painted(self, text: str) -> str:
        return self.paint(text, {"+": "green", "-": "red"}.get(text[:1], "dim"))

    def paint(self, text: str, style: str) -> str:
        return paint(text, style, self.colour)


def _column(texts: Iterable[str], most: int) -> int:
    """The width of a column: that of its widest text, the few left aside that are wider than `most`."""
    return max((width for width in map(cells, texts) if width <= most), default=0)


def folded(text: str, width: int) -> list[str]:
    """A line of parts with dots between them, broken at the dots where it is too long."""
    lines = [""]
    for part in text.split(" · "):
        longer = f"{lines[-1]} · {part}" if lines[-1] else part
        if lines[-1] and cells(longer) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines


def _value(item: Detail) -> str:
    return f"{item.before} -> {item.after}" if item.op is FieldOp.CHANGE else item.before or item.after
