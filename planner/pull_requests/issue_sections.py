"""Parts of one issue that several commands write, each its own (B11): one for each node that reports for a lane. Pure.

A part stands between two lines of ours, the first of which says whose it is and whether it is open. Text of others in a
part cannot hold such a line, because it is made safe before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from planner.dataclass import dataclass

_BEGIN = re.compile(r"<!-- hwplan:section:([a-z0-9][-a-z0-9.]*):(open|closed) -->")
_END = "<!-- hwplan:section-end -->"


@dataclass(frozen=True, slots=True)
class IssueSection:
    """The section of one node in the body of an issue: its name and text; `is_open` while something in it is to be
    done."""

    name: str
    text: str
    is_open: bool


def parse_issue_sections(body: str) -> tuple[IssueSection, ...]:
    """Read the sections in the body of an issue, in their order; of two with one name the first counts. One without an
    end is none."""
    found: dict[str, IssueSection] = {}
    begun: re.Match[str] | None = None
    lines: list[str] = []
    for line in body.replace("\r\n", "\n").split("\n"):
        if match := _BEGIN.fullmatch(line.strip()):
            begun, lines = match, []
        elif line.strip() == _END:
            if begun is not None:
                found.setdefault(begun[1], IssueSection(begun[1], "\n".join(lines).strip(), begun[2] == "open"))
            begun = None
        else:
            lines.append(line)
    return tuple(found.values())


def replace_or_add_issue_section(sections: Iterable[IssueSection], mine: IssueSection) -> tuple[IssueSection, ...]:
    """Put `mine` among the sections, in place of the one of its name if there is one; sorted by name."""
    return tuple(sorted((*(one for one in sections if one.name != mine.name), mine), key=lambda one: one.name))


def issue_body_of_sections(sections: Iterable[IssueSection]) -> str:
    """Make the body of an issue of its sections, without the marker of the issue."""
    return "\n\n".join(
        f"<!-- hwplan:section:{one.name}:{'open' if one.is_open else 'closed'} -->\n{one.text}\n{_END}"
        for one in sections
    )
