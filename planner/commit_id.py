"""Ids of git commits. Pure; knows no repository."""

from __future__ import annotations

import re

_FULL = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)


def is_commit_id(text: object) -> bool:
    """Whether this is a full object id of git: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits."""
    return isinstance(text, str) and _FULL.fullmatch(text) is not None
