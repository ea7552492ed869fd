"""Sentences in which our own words and names from outside take turns, so that each page marks the names its own way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from planner.dataclass import dataclass
from planner.text_safe import safe_text

MOST_NAMES = 12  # in one line

Words: TypeAlias = tuple[str, ...]  # our own words at even places, names from outside at odd ones


@dataclass(frozen=True, slots=True)
class OutsideText:
    """Text from outside: a name, a value, a command."""

    text: str


Part: TypeAlias = str | OutsideText


def words_safe_to_show(parts: Iterable[Part]) -> Words:
    """The parts of a sentence as Words: our own words and names from outside in turns, the names made safe to show."""
    found = [""]
    for part in parts:
        if isinstance(part, OutsideText):
            found += [safe_text(part.text), ""]
        else:
            found[-1] += part
    return tuple(found if found[-1] else found[:-1])


def name_list(found: Sequence[str], most: int = MOST_NAMES) -> Iterator[Part]:
    """Names with commas between them; of many the first, and how many more there are."""
    for at, name in enumerate(found[:most]):
        if at:
            yield ", "
        yield OutsideText(name)
    if len(found) > most:
        yield f" and {len(found) - most} more"
