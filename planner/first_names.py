"""A list of names in a sentence that goes on after it: a reason is shortened at its end, where its cause stands."""

from __future__ import annotations

from collections.abc import Sequence

_MOST = 8


def first_names(names: Sequence[str]) -> str:
    """The names with commas between them; of many the first eight, and how many there are besides."""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
