"""Field paths: where in a document a value stands. Owns their text form and order; knows no schema.

Elements follow structured-merge-diff: a map key, a list item known by its key fields, a set member, or an index
(Kubernetes API concepts, "Server-Side Apply", list types).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

_PLAIN = re.compile(r"^[A-Za-z0-9_-]+$")


@dataclass(frozen=True, slots=True)
class Item:
    """A list item named by its key fields, sorted by field name: `[name=api]`, `[containerPort=80,protocol=TCP]`."""

    keys: tuple[tuple[str, Scalar], ...]

    def __str__(self) -> str:
        return "[" + ",".join(f"{name}={value}" for name, value in self.keys) + "]"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a list that is a set, named by its value: `[=foregroundDeletion]`."""

    value: Scalar

    def __str__(self) -> str:
        return f"[={self.value}]"


Element: TypeAlias = str | int | Item | Member
FieldPath: TypeAlias = tuple[Element, ...]


def render(path: FieldPath) -> str:
    """The text form, as shown in plans: `spec.containers[name=api].args[0]`, `metadata.annotations[x/y]`."""
    out: list[str] = []
    for element in path:
        match element:
            case str() if _PLAIN.match(element):
                out.append(f".{element}" if out else element)
            case str() | int():
                out.append(f"[{element}]")
            case Item() | Member():
                out.append(str(element))
    return "".join(out)


def parse(text: str) -> FieldPath:
    """Read the text form. Scalars inside brackets stay strings unless they are digits. Raises ValueError."""
    out: list[Element] = []
    position = 0
    token = re.compile(r"\.?(?P<plain>[A-Za-z0-9_-]+)|\[(?P<bracket>[^\]]*)\]")
    while position < len(text):
        match = token.match(text, position)
        if match is None or (match["plain"] and position and text[position] != "."):
            raise ValueError(f"{text!r} is not a field path (at column {position + 1})")
        out.append(match["plain"] if match["plain"] is not None else _bracket(match["bracket"]))
        position = match.end()
    return tuple(out)


def _bracket(inner: str) -> Element:
    if inner.startswith("="):
        return Member(_scalar(inner[1:]))
    if re.match(r"^[A-Za-z0-9_]+=", inner):
        pairs = (pair.partition("=") for pair in inner.split(","))
        return Item(tuple(sorted((name, _scalar(value)) for name, _, value in pairs)))
    return int(inner) if inner.isdigit() else inner


def _scalar(text: str) -> Scalar:
    return int(text) if text.isdigit() else text


def sort_key(path: FieldPath) -> tuple[tuple[int, str, int], ...]:
    """A total order over paths: map keys by name, then items and members by their text, then indexes by number."""
    return tuple(
        (2, "", element) if isinstance(element, int) else (0 if isinstance(element, str) else 1, str(element), 0)
        for element in path
    )
