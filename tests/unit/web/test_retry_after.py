"""Retry-After and bounded retries, without a network."""

from datetime import UTC, datetime

import pytest

from planner.errors import OutcomeUnknown, TemporaryError
from providers.http.read_answer import HttpAnswer
from providers.http.retries import RetryLimits, call_with_retries, repeat_on_temporary_error, retry_after_seconds

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 12 ", 12.0),
        ("3600", 30.0),
        ("9" * 400, 30.0),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("٣", 0.0),
        ("²", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("nan", 0.0),
        ("Mon, 23 Nov 2026 12:00:09 GMT", 9.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2126 12:00:00 GMT", 30.0),
        ("Mon, 23 Nov 2026 12:00:09", 9.0),
        ("Mon, 99 Nov 2026 12:00:09 GMT", 0.0),
        ("Mon, 23 Nov 99999 12:00:09 GMT", 0.0),
    ],
)
def test_retry_after(text: str, seconds: float) -> None:
    assert retry_after_seconds({"retry-after": text}, NOW) == seconds


def test_pauses_double_and_end() -> None:
    pauses: list[float] = []
    calls = 0

    def call() -> int:
        nonlocal calls
        calls += 1
        raise TemporaryError("busy")

    with pytest.raises(TemporaryError):
        repeat_on_temporary_error(call, RetryLimits(tries=5, first=1.0, total=1e6, sleep=pauses.append))
    assert calls == 5
    assert [0.5 * 2**n <= pause <= 2**n for n, pause in enumerate(pauses)] == [True] * 4


def test_no_pause_goes_beyond_the_budget() -> None:
    pauses: list[float] = []

    def call() -> int:
        raise TemporaryError("busy", retry_after=20.0)

    with pytest.raises(TemporaryError):
        repeat_on_temporary_error(call, RetryLimits(tries=50, total=10.0, sleep=pauses.append))
    assert pauses == []


def test_a_lost_answer_is_never_repeated() -> None:
    calls = 0

    def call() -> int:
        nonlocal calls
        calls += 1
        raise OutcomeUnknown("lost")

    with pytest.raises(OutcomeUnknown):
        repeat_on_temporary_error(call, RetryLimits(sleep=lambda _: None))
    assert calls == 1


def test_only_busy_statuses_are_asked_again() -> None:
    answers = [HttpAnswer(503, {"retry-after": "2"}, b""), HttpAnswer(429, {}, b""), HttpAnswer(404, {}, b"")]
    pauses: list[float] = []
    assert call_with_retries(lambda: answers.pop(0), "host", RetryLimits(sleep=pauses.append)).status == 404
    assert pauses[0] == 2.0
    assert len(pauses) == 2
