"""One changed field as text: short values, line differences of long texts, outlines of trees, secrets as fingerprints.

All text in a Detail is safe to show (see text_safe) and stands on one line each. Owns the limits of what is shown, and
every cut says how much it left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from typing import TypeGuard, assert_never

from planner.dataclass import dataclass
from planner.document_diff import HIDDEN, differing_ranges
from planner.field_path import FieldPath, render_path
from planner.plan import FieldChange, FieldOp
from planner.text_safe import safe_text
from planner.values import Json, JsonValue, OutputRef, OutputTemplate, SealedSecret

MOST_LINES = 14  # of one field; a reviewer who needs more reads the JSON form
MOST_CHARACTERS = 600  # of one line
_SHORT = 100  # a tree or text that fits is shown in one line
_LONG_LINE = 150  # characters of a line of a text, after which only the place of a difference is shown
_MARK = 14  # characters of the note on what was cut
_EQUAL = re.compile(r"\((\d+) equal characters\)…")
_EQUAL_END = re.compile(r"…\((\d+) equal characters\)$")
_CONTEXT = 24  # equal characters retained around a difference inside a long line

_FINGERPRINT = re.compile(r"^[a-z0-9-]+:([0-9a-f]{6,})$")
_LABEL = re.compile(r"^\[(?P<keys>[A-Za-z0-9_]+=.*)\]$")
_OPEN = (HIDDEN, "(made at apply)")  # what may stand in the place of a secret, and is none
_BARE = re.compile(r"^[A-Za-z_./][A-Za-z0-9_./:@-]*(?<!:)$")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off")


@dataclass(frozen=True, slots=True)
class FieldDetail:
    """A changed field, ready to be laid out.

    `before` and `after` are one-line values, empty on the side that has none, and both empty when `lines` say the
    difference: lines that begin with "- " or "+ ". `note` says what the values alone do not: how many lines differ,
    what was cut. `who` is the other manager with its time.
    """

    op: FieldOp
    path: str
    before: str = ""
    after: str = ""
    note: str = ""
    lines: tuple[str, ...] = ()
    who: str = ""


def field_detail(change: FieldChange, most_lines: int = MOST_LINES) -> FieldDetail:
    """The text of one field change, long values in at most so many lines. Of a sensitive one nothing is shown but
    fingerprints."""
    path = safe_text(_readable(change.path))
    who = ", ".join(safe_text(part) for part in (change.manager, change.time) if part)
    before, after = change.before, change.after
    if change.sensitive:
        return FieldDetail(change.op, path, *_secret_sides(change), who=who)
    match change.op:
        case FieldOp.CHANGE if isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
            return _text_change(path, who, before, after, most_lines)
        case FieldOp.CHANGE if _is_order(before) and _is_order(after):
            return FieldDetail(change.op, path, _order(before), _order(after), "order", who=who)
        case FieldOp.CHANGE:
            return FieldDetail(change.op, path, *_focused(inline_value(before), inline_value(after)), who=who)
        case FieldOp.ADD:
            return _one_side(change.op, path, who, after, "+", most_lines)
        case FieldOp.REMOVE:
            return _one_side(change.op, path, who, before, "-", most_lines)
        case FieldOp.DISOWN:
            return FieldDetail(
                change.op,
                path,
                "",
                _shortened(inline_value(after)),
                "retained: set by others too" if change.manager else "stays: the server keeps it",
                who=who,
            )
        case _ as never:
            assert_never(never)


def _readable(path: FieldPath) -> str:
    """The path as people write it: `data.sync.sh` where nothing can be mistaken, else the form that reads back."""
    *parents, last = path or ("(document)",)
    if isinstance(last, str) and re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+", last) and parents == ["data"]:
        return f"data.{last}"
    return render_path(path) if path else str(last)


# --- secrets -------------------------------------------------------------------------------------------------------


def _secret_sides(change: FieldChange) -> tuple[str, str]:
    before, after = (_marks(value) for value in (change.before, change.after))
    match change.op:
        case FieldOp.ADD:
            return "", _bracketed(after[0])
        case FieldOp.REMOVE:
            return _bracketed(before[0]), ""
        case FieldOp.DISOWN:
            return "", _bracketed(after[0])
        case FieldOp.CHANGE:
            long = before[0] == after[0]  # the short forms of two fingerprints may be alike
            return f"fingerprint {before[long]}", after[long]
        case _ as never:
            assert_never(never)


def _bracketed(mark: str) -> str:
    return mark if mark.startswith("(") else f"(fp {mark})"


def _marks(value: JsonValue) -> tuple[str, str]:
    """What may be shown of a secret, short and whole: its fingerprint, or that it is hidden."""
    text = value.fingerprint if isinstance(value, SealedSecret) else value
    if text in ("", None):
        return "(made at apply)", "(made at apply)"
    if isinstance(text, str) and (match := _FINGERPRINT.match(text)):
        return match[1][:6], match[1]
    if isinstance(text, (dict, list)):
        found = ", ".join(sorted({_marks(leaf)[0] for leaf in _leaves(text)}))
        return found or HIDDEN, found or HIDDEN
    return (text, text) if text in _OPEN else (HIDDEN, HIDDEN)


def _leaves(value: JsonValue) -> Iterator[Json]:
    """The leaves of a subtree that could be secret."""
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif isinstance(value, SealedSecret) or (isinstance(value, str) and _FINGERPRINT.match(value)):
        yield value


# --- short values --------------------------------------------------------------------------------------------------


def inline_value(value: JsonValue) -> str:
    """A value on one line, as JSON; outputs that are not known yet as `(known after: GitRef/gitops.commit)`."""
    match value:
        case OutputRef() | OutputTemplate() | SealedSecret():
            return safe_text(_special(value))
        case _:
            return safe_text(_ENCODER.encode(value))


def _unquoted(leaf: OutputRef | OutputTemplate | SealedSecret) -> str:
    return _special(leaf).strip('"')


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=_unquoted)


def _special(value: OutputRef | OutputTemplate | SealedSecret) -> str:
    match value:
        case OutputRef(address, output):
            return f"(known after: {address}.{output})"
        case OutputTemplate(parts):
            return '"' + "".join(part if isinstance(part, str) else _special(part) for part in parts) + '"'
        case SealedSecret():
            return _bracketed(_marks(value)[0])
        case _ as never:
            assert_never(never)


def _shortened(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}… +{len(text) - MOST_CHARACTERS} characters"


def _focused(before: str, after: str) -> tuple[str, str]:
    """Both sides of a change in long values, cut down to the place where they differ."""
    if max(len(before), len(after)) <= _SHORT:
        return before, after
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    head = max(0, head - _CONTEXT)
    rest = zip(reversed(before[head:]), reversed(after[head:]), strict=False)
    tail = max(0, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], rest)) - _CONTEXT)
    return _cut_ends(before, head, tail), _cut_ends(after, head, tail)


def fit_both_sides(before: str, after: str, room: int) -> tuple[str, str]:
    """Both sides of a change in at most so many characters each, cut so that the place where they differ is seen."""
    if max(len(before), len(after)) <= room:
        return before, after
    cut, tail, before, after = _without_equal(before, after)
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = max(0, head - min(_CONTEXT, room // 4)) if head > room // 3 else 0
    return _window(before, cut, start, tail, room), _window(after, cut, start, tail, room)


def _without_equal(before: str, after: str) -> tuple[int, int, str, str]:
    """How much `_cut_ends` left out in front of both sides and behind them, and what is between."""
    cut = tail = 0
    one, other = _EQUAL.match(before), _EQUAL.match(after)
    if one and other and one[1] == other[1]:
        cut, before, after = int(one[1]), before[one.end() :], after[other.end() :]
    one, other = _EQUAL_END.search(before), _EQUAL_END.search(after)
    if one and other and one[1] == other[1]:
        tail, before, after = int(one[1]), before[: one.start()], after[: other.start()]
    return cut, tail, before, after


def _window(text: str, cut: int, start: int, tail: int, room: int) -> str:
    """So much of a text from `start` on as there is room for, with what was left out on either side."""
    front = f"({cut + start} equal characters)…" if cut + start else ""
    left = len(text) - start + tail
    shown = max(1, room - len(front) - _MARK)
    if not tail and left <= shown + _MARK:
        return front + text[start:]
    return f"{front}{text[start : start + shown]}… +{left - min(shown, len(text) - start)} more"


def _cut_ends(text: str, head: int, tail: int) -> str:
    start = f"({head} equal characters)…" if head > _CONTEXT else text[:head]
    middle = text[head : len(text) - tail]
    end = f"…({tail} equal characters)" if tail > _CONTEXT else text[len(text) - tail :] if tail else ""
    return start + _shortened(middle) + end


def _is_order(value: JsonValue) -> TypeGuard[list[str]]:
    """Whether this is one side of a reordering: the names of the items of a keyed list (see planner.document_diff)."""
    return isinstance(value, list) and all(isinstance(item, str) and _LABEL.match(item) for item in value)


def _order(labels: Sequence[str]) -> str:
    return _shortened(safe_text(" ".join(label[1:-1].removeprefix("name=") for label in labels)))


# --- long values ---------------------------------------------------------------------------------------------------


def _one_side(op: FieldOp, path: str, who: str, value: JsonValue, sign: str, most: int) -> FieldDetail:
    """A value that is added or removed: on one line if it fits, else as an outline."""
    if isinstance(value, str) and "\n" in value:
        return _listed(op, path, who, value.splitlines(), sign, most)
    short = inline_value(value)
    if isinstance(value, (dict, list)) and len(short) > _SHORT:
        return _listed(op, path, who, list(islice(outline_nested_value(value), 100_000)), sign, most)
    shown = _shortened(short)
    return FieldDetail(op, path, shown, "", who=who) if sign == "-" else FieldDetail(op, path, "", shown, who=who)


def _listed(op: FieldOp, path: str, who: str, lines: Sequence[str], sign: str, most: int) -> FieldDetail:
    shown = tuple(f"{sign} {_shortened(safe_text(line))}" for line in lines[:most])
    return FieldDetail(op, path, note=f"{len(lines)} lines", lines=(*shown, *_rest(len(lines) - most)), who=who)


def _rest(count: int) -> tuple[str, ...]:
    return (f"… {count} more lines",) if count > 0 else ()


def _text_change(path: str, who: str, before: str, after: str, most: int) -> FieldDetail:
    """A line difference, each line with its number: of the old text behind a minus, of the new one behind a plus."""
    old, new = before.split("\n"), after.split("\n")
    runs = differing_ranges(old, new)
    differ = sum(max(last - first, end - start) for first, last, start, end in runs)
    lines = list(_numbered(old, new, runs))
    shown = tuple(_shortened(line) for line in lines[:most])
    note = f"{differ} of {max(len(old), len(new))} lines differ"
    return FieldDetail(FieldOp.CHANGE, path, note=note, lines=(*shown, *_rest(len(lines) - most)), who=who)


def _numbered(old: Sequence[str], new: Sequence[str], runs: Sequence[tuple[int, int, int, int]]) -> Iterator[str]:
    wide = len(str(max(len(old), len(new))))
    for first, last, start, end in runs:
        before, after = _lines_focused(old[first:last], new[start:end])
        for at, line in enumerate(before, first + 1):
            yield f"- {at:>{wide}}  {_ends_visibly(line)}"
        for at, line in enumerate(after, start + 1):
            yield f"+ {at:>{wide}}  {_ends_visibly(line)}"


def _lines_focused(old: Sequence[str], new: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Both sides of a run of lines; where long lines were changed one for one, each pair from where it differs."""
    if len(old) != len(new) or not any(len(line) > _LONG_LINE for line in (*old, *new)):
        return old, new
    pairs = [_focused(one, other) if min(len(one), len(other)) > _LONG_LINE else (one, other)
             for one, other in zip(old, new, strict=True)]  # fmt: skip
    return [one for one, _ in pairs], [other for _, other in pairs]


