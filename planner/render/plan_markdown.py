"""A plan as Markdown for a pull-request comment: what is risky first, then a folded section per scope.

Outside text stands only in code spans and fences, where a mention, link, image, command or HTML stays text (rule R22).
The whole comment fits; what had to be left out is counted and named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import FieldOp, Plan
from planner.render.field_detail import MOST_CHARACTERS, FieldDetail, fit_both_sides
from planner.render.git_change_under_review import NO_CHANGE_UNDER_REVIEW, GitChangeUnderReview
from planner.render.plan_line import PlanLine
from planner.render.plan_view import PlanView, make_plan_view
from planner.render.risks import SHOWN_AS_RISKS, Risk, RiskKind
from planner.render.sentences_with_outside_names import Words
from planner.render.symbols import field_sign
from planner.text_safe import fenced_code_block, html_safe, markdown_safe

LIMIT = 60_000  # bytes; GitHub refuses 65,536 characters, and some characters count twice there
_MOST_RISKS = 20
_RISK_ROOM = 9_000  # bytes for the list of risks, and as many for warnings: marks may grow sixfold when escaped
_FACT_ROOM = 10_000
_COMMAND_ROOM = 8_000
_MOST_NAMES = 40  # of objects with one and the same change
_MOST_COLUMNS = 200
_MOST_PROSE = 700  # characters of a sentence
_AUTHORS = "Who last wrote the lines that declare changed fields (a template is often older than the value it is given)"


def render_plan_markdown(
    plan: Plan,
    *,
    command: str = "",
    notes: Mapping[Address, str] | None = None,
    review: GitChangeUnderReview = NO_CHANGE_UNDER_REVIEW,
) -> str:
    """A plan as Markdown for a comment, with one newline at its end. Deterministic, never longer than `LIMIT` bytes."""
    return layout_markdown_page(make_plan_view(plan, command=command, notes=notes, review=review))


def layout_markdown_page(view: PlanView) -> str:
    """Lay out the Markdown page of a view. Head, risks and the last lines always stand; sections share the room that
    is left."""
    head = [*_head(view), *_way(view), *_risks(view), *_facts(view), *_effects(view)]
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
        *([_prose(view.made_of), ""] if view.made_of else []),
        *([_prose(view.sentence), ""] if view.sentence else []),
        _code(view.title),
        *(simulated if view.simulated else []),
        "",
        f"**{view.verdict}**",
        "",
        f"Risk: {_risk_counts(view.risks)}",
        "",
        f"Plan `{view.identifier}`",
        *(["", _prose(view.approval)] if view.approval else []),
    ]


def _prose(words: Words, most: int = _MOST_COLUMNS) -> str:
    """Our own words as they are, the names from outside between them as code."""
    return "".join(_code(word, most) if at % 2 and word else word for at, word in enumerate(words))


def _way(view: PlanView) -> list[str]:
    """The stages of a pull request, in their order."""
    shown = [f"{at}. **{step.title}** {_prose(step.words, _MOST_PROSE)}" for at, step in enumerate(view.way, 1)]
    return ["", "#### From merge to gate", "", *_fitting(shown, "stage", _FACT_ROOM)] if shown else []


def _facts(view: PlanView) -> list[str]:
    """What a reviewer asks before anything else, each with its answer."""
    shown, folded = (
        _fitting(
            [f"- **{fact.title}** {_prose(fact.words, _MOST_PROSE)}" for fact in view.facts if fact.folded is folds],
            "fact",
            _FACT_ROOM,
        )
        for folds in (False, True)
    )
    lines = ["", "#### Facts for the review", "", *shown] if shown else []
    return [*lines, "", f"<details><summary>{_AUTHORS}</summary>", "", *folded, "", "</details>"] if folded else lines


def _effects(view: PlanView) -> list[str]:
    """What the plan sets off beyond its own fields, the gravest first, each with every name it is true of."""
    found = [line for line in view.effects if line.kind not in SHOWN_AS_RISKS]
    reported = [f"- **{line.kind}** {_names(line.names)}: {_code(line.text, _MOST_PROSE)}" for line in found]
    reported += [f"- {_code(text, _MOST_PROSE)}" for text in view.together]
    shown = _fitting(reported, "effect")
    return ["", "#### What it sets off", "", *shown] if shown else []


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(_code(name) for name in names[:_MOST_NAMES]) + more


def _risk_counts(found: Sequence[Risk]) -> str:
    """How much of each danger: deletes, replaces, loosened gates, fields taken, secrets, adoptions, what is blocked."""
    counts = Counter(risk.danger for risk in found)
    reported = ", ".join(f"**{danger}: {counts[danger]}**" for danger in RiskKind if counts[danger])
    return reported or "no downtime, delete, replace, adoption, overwritten field, changed secret or loosened gate"


def _risks(view: PlanView) -> list[str]:
    """What must not be overlooked: read first, each by name."""
    alike: dict[tuple[RiskKind, str, str], list[str]] = {}
    for risk in view.risks:
        alike.setdefault((risk.danger, risk.text, risk.remedy), []).append(risk.address)
    reported = _fitting([_risk(*what, names) for what, names in alike.items()], "risk")
    reported += _fitting([f"- warning: {_code(warning)}" for warning in view.warnings], "warning")
    return ["", "#### Look at these first", "", *reported] if reported else []


def _fitting(lines: Sequence[str], noun: str, room: int = _RISK_ROOM) -> list[str]:
    """As many lines as their share of the comment allows, and how many more there are."""
    shown: list[str] = []
    while len(shown) < min(len(lines), _MOST_RISKS) and _size(lines[: len(shown) + 1]) <= room:
        shown.append(lines[len(shown)])
    more = len(lines) - len(shown)
    return [*shown, f"- and {more} more {noun}{'s' * (more != 1)}"] if more else shown


def _risk(danger: RiskKind, text: str, remedy: str, names: Sequence[str]) -> str:
    return f"- **{danger}** {_names(names)}: {_code(text)}{f'; {_code(remedy)}' if remedy else ''}"


def _foot(view: PlanView) -> list[str]:
    decide = ["", _prose(view.order)] if view.order else []
    if len(view.command.encode()) > _COMMAND_ROOM:
        return [*decide, "", "The command that applies it is too long for a comment; `hwplan plan` prints it."]
    return (
        [*decide, "", "To apply exactly this:", "", *fenced_code_block([view.command], "sh")]
        if view.command
        else decide
    )


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


def _section(title: str, lines: Sequence[PlanLine], room: int) -> tuple[list[str], int]:
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
    return ["", summary, "", *fenced_code_block(shown, "diff"), *note, "", "</details>"], left_out


def _counts(lines: Sequence[PlanLine]) -> str:
    named = [line.why if line.symbol == "?" else line.action.value for line in lines]
    return ", ".join(f"{named.count(name)} {html_safe(name)}" for name in dict.fromkeys(named))


def _entries(lines: Sequence[PlanLine]) -> Iterator[_Entry]:
    """The lines in order; objects with the very same change stand together where the first of them does."""
    alike: dict[tuple[object, ...], list[PlanLine]] = {}
    for line in lines:
        key = (line.symbol, line.why, line.details) if line.details else (line.symbol, line.address, line.number)
        alike.setdefault(key, []).append(line)
    for same in alike.values():
        if len(same) == 1:
            yield _Entry(1, (_headline(same[0]), *_fields(same[0])))
        else:
            yield _Entry(len(same), (*_together(same), *_fields(same[0])))


def _together(same: Sequence[PlanLine]) -> Iterator[str]:
    yield f"{_sign(same[0])} {same[0].symbol} same change on {len(same)} objects: {_short(same[0].why)}"
    for line in same[:_MOST_NAMES]:
        yield f"      {line.number or '':>4} {_short(line.address)}"
    if len(same) > _MOST_NAMES:
        yield f"           and {len(same) - _MOST_NAMES} more"


def _headline(line: PlanLine) -> str:
    number = f"{line.number:>4}" if line.number else " " * 4
    return f"{_sign(line)} {number} {line.symbol} " + _short("  ".join(part for part in _parts(line) if part))


def _parts(line: PlanLine) -> tuple[str, ...]:
    return line.address, line.why, line.hint


def _sign(line: PlanLine) -> str:
    """The first column colours a line of a `diff` fence: plus green, minus red, an exclamation mark orange."""
    return {"+": "+", "-": "-", "=": " ", "?": " "}.get(line.symbol, "!")


def _fields(line: PlanLine) -> Iterator[str]:
    for item in line.details:
        yield from _field(item)


def _field(item: FieldDetail) -> Iterator[str]:
    note = f"  ({item.note})" if item.note else ""
    head = f"         {_short(item.path)}{note}{'  ' + item.who if item.who else ''}"
    if item.lines:
        yield head
        most = MOST_CHARACTERS + 2 if item.op is FieldOp.CHANGE else _MOST_COLUMNS
        yield from (_long(text, most) for text in item.lines)
    elif item.op is FieldOp.CHANGE and len(item.before) + len(item.after) > _MOST_COLUMNS // 2:
        yield head
        before, after = fit_both_sides(item.before, item.after, _MOST_COLUMNS)
        yield f"-          {before}"
        yield f"+          {after}"
    else:
        arrow = f"{item.before} -> {item.after}" if item.op is FieldOp.CHANGE else item.before or item.after
        sign = {"+": "+", "-": "-"}.get(field_sign(item.op), " ")
        yield f"{sign}{head[1:]}  {_short(arrow)}"


def _long(text: str, most: int) -> str:
    """A line of a long value; the sign, if it has one, goes to the first column."""
    sign, body = (text[0], text[2:]) if text[:2] in ("+ ", "- ") else (" ", text)
    return f"{sign}          {_short(body, most)}"
