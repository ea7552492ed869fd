"""Parts of secrets in a text: what is left where a command folds, cuts or quotes one. Pure.

Text and secrets are compared without what such a command puts in between: blanks, line ends, quotes, NULs. A part
counts when it has a certain length for its encoding and looks random; of a secret that is made of words only the whole
counts.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable, Iterator
from operator import ne

from planner.dataclass import dataclass
from planner.redaction.secret_forms import base64_digits_at_alignments
from planner.redaction.window_index import KINDS, WINDOW, WindowIndex

_MOST = 1 << 16  # bytes of a value of which parts are looked for
_LONG = 16  # characters
_MOST_WINDOWS = 512  # of one form: of longer ones only longer parts are found for certain
_SKIPPED = dict.fromkeys([*range(0x21), 0x7F, 0xA0, *map(ord, "'\"\\`,:|>[]")])
_OCTAL, _DECIMAL = [f"{byte:03o}" for byte in range(256)], [f"{byte}" for byte in range(256)]
_KIND_OF_CHARACTER = str.maketrans(string.ascii_letters + string.digits, "a" * 26 + "A" * 26 + "0" * 10)
_NO_KIND = re.compile("[^aA0]")


@dataclass(frozen=True, slots=True)
class _Form:
    """A squeezed form of a secret; a part of `least` characters counts. `plain` is one in which it can be read."""

    text: str
    least: int
    plain: bool = False


class SecretFragmentFinder:
    """Finds parts of secrets in a text: holds the forms of all secrets, by the windows that stand in them."""

    __slots__ = ("_windows",)

    def __init__(self) -> None:
        self._windows: WindowIndex[tuple[_Form, int]] = WindowIndex()

    def add(self, value: bytes) -> None:
        """Look for parts of `value` from now on."""
        for form in _forms(value[:_MOST]):
            last = len(form.text) - WINDOW
            if form.least >= len(form.text):  # only the whole counts, and that is found by its beginning
                if last >= 0:
                    self._windows.add(form.text[:WINDOW], (form, 0))
                continue
            step = max(min(8, form.least - WINDOW + 1), last // _MOST_WINDOWS)
            starts = range(0, last + 1, step)
            first = {form.text[start : start + WINDOW]: start for start in reversed(starts)}
            for window, start in first.items():
                self._windows.add(window, (form, start))

    def spans(self, text: str, is_public: Callable[[str], bool]) -> list[tuple[int, int]]:
        """Where parts stand in `text`, as first and last position."""
        squeezed = text.translate(_SKIPPED)
        found: list[tuple[int, int]] = []
        end = 0
        for start in self._windows.starts(squeezed):
            if start >= end:
                first, last = self._widest(squeezed, start, is_public)
                if last > first:
                    found.append((first, last))
                    end = last
        if not found:
            return []
        positions = [at for at, char in enumerate(text) if ord(char) not in _SKIPPED]
        return [(positions[first], positions[last - 1] + 1) for first, last in found]

    def _widest(self, squeezed: str, start: int, is_public: Callable[[str], bool]) -> tuple[int, int]:
        best = (start, start)
        for form, offset in self._windows.of(squeezed[start : start + WINDOW]):
            first, last = _grown(squeezed, start, form.text, offset)
            part = squeezed[first:last]
            if len(part) < form.least or len(part) <= best[1] - best[0]:
                continue
            if len(part) == len(form.text) or (_is_telling(part, form) and not (form.plain and is_public(part))):
                best = (first, last)
        return best


def _grown(text: str, start: int, form: str, offset: int) -> tuple[int, int]:
    """The longest run of `text` around `start` that is also one of `form` around `offset`."""
    back = 0
    while back < min(start, offset) and text[start - back - 1] == form[offset - back - 1]:
        back += 1
    ahead, most = WINDOW, min(len(text) - start, len(form) - offset)
    while ahead < most and text[start + ahead] == form[offset + ahead]:
        ahead += 1
    return start - back, start + ahead


def _is_telling(part: str, form: _Form) -> bool:
    """Whether a part says something of the secret: never a row of few characters (zero bytes in any encoding, a
    ruler of dashes), of a form that can be read only a longer one, or a short one that looks random too."""
    return len(set(part)) >= KINDS and (not form.plain or len(part) >= _LONG or looks_random(part))


def looks_random(text: str) -> bool:
    """Whether a text changes between small letters, capitals and digits as often as no name does: keys and tokens."""
    known = _NO_KIND.sub("", text.translate(_KIND_OF_CHARACTER))
    changes = sum(map(ne, known, known[1:]))
    return len(known) >= 8 and changes * 4 >= len(known)


def _forms(value: bytes) -> Iterator[_Form]:
    text = value.decode("utf-8", "replace")
    squeezed = text.translate(_SKIPPED)
    random = looks_random(squeezed) and len(text.split()) == 1
    yield _Form(squeezed, 10 if random else len(squeezed), plain=True)
    yield _Form(squeezed[::-1], 12 if random else len(squeezed), plain=True)
    for digits in base64_digits_at_alignments(value):
        yield _Form(digits, 16 if len(digits) > 20 else len(digits))
    yield from (_Form(one, min(16, len(one))) for one in (value.hex(), value.hex().upper(), _swapped(value).hex()))
    yield _Form(base64.b32encode(value).decode().rstrip("="), 16)
    yield _Form("0x" + value.hex(" ").replace(" ", "0x"), 32)
    yield _Form("".join(map(_OCTAL.__getitem__, value)), 24)
    yield _Form("".join(map(_DECIMAL.__getitem__, value)), 24)


def _swapped(value: bytes) -> bytes:
    """As `od -x` and `hexdump` show it on most machines: the two bytes of each word the other way round."""
    even = value if len(value) % 2 == 0 else value + b"\0"
    swapped = bytearray(len(even))
    swapped[::2], swapped[1::2] = even[1::2], even[::2]
    return bytes(swapped)
