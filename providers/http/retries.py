"""The one loop of bounded retries, and the reading of Retry-After.

Owns only the waiting. Whether a call may be repeated is for its caller to know: only a TemporaryError is, and a lost
answer (OutcomeUnknown) never.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from planner.dataclass import dataclass
from planner.errors import TemporaryError
from providers.http.read_answer import HttpAnswer

LONGEST = 30.0
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """How often and how long in all, in seconds; `first` is the first pause, doubled each time up to `longest`."""

    tries: int = 4
    first: float = 0.25
    total: float = 90.0
    longest: float = LONGEST
    sleep: Callable[[float], None] = time.sleep


DEFAULT_RETRIES = RetryLimits()


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float:
    """Seconds that `Retry-After` asks for (RFC 9110, 10.2.3: seconds or a date), 0 to 30. Odd values are 0."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST)
    if not text:
        return 0.0
    try:
        seconds = (_utc(text) - (now or _utc_of_answer(headers))).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST) if math.isfinite(seconds) else 0.0


def _utc_of_answer(headers: Mapping[str, str]) -> datetime:
    """The time by the clock that wrote the date in `Retry-After`; by ours where the answer does not tell it."""
    try:
        return _utc(headers["date"])
    except (KeyError, ValueError, TypeError, IndexError):
        return datetime.now(UTC)


def _utc(text: str) -> datetime:
    from email.utils import parsedate_to_datetime

    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def busy_error(answer: HttpAnswer, where: str) -> TemporaryError:
    """The error for an answer that says that the server is busy (one of the statuses `BUSY`)."""
    return TemporaryError(
        f"the server answers {answer.status}", where=where, retry_after=retry_after_seconds(answer.headers)
    )


def call_with_retries(call: Callable[[], HttpAnswer], where: str, retries: RetryLimits = DEFAULT_RETRIES) -> HttpAnswer:
    """The answer of an idempotent call; a busy server is asked again. Raises TemporaryError when it stays busy."""

    def once() -> HttpAnswer:
        answer = call()
        if answer.status in BUSY:
            raise busy_error(answer, where)
        return answer

    return repeat_on_temporary_error(once, retries)


def repeat_on_temporary_error(
    call: Callable[[], _T],
    retries: RetryLimits = DEFAULT_RETRIES,
    budget: Callable[[TemporaryError], float] | None = None,
) -> _T:
    """What `call` gives, called again after each TemporaryError while tries and time last; then that error.

    `budget` says how many seconds since the start an error may be waited for, at most `retries.total`.
    """
    began = time.monotonic()
    attempt = 0
    while True:
        try:
            return call()
        except TemporaryError as error:
            pause = error.retry_after or min(retries.first * 2**attempt, retries.longest) * _jitter()
            attempt += 1
            most = min(budget(error), retries.total) if budget else retries.total
            if attempt >= retries.tries or time.monotonic() - began + pause > most:
                raise
        retries.sleep(pause)


def _jitter() -> float:
    """Between 0.5 and 1, so that parallel calls do not come back together."""
    return 0.5 + int.from_bytes(os.urandom(2), "big") / 0x1FFFE
