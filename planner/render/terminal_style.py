"""Colour and width of a terminal page, in a few lines: rich would take longer to import than a page to be made."""

from __future__ import annotations

import unicodedata

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36"}


def with_colour(text: str, style: str, colour: bool) -> str:
    """`text` in a style such as "red" or "bold"; unchanged without colour."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if colour and style and text else text


def column_count(text: str) -> int:
    """How many columns a text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(char) for char in text)


def _cells_of(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad_text(text: str, width: int) -> str:
    """`text` with blanks up to `width` columns; longer text stays whole."""
    return text + " " * max(0, width - column_count(text))


def cut_text(text: str, width: int) -> str:
    """`text` in at most `width` columns, the cut named: `abc… +120 characters`."""
    if column_count(text) <= width:
        return text
    note = f"… +{len(text)} characters"  # the longest note there can be, so that the room is right
    retained = ""
    room = max(0, width - column_count(note))
    for char in text:
        room -= _cells_of(char)
        if room < 0:
            break
        retained += char
    return f"{retained}… +{len(text) - len(retained)} characters"
