"""A plan as JSON: the very bytes of a plan file (see planner.plan_document), as text."""

from __future__ import annotations

from planner.plan import Plan
from planner.plan_document import dump


def render_json(plan: Plan, *, for_terminal: bool = False) -> str:
    """The document of spec 05, "The plan as JSON", with one newline at its end.

    For a terminal, characters that it could obey are written as JSON escapes: the same document in other bytes, so
    that what is meant to be read again must not come from there.
    """
    text = dump(plan).decode()
    return visible(text) if for_terminal else text


def visible(text: str) -> str:
    """A JSON text with escapes in place of what a terminal could obey."""
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    """All but the newlines between lines stand inside of strings, where JSON knows this form."""
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
