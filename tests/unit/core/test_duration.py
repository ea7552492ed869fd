"""Durations as people write them."""

from __future__ import annotations

import pytest

from planner.duration import parse_duration, render_duration


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("1h30m", 5400.0), ("1.5d", 129_600.0), ("250ms", 0.25)])
def test_reads(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert parse_duration(render_duration(seconds)) == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("text", ["", "5", "s", "1h x", "-1s", "\u0669s", "40000d", "9" * 400 + "s"])
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)
