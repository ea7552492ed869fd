"""A plan as text for a terminal or a log: dense, one resource a line, the fields that change below it.

The first line says what is looked at; the last ones what it comes to, the id of the plan, and the command that applies
exactly it. Thin over planner.render.plan_view; owns columns, colour and where a long value goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from planner.address import Address
from planner.plan import FieldOp, Plan, SideEffectKind
from planner.render.field_detail import FieldDetail, fit_both_sides
from planner.render.git_change_under_review import NO_CHANGE_UNDER_REVIEW, GitChangeUnderReview
from planner.render.plan_line import PlanLine
from planner.render.plan_view import PlanView, make_plan_view
from planner.render.symbols import field_sign
from planner.render.terminal_style import column_count, cut_text, pad_text, with_colour

_INDENT = " " * 9  # number, symbol and the blanks around them
_BESIDE = 45  # columns to be left beside an address: for numbers, the reason, and a short hint
_MOST_NAMES = 6  # of objects with one effect
_GRAVE = (SideEffectKind.OUTAGE, SideEffectKind.LOSS, SideEffectKind.REFERENCE, SideEffectKind.STALE)
_FURTHER = "    … "  # in front of the rest of a line that did not fit
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


def render_plan_text(
    plan: Plan,
    *,
    command: str = "",
    width: int = 100,
    colour: bool = False,
    notes: Mapping[Address, str] | None = None,
    full: bool = False,
    review: GitChangeUnderReview = NO_CHANGE_UNDER_REVIEW,
) -> str:
    """A plan as text for a terminal in `width` columns, with one newline at its end."""
    return layout_terminal_page(
        make_plan_view(plan, command=command, notes=notes, full=full, review=review), width=width, colour=colour
    )


def layout_terminal_page(view: PlanView, *, width: int = 100, colour: bool = False) -> str:
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
        if self.view.made_of:
            yield from self.wrapped("".join(self.view.made_of), 0, "")
            yield from self.wrapped("".join(self.view.sentence), 0, "")
        if self.view.way:
            yield ""
            yield self.paint("from merge to gate", "bold")
            wide = max(len(step.title) for step in self.view.way)
            for at, step in enumerate(self.view.way, 1):
                yield from self.wrapped("".join(step.words), wide + 6, f"  {at} {pad_text(step.title, wide)}  ")
        sections = [(group.title, group.lines) for group in self.view.groups]
        sections += [("blocked", self.view.blocked), ("drift", self.view.drift)]
        for title, lines in sections:
            if lines:
                yield ""
                yield self.paint(title, "bold")
                for line in lines:
                    yield from self.resource(line)
        if self.view.effects:
            yield ""
            yield self.paint("what it sets off", "bold")
            yield from self.effects()
        if self.view.facts and self.view.made_of:
            yield ""
            yield self.paint("facts for the review", "bold")
            facts = [fact for fact in self.view.facts if self.view.full or not fact.folded]
            wide = max(len(fact.title) for fact in facts)
            for fact in facts:
                yield from self.wrapped("".join(fact.words), wide + 4, f"  {pad_text(fact.title, wide)}  ")
        yield ""
        if any(fact.folded for fact in self.view.facts) and self.view.made_of and not self.view.full:
            yield "the lines that declare the changed fields, and who wrote them, are folded: --full shows them"
        for text in self.view.together:
            yield from self.wrapped(text, 0, "")
        if self.view.folded:
            yield f"the fields of {self.view.folded} new objects are folded: --full shows them"
        for warning in self.view.warnings:
            yield self.paint("warning: ", "yellow") + warning
        yield from self.verdict()

    def effects(self) -> Iterator[str]:
        """One line for each thing that is set off: what, whom it is true of, how."""
        kinds = max(len(line.kind) for line in self.view.effects)
        for line in self.view.effects:
            names = ", ".join(line.names[:_MOST_NAMES])
            more = f" and {len(line.names) - _MOST_NAMES} more" if len(line.names) > _MOST_NAMES else ""
            style = "red" if line.kind in _GRAVE else ""
            head = f"  {self.paint(pad_text(line.kind, kinds), style)}  "
            yield from self.wrapped(f"{names}{more}: {line.text}", kinds + 4, head)

    def wrapped(self, text: str, indent: int, head: str) -> Iterator[str]:
        """Words on as many lines as they need, the first one behind `head`, the others as far in."""
        from textwrap import wrap  # not before there is something to wrap

        lines = wrap(text, self.width - indent, break_long_words=False, break_on_hyphens=False)
        for at, line in enumerate(lines):
            yield (head if not at else " " * indent) + line

    def verdict(self) -> Iterator[str]:
        for text in fold_line_at_dots(self.view.verdict, self.width):
            yield self.paint(text, "bold")
        named = self.view.identifier in self.view.command  # the id stands on the page once
        head = "to apply exactly this plan:" if named else f"plan {self.view.identifier}"
        yield f"{head}  to apply exactly this:" if self.view.command and not named else head
        if self.view.command:
            yield f"  {self.view.command}"

    def resource(self, line: PlanLine) -> Iterator[str]:
        number = self.paint(f"{line.number:>5}", "dim") if line.number else " " * 5
        hint = self.paint(line.hint, "dim")
        head = f"{number} {self.paint(line.symbol, _COLOURS.get(line.symbol, ''))} {pad_text(line.address, self.names)}"
        taken = (
            len(_INDENT) - 1 + max(column_count(line.address), self.names) + 2 + max(column_count(line.why), self.whys)
        )
        if line.hint and taken + 2 + column_count(line.hint) <= self.width:
            yield f"{head}  {pad_text(line.why, self.whys)}  {hint}"
        else:
            yield f"{head}  {line.why}"
            if line.hint:
                yield f"{_INDENT}{hint}"
        paths = _column((item.path for item in line.details), self.width * 9 // 20)
        for item in line.details:
            yield from self.detail(item, paths)
        if line.remedy:
            yield f"{_INDENT}{line.remedy}"

    def detail(self, item: FieldDetail, paths: int) -> Iterator[str]:
        head = f"{_INDENT}{pad_text(item.path, paths)}"
        who = f"  {item.who}" if item.who else ""
        if item.lines:
            yield f"{head}  {self.signed(item)}{item.note}{who}"
            for text in item.lines:
                for part in _unbroken(text, self.width - len(_INDENT) - 2, item.op):
                    yield f"{_INDENT}  {self.painted(part)}"
            return
        value = _value(item)
        note = f"  ({item.note})" if item.note else ""
        if column_count(head) + 2 + column_count(value) + 2 + column_count(note) + column_count(who) <= self.width:
            yield f"{head}  {self.signed(item)}{value}{note}{who}"
        else:
            reported = f"{_INDENT}{item.path}{note}"
            yield from [reported + who] if column_count(reported + who) <= self.width else [reported, f"{_INDENT}{who}"]
            yield from self.sides(item)

    def sides(self, item: FieldDetail) -> Iterator[str]:
        """A value too long for the line of its path: each side on a line of its own."""
        room = self.width - len(_INDENT) - 4
        before, after = (
            fit_both_sides(item.before, item.after, room) if item.before and item.after else (item.before, item.after)
        )
        for sign, side in (("-", before), ("+", after)):
            if side:
                shown = "=" if item.op is FieldOp.DISOWN else sign
                yield f"{_INDENT}  {self.painted(f'{shown} {cut_text(side, room)}')}"

    def signed(self, item: FieldDetail) -> str:
        """The sign in front of a value that is on one side only; a change has its arrow."""
        return "" if item.op is FieldOp.CHANGE else f"{self.painted(field_sign(item.op))} "

    def painted(self, text: str) -> str:
        return self.paint(text, {"+": "green", "-": "red"}.get(text[:1], "dim"))

    def paint(self, text: str, style: str) -> str:
        return with_colour(text, style, self.colour)


def _unbroken(text: str, room: int, op: FieldOp) -> list[str]:
    """A line of a difference goes on below rather than being cut: what differs may stand at its end."""
    if op is not FieldOp.CHANGE or column_count(text) <= room:
        return [cut_text(text, room)]
    sign, rest = text[:2], text[2:]
    first, more = rest[: room - 2], rest[room - 2 :]
    wide = room - 2 - len(_FURTHER)
    return [sign + first, *(f"{sign}{_FURTHER}{more[at : at + wide]}" for at in range(0, len(more), wide))]


def _column(texts: Iterable[str], most: int) -> int:
    """The width of a column: that of its widest text, the few left aside that are wider than `most`."""
    return max((width for width in map(column_count, texts) if width <= most), default=0)


def fold_line_at_dots(text: str, width: int) -> list[str]:
    """A line of parts with dots between them, broken at the dots where it is too long."""
    lines = [""]
    for part in text.split(" · "):
        longer = f"{lines[-1]} · {part}" if lines[-1] else part
        if lines[-1] and column_count(longer) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines


def _value(item: FieldDetail) -> str:
    return f"{item.before} -> {item.after}" if item.op is FieldOp.CHANGE else item.before or item.after
