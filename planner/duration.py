"""Durations as people write them: `90s`, `5m`, `1h`, `1h30m`. Owns that one form (spec 05, output rules)."""

from __future__ import annotations

import re

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_LONGEST = 36_525 * 86400.0  # a hundred years: a longer one is a slip, and no clock can hold every number
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str) -> float:
    """Seconds, at most a hundred years of them. Raises ValueError naming the form for anything else."""
    position, total = 0, 0.0
    while match := _PART.match(text, position):
        total += float(match[1]) * _SECONDS[match[2]]
        position = match.end()
    if not text or position != len(text):
        raise ValueError(f"{text!r} is not a duration: write 90s, 5m or 1h30m")
    if total > _LONGEST:
        raise ValueError("a duration is at most a hundred years long")
    return total


def render_duration(seconds: float) -> str:
    """The shortest form: `0.4s`, `12s`, `3m05s`, `1h02m`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
