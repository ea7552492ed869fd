"""A plan as JSON: the very bytes of a plan file (see planner.plan_bytes) as text, with what guards say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from planner.errors import GuardRefused
from planner.field_path import render_path
from planner.plan import Plan
from planner.plan_bytes import dump_plan
from planner.render.review_context import NO_CONTEXT, ReviewContext
from planner.text_safe import safe_text
from planner.values import JsonObject


def render_plan_json(
    plan: Plan,
    *,
    guards: Sequence[GuardRefused] = (),
    review: ReviewContext = NO_CONTEXT,
    for_terminal: bool = False,
) -> str:
    """The document of spec 05, "The plan as JSON", with one newline at its end.

    For a terminal, characters that it could obey are written as JSON escapes: the same document in other bytes, so
    that what is meant to be read again must not come from there. `guards` that will refuse the plan, the change that is
    reviewed and the lines that declare its fields stand in keys of their own, which neither id nor checksum are about.
    """
    said = [{"name": one.guard, "message": one.message, "remedy": one.remedy} for one in guards]
    text = dump_plan(plan, guards=said, change=_change(review), origins=_origins(review)).decode()
    return escape_invisible(text) if for_terminal else text


def _change(review: ReviewContext) -> JsonObject | None:
    """What is reviewed, as far as it is known; the time of the plan is none of it."""
    known = {
        "name": review.name, "title": review.title, "author": review.author, "head": review.head,
        "base": review.base, "baseName": review.base_name, "effect": "".join(review.headline),
    }  # fmt: skip
    return {key: safe_text(value) for key, value in known.items() if value} or None


def _origins(review: ReviewContext) -> list[JsonObject]:
    """The line of each field; `template` is the line that renders it, where a key feeds it."""
    return [
        {
            "address": str(one.address),
            "path": render_path(one.path),
            "source": str(one.source),
            "key": safe_text(one.key),
            "template": str(one.template),
            "written": safe_text(one.written),
        }
        for one in review.lines
    ]


def escape_invisible(text: str) -> str:
    """A JSON text with escapes in place of what a terminal or a CI log could obey: the same document."""
    if not text.replace("\n", "").isprintable():
        text = "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)
    return _COMMAND.sub(lambda found: _escaped(found[0]), text)


# Words that a CI system obeys anywhere in a line; those that begin one cannot stand there in JSON (planner.text_safe).
_COMMAND = re.compile(r"#(?=#\[|#vso\[)|s(?=ection_(?:start|end):)")


def _escaped(char: str) -> str:
    """All but the newlines between lines stand inside of strings, where JSON knows this form."""
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
