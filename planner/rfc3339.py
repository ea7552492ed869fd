"""Times as APIs write them (RFC 3339): text to a moment, and the seconds between two. Pure; knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(text: object) -> datetime | None:
    """The moment, in UTC; None for anything but a text with date, time and offset that a datetime can hold."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def seconds_between(begin: object, end: object) -> float | None:
    """Seconds from one time to another, below 0 when it is the earlier one; None where one is missing or is none."""
    began, ended = parse_time(begin), parse_time(end)
    return None if began is None or ended is None else (ended - began).total_seconds()
