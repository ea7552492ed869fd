"""Field paths: where in a document a value stands. Owns their text form and order; knows no schema.

Elements follow structured-merge-diff: a map key, a list item known by its key fields, a set member, or an index
(Kubernetes API concepts, "Server-Side Apply", list types).
"""

from __future__ import annotations

import json
import re
from operator import itemgetter
from typing import TypeAlias

from planner.dataclass import dataclass

Scalar: TypeAlias = str | int | float | bool | None

_PLAIN = re.compile(r"^[A-Za-z0-9_-]+\Z")
_PLAIN_KEY = re.compile(r'^(?![0-9]+\Z)[^\]\["=]+\Z')
_PLAIN_WORD = re.compile(r'^[^\]\[",=]+\Z')
_NUMBER = re.compile(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_INDEX = re.compile(r"^[0-9]+\Z")  # str.isdigit also takes superscripts
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_NAME = re.compile(r"\.?([A-Za-z0-9_-]+)")
_BRACKET = re.compile(rf'\[((?:{_QUOTED}|[^\]"])*)\]')
_PAIR = re.compile(rf"([A-Za-z0-9_]+)=({_QUOTED}|[^,]*)(?:,|$)")


@dataclass(frozen=True, slots=True)
class ListItemPathElement:
    """A list item named by its key fields, sorted by field name: `[name=api]`, `[containerPort=80,protocol=TCP]`."""

    keys: tuple[tuple[str, Scalar], ...]

    def __str__(self) -> str:
        return "[" + ",".join(f"{name}={_word(value)}" for name, value in self.keys) + "]"


@dataclass(frozen=True, slots=True)
class SetMemberPathElement:
    """A member of a list that is a set, named by its value: `[=foregroundDeletion]`."""

    value: Scalar

    def __str__(self) -> str:
        return f"[={_word(self.value)}]"


Element: TypeAlias = str | int | ListItemPathElement | SetMemberPathElement
FieldPath: TypeAlias = tuple[Element, ...]


def path_covers(outer: FieldPath, inner: FieldPath) -> bool:
    """Whether `inner` is `outer` or below it. Compared as text: a path that was written down has lost its types."""
    return len(outer) <= len(inner) and [*map(str, outer)] == [*map(str, inner[: len(outer)])]


def render_path(path: FieldPath) -> str:
    """The text form, as shown in plans: `spec.containers[name=api].args[0]`, `metadata.annotations[x/y]`.

    Keys and strings that would read as something else are quoted as in JSON, so that `parse` gives the same path.
    """
    out: list[str] = []
    for element in path:
        match element:
            case str() if _PLAIN.match(element):
                out.append(f".{element}" if out else element)
            case str():
                out.append(f"[{element if _PLAIN_KEY.match(element) else json.dumps(element)}]")
            case int():
                out.append(f"[{element}]")
            case ListItemPathElement() | SetMemberPathElement():
                out.append(str(element))
    return "".join(out)


def parse_path(text: str) -> FieldPath:
    """Read the text form. Raises ValueError naming the column."""
    out: list[Element] = []
    position = 0
    while position < len(text):
        if match := _NAME.match(text, position):
            if position and text[position] != ".":
                raise ValueError(f"{text!r} is not a field path (at column {position + 1})")
            out.append(match[1])
        elif match := _BRACKET.match(text, position):
            out.append(_bracket(match[1]))
        else:
            raise ValueError(f"{text!r} is not a field path (at column {position + 1})")
        position = match.end()
    return tuple(out)


def _word(value: Scalar) -> str:
    """A scalar inside brackets: bare where it reads back as itself, else as JSON."""
    if isinstance(value, str) and _PLAIN_WORD.match(value) and not _is_json(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _bracket(inner: str) -> Element:
    if inner.startswith("="):
        return SetMemberPathElement(_scalar(inner[1:]))
    if inner.startswith('"'):
        key = json.loads(inner)
        return key if isinstance(key, str) else str(key)
    if _PAIR.match(inner):
        pairs = {pair[1]: _scalar(pair[2]) for pair in _PAIR.finditer(inner)}
        return ListItemPathElement(tuple(sorted(pairs.items(), key=itemgetter(0))))
    return int(inner) if _INDEX.match(inner) else inner


def _scalar(text: str) -> Scalar:
    if not _is_json(text):
        return text
    value: Scalar = json.loads(text)
    return value


def _is_json(text: str) -> bool:
    return text in ("true", "false", "null") or text.startswith('"') or _NUMBER.match(text) is not None


def path_sort_key(path: FieldPath) -> tuple[tuple[int, str, int], ...]:
    """A total order over paths: map keys by name, then items and members by their text, then indexes by number."""
    return tuple(
        (2, "", element) if isinstance(element, int) else (0 if isinstance(element, str) else 1, str(element), 0)
        for element in path
    )
