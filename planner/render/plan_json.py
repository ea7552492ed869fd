"""A plan as JSON: the very bytes of a plan file (see planner.plan_bytes) as text, with what guards say, and with a mask
in place of each value of a secret that the plan repeats in clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.address import Address
from planner.errors import GuardRefused
from planner.field_path import render_path
from planner.plan import Plan
from planner.plan_bytes import dump_shown_plan
from planner.render.git_change_under_review import NO_CHANGE_UNDER_REVIEW, GitChangeUnderReview
from planner.render.json_text import escape_invisible
from planner.text_safe import safe_text
from planner.values import JsonObject


def render_plan_json(
    plan: Plan,
    *,
    guards: Sequence[GuardRefused] = (),
    notes: Mapping[Address, str] | None = None,
    review: GitChangeUnderReview = NO_CHANGE_UNDER_REVIEW,
    for_terminal: bool = False,
) -> str:
    """The document of spec 05, "The plan as JSON", with one newline at its end.

    For a terminal, characters that it could obey are written as JSON escapes: the same document in other bytes, so
    that what is meant to be read again must not come from there. `guards` that will refuse the plan, `notes` of this
    machine about resources, the change that is reviewed and the lines that declare its fields stand in keys of their
    own, which neither id nor checksum are about.
    """
    said = [{"name": one.guard, "message": one.message, "remedy": one.remedy} for one in guards]
    noted: list[JsonObject] = [{"address": str(one), "message": note} for one, note in sorted((notes or {}).items())]
    text = dump_shown_plan(plan, guards=said, remarks=noted, change=_change(review), origins=_origins(review)).decode()
    return escape_invisible(text) if for_terminal else text


def _change(review: GitChangeUnderReview) -> JsonObject | None:
    """What is reviewed, as far as it is known; the time of the plan is none of it."""
    known = {
        "name": review.name, "title": review.title, "author": review.author, "head": review.head,
        "base": review.base, "baseName": review.base_name, "effect": "".join(review.headline),
    }  # fmt: skip
    return {key: safe_text(value) for key, value in known.items() if value} or None


def _origins(review: GitChangeUnderReview) -> list[JsonObject]:
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
