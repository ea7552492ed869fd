"""A text that is made when it is asked for, and what a reading does with it."""

from __future__ import annotations

from planner.late_text import LateText


def test_it_is_made_once_and_only_when_asked() -> None:
    made: list[str] = []

    def make() -> str:
        made.append("made")
        return "text"

    late = LateText(make)
    assert not made
    assert (str(late), str(late), repr(late), made) == ("text", "text", "'text'", ["made"])


def test_it_equals_its_text() -> None:
    late = LateText(lambda: "text")
    assert late == "text" == late
    assert late == LateText(lambda: "text") != LateText(lambda: "other")
    assert hash(late) == hash("text")
    assert late != 1
