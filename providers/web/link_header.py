"""The `Link` header of an answer (RFC 8288): where the next page of a list is. Pure."""

from __future__ import annotations

import re

_PIECE = re.compile(r'<[^<>]*>|"(?:[^"\\]|\\.)*"|[,;]|[^<>",;]+')


def next_link(header: str) -> str | None:
    """The URL of the next page, from a `Link` header: the target of the link whose relation is `next`, as it stands
    there; None when there is none."""
    target: str | None = None
    parameter = ""
    for piece in (*_PIECE.findall(header), ","):
        if piece[0] == "<":
            target, parameter = piece[1:-1], ""
        elif piece not in (",", ";"):
            parameter += piece
        elif target is not None and _is_next(parameter):
            return target
        else:
            target, parameter = None if piece == "," else target, ""
    return None


def _is_next(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip().lower() == "rel" and "next" in value.strip().strip('"').lower().split()
