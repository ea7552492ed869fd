"""Windows of eight characters by which forms of secrets are found in a text. Pure.

A window that stands in a text covers one of the text's groups of four characters at every fifth position. Only those
groups are looked up, and only around one that is known the windows themselves: a fifth of the work of looking at every
position, with the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

WINDOW = 8
KINDS = 4  # different characters that a text must have to say something of a secret: a row of zeros says nothing
_GROUP = 4
_STEP = WINDOW - _GROUP + 1

_T = TypeVar("_T")


def four_character_groups_of_text(text: str) -> set[str]:
    """Split a text into its groups of four characters, as `may_contain_secret_fragment` asks for them."""
    return {text[at : at + _GROUP] for at in range(0, len(text) - _GROUP + 1, _STEP)}


def may_contain_secret_fragment(groups: set[str], part: str) -> bool:
    """Whether a part may stand in the text of these groups: never no where it does."""
    return len(part) < WINDOW or any(part[at : at + _GROUP] in groups for at in range(_STEP))


class WindowIndex(Generic[_T]):
    """What begins with, or holds, each window. One thread adds while others read."""

    __slots__ = ("_found", "_groups")

    def __init__(self) -> None:
        self._found: dict[str, list[_T]] = {}
        self._groups: set[str] = set()

    def of(self, window: str) -> Sequence[_T]:
        """What was added by this window."""
        return self._found.get(window, ())

    def add(self, window: str, item: _T) -> None:
        """Find `item` by a window of exactly WINDOW characters from now on."""
        known = self._found.get(window)
        if known is None:
            self._groups.update(window[at : at + _GROUP] for at in range(_STEP))
            self._found[window] = [item]
        else:
            known.append(item)

    def starts(self, text: str) -> list[int]:
        """Every position of `text` where a known window begins, ascending."""
        groups, found = self._groups, self._found
        near = [at for at in range(0, len(text) - _GROUP + 1, _STEP) if text[at : at + _GROUP] in groups]
        return [
            start
            for at in near
            for start in range(max(at - _STEP + 1, 0), at + 1)
            if text[start : start + WINDOW] in found
        ]