def _ends_visibly(line: str) -> str:
    """A line whose blanks at the end can be seen: they may be all that differs."""
    bare = line.rstrip(" ")
    return safe_text(bare) + "\\x20" * (len(line) - len(bare))


def outline_nested_value(value: Json, indent: str = "") -> Iterator[str]:
    """A nested value (maps, lists) as indented lines, much like YAML; `name` comes first in a map, the rest by key."""
    if isinstance(value, dict) and value:
        for key in sorted(value, key=lambda key: (key != "name", key)):
            yield from _entry(f"{indent}{_plain(key)}:", value[key], indent + "  ")
    elif isinstance(value, list) and value:
        for item in value:
            yield from _item(item, indent)
    else:
        yield indent + _plain(value)


def _entry(head: str, value: JsonValue, indent: str) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield head
        yield from outline_nested_value(value, indent)
    else:
        yield f"{head} {_plain(value)}"


def _item(value: JsonValue, indent: str) -> Iterator[str]:
    inner = outline_nested_value(value, indent + "  ")
    first = next(inner)
    yield f"{indent}- {first[len(indent) + 2 :]}"
    yield from inner


def _plain(value: JsonValue) -> str:
    """A scalar as YAML would have it: quoted only where it could be read as something else."""
    if isinstance(value, str) and _BARE.match(value) and value.lower() not in _WORDS:
        return value
    return inline_value(value)
