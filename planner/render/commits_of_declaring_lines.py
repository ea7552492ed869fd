"""Who wrote the lines that declare what a plan changes, newest words first: one sentence for each commit. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.field_path import render_path
from planner.render.git_change_under_review import DeclaringLine, GitChangeUnderReview
from planner.render.review_summary import NameOf
from planner.render.sentences_with_outside_names import OutsideText, Part, name_list

_MOST_LINES = 8  # of one commit
_MOST_OBJECTS = 4  # of one line


def declaring_commit_sentences(context: GitChangeUnderReview, name_of: NameOf) -> Iterator[Iterator[Part]]:
    """One sentence for each commit, in the order of the plan."""
    by_commit: dict[str, dict[str, list[DeclaringLine]]] = {}
    for one in context.lines:
        by_commit.setdefault(one.written, {}).setdefault(str(one.source), []).append(one)
    for written, lines in by_commit.items():
        yield _sentence(written, lines, name_of)


def _sentence(written: str, lines: dict[str, list[DeclaringLine]], name_of: NameOf) -> Iterator[Part]:
    yield "In "
    yield OutsideText(written)
    for at, (source, found) in enumerate(list(lines.items())[:_MOST_LINES]):
        yield "; " if at else ": "
        yield OutsideText(source)
        yield " declares "
        yield from _fields(found, name_of)
    yield f"; and {len(lines) - _MOST_LINES} more lines." if len(lines) > _MOST_LINES else "."


def _fields(found: Sequence[DeclaringLine], name_of: NameOf) -> Iterator[Part]:
    """The fields that a line declares, and of which objects."""
    yield from name_list(list(dict.fromkeys(render_path(one.path) for one in found)), _MOST_OBJECTS)
    yield " of "
    yield from name_list(list(dict.fromkeys(name_of(one.address) for one in found)), _MOST_OBJECTS)
