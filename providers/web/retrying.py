"""Bounded retries for calls that may be repeated, and the reading of Retry-After.

Owns only the waiting. Whether a call may be repeated is for its caller to know: a lost answer (OutcomeUnknown) is
never repeated here.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from planner.errors import TemporaryError
from providers.web.client import Answer

LONGEST = 30.0
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how long in all, in seconds; `first` is the first pause, doubled each time."""

    tries: int = 4
    first: float = 0.25
    total: float = 90.0
    sleep: Callable[[float], None] = time.sleep


DEFAULT_RETRIES = Retries()


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float:
    """Seconds that `Retry-After` asks for (RFC 9110, 10.2.3: seconds or a date), 0 to 30. Odd values are 0."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST) if math.isfinite(seconds) else 0.0


def busy(answer: Answer, where: str) -> TemporaryError:
    """The error for a status of `BUSY`."""
    return TemporaryError(f"the server answers {answer.status}", where=where, retry_after=retry_after(answer.headers))


def calmly(call: Callable[[], Answer], where: str, retries: Retries = DEFAULT_RETRIES) -> Answer:
    """The answer of an idempotent call; a busy server is asked again. Raises TemporaryError when it stays busy."""

    def once() -> Answer:
        answer = call()
        if answer.status in BUSY:
            raise busy(answer, where)
        return answer

    return repeated(once, retries)


def repeated(call: Callable[[], _T], retries: Retries = DEFAULT_RETRIES) -> _T:
    """What `call` gives, called again after each TemporaryError while tries and time last; then that error."""
    deadline = time.monotonic() + retries.total
    for attempt in range(retries.tries):
        try:
            return call()
        except TemporaryError as error:
            pause = error.retry_after or min(retries.first * 2**attempt, LONGEST) * _jitter()
            pause = min(pause, LONGEST)
            if attempt + 1 == retries.tries or time.monotonic() + pause > deadline:
                raise
            retries.sleep(pause)
    raise AssertionError("tries is at least 1")


def _jitter() -> float:
    """Between 0.5 and 1, so that parallel calls do not come back together."""
    return 0.5 + int.from_bytes(os.urandom(2), "big") / 0x1FFFE
