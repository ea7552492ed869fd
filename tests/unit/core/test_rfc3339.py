"""Times of APIs: what is one, and what lies between two."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from planner.rfc3339 import parse_time, seconds_between

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T12:00:00Z", NOON),
        ("2026-11-22T13:00:00+01:00", NOON),
        ("2026-11-22T12:00:00.000Z", NOON),
        ("2026-11-22T12:00:00", None),  # of no zone: of no moment
        ("2026-11-22", None),
        ("0001-01-01T00:00:00+14:00", None),  # before the first year
        ("9999-12-31T23:59:59-14:00", None),
        ("", None),
        (None, None),
        (5, None),
        ({"a": 1}, None),
    ],
)
def test_a_moment(text: object, moment: datetime | None) -> None:
    assert parse_time(text) == moment


def test_seconds() -> None:
    assert seconds_between("2026-11-22T12:00:00Z", "2026-11-22T13:00:01+01:00") == 1.0
    assert seconds_between("2026-11-22T12:00:02Z", "2026-11-22T12:00:00Z") == -2.0
    assert seconds_between("2026-11-22T12:00:00", "2026-11-22T12:00:00Z") is None
    assert seconds_between(None, "2026-11-22T12:00:00Z") is None
