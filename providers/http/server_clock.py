"""The clock of a server, as the `Date` of its answers tells it (RFC 9110, 6.6.1). Ours may be set to anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta

from planner.dataclass import dataclass


@dataclass(slots=True)
class ServerClock:
    """The time of one server, from its last answer on by the steady clock. Threads may share it."""

    steady: Callable[[], float] = field(default=time.monotonic)
    _last: tuple[str, float] | None = None

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take the time from the headers of an answer; nothing where they have none."""
        if date := headers.get("date"):
            self._last = date, self.steady()  # read only when somebody asks: most commands never do

    def now(self) -> datetime | None:
        """The time of the server in UTC, never later than it is there and at most a second and the way of the answer
        earlier; None where no answer told it."""
        if self._last is None:
            return None
        from email.utils import parsedate_to_datetime

        date, heard = self._last
        try:
            told = parsedate_to_datetime(date)
            told = told if told.tzinfo else told.replace(tzinfo=UTC)
            return told.astimezone(UTC) + timedelta(seconds=max(0.0, self.steady() - heard))
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
