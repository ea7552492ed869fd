"""GitHub's limits: which answers mean "later", how long, and one write a second (P18). Decides from headers alone.

Times that GitHub gives as clock times are compared with the `Date` of the same answer, so that a wrong clock of this
machine makes no difference.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from email.utils import parsedate_to_datetime

from planner.dataclass import dataclass

_NUMBER = re.compile(r"[0-9]{1,12}")
_SECONDARY = "secondary rate limit"
_SECONDARY_PAUSE = 60.0  # seconds; GitHub's advice where it names none
BETWEEN_WRITES = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class RateLimitQuota:
    """What is left of the primary limit, and the seconds until it is whole again."""

    limit: int
    remaining: int
    resets_in: float


def read_quota(headers: Mapping[str, str]) -> RateLimitQuota | None:
    """Read the rate limit quota from the headers of an answer; None where it tells of none."""
    found = [headers.get(f"x-ratelimit-{name}", "").strip() for name in ("limit", "remaining", "reset")]
    if not all(_NUMBER.fullmatch(text) for text in found):
        return None
    limit, remaining, resets = map(int, found)
    return RateLimitQuota(limit, remaining, max(0.0, resets - server_time_of_answer(headers)))


def server_time_of_answer(headers: Mapping[str, str]) -> float:
    """Seconds since the epoch by the server's clock; by ours where the answer has no readable date."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return time.time()


def rate_limit_wait(status: int, headers: Mapping[str, str], message: str, times: int = 0) -> float | None:
    """Seconds to wait when an answer means that a limit is reached, None when it means something else.

    `times` is how often it was the answer already: without a time from GitHub each pause is twice the one before.
    """
    if status not in (403, 429):
        return None
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    quota = read_quota(headers)
    if quota is not None and quota.remaining == 0:
        return quota.resets_in + 1.0
    if status == 429 or _SECONDARY in message.lower():
        return _SECONDARY_PAUSE * float(2**times)
    return None


@dataclass(slots=True)
class WritePace:
    """Lets one write begin at a time, and no sooner than a second after the one before."""

    between: float = BETWEEN_WRITES
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> None:
        """Return when a write may be sent."""
        with self._lock:
            now = self.clock()
            if now < self._next:
                self.sleep(self._next - now)
            self._next = max(now, self._next) + self.between
