"""Documents as JSON text for standard output: nothing in it that a terminal or a CI log could obey (rules R20, R21)."""

from __future__ import annotations

import json
import re


def render_document_as_json(document: object, *, indent: int | None = 1, sort_keys: bool = True) -> str:
    """A document as ASCII without a final newline, `indent` spaces for each level, None for one line.

    Every program reads the same values from it, through a pipe or from a terminal: what could be obeyed is written as
    an escape of JSON. Raises TypeError for what JSON has no form of.
    """
    return escape_invisible(json.dumps(document, indent=indent, sort_keys=sort_keys))


def escape_invisible(text: str) -> str:
    """A JSON text with escapes in place of what a terminal or a CI log could obey: the same document."""
    if not text.replace("\n", "").isprintable():
        text = "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)
    return _COMMAND.sub(lambda found: _escaped(found[0]), text)


# Words that a CI system obeys anywhere in a line; `::` begins a line in none, as a quote stands before each string.
_COMMAND = re.compile(r"#(?=#\[|#vso\[)|s(?=ection_(?:start|end):)")


def _escaped(char: str) -> str:
    """All but the newlines between lines stand inside of strings, where JSON knows this form."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
