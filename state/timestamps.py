"""Wall time as the state writes it. Leases do not trust it alone: see state.process_identity."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now_text() -> str:
    """The text of the current time: UTC ISO-8601 with milliseconds, ending in Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wall_clock_milliseconds() -> int:
    """Milliseconds since 1970 by the wall clock."""
    return time.time_ns() // 1_000_000


def utc_text_of_milliseconds(ms: int) -> str:
    """The text of a wall time in milliseconds since 1970, as UTC ISO-8601 with seconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
