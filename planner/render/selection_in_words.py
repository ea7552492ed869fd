"""How pages name what is looked at: the selection in words, the marker of its comment, a digest in short."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from planner.plan import Selection
from planner.text_safe import safe_text

_MOST_PLACES = 4  # named in the header


def selection_text(selection: Selection) -> str:
    """The text of a selection: `D601/v03`, `nodes D601 D602 / lanes v02 v03`, or the name of plain manifests."""
    if selection.name or not selection.nodes:
        return safe_text(selection.name or selection.product or "plan")
    if len(selection.nodes) == len(selection.lanes) == 1:
        return safe_text(f"{selection.nodes[0]}/{selection.lanes[0]}")
    return f"{_some('node', selection.nodes)} / {_some('lane', selection.lanes)}"


def plan_comment_marker(selection: Selection) -> str:
    """`hwplan:plan:PRODUCT.NODE.LANE`: the same for every plan of a selection, in letters that need no escape.

    What a name holds besides letters, digits, `_` and `+` is replaced, and distinguished by a digest.
    """
    parts = [selection.product or selection.name, "+".join(selection.nodes), "+".join(selection.lanes)]
    parts += ["+".join(selection.scopes), *selection.targets, *selection.exclude] if selection.targets else []
    name = ".".join(part for part in parts if part) or "plan"
    plain = re.sub(r"[^A-Za-z0-9_.+-]|-(?=-)", "_", name)[:120]
    reported = plain if plain == name else f"{plain}.{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:12]}"
    return f"hwplan:plan:{reported}"


def _some(noun: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_PLACES} more" if len(names) > _MOST_PLACES else ""
    return f"{noun}{'s' * (len(names) != 1)} {safe_text(' '.join(names[:_MOST_PLACES]))}{more}"


def short_digest(digest: str) -> str:
    """The first six characters of a digest, behind its algorithm."""
    return safe_text(digest.rpartition(":")[2][:6]) or "unknown"
