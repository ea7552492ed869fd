"""Failpoints: off they are nothing, armed they do what was asked, and no name is misspelt anywhere."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner import failpoint
from planner.errors import TemporaryError

ROOT = Path(failpoint.__file__).parent.parent


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoint.arm_failpoints("")


def test_every_registered_name_is_hit_in_the_source_and_every_hit_is_registered() -> None:
    places = (ROOT / "planner" / "executor", ROOT / "state", ROOT / "providers" / "kubernetes" / "operations")
    files = [file for place in places for file in place.glob("*.py")]
    groups = "state|lease|run|journal|node|exec|closeout|hold|target|pulls"
    found = set(re.findall(rf'"((?:{groups})\.[a-z.]+)"', "".join(file.read_text() for file in files)))
    assert found == set(failpoint.NAMES)
    assert len(failpoint.NAMES) == len(set(failpoint.NAMES))


def test_off_it_does_nothing_and_costs_nothing() -> None:
    failpoint.hit_failpoint("no such name")
    begin = time.perf_counter()
    for _ in range(100_000):
        failpoint.hit_failpoint("node.begin")
    assert time.perf_counter() - begin < 0.1 * 5, "a microsecond each would be 0.1 s"


def test_an_error_is_raised_at_the_named_occurrence_only() -> None:
    failpoint.arm_failpoints("node.begin=error:TemporaryError@2, node.end=error:OSError")
    failpoint.hit_failpoint("node.begin")
    with pytest.raises(TemporaryError, match=r"failpoint node\.begin"):
        failpoint.hit_failpoint("node.begin")
    failpoint.hit_failpoint("node.begin")
    for _ in range(2):
        with pytest.raises(OSError, match=r"failpoint node\.end"):
            failpoint.hit_failpoint("node.end")


def test_sleep_and_count() -> None:
    failpoint.arm_failpoints("*=count,node.begin=sleep:30")
    begin = time.monotonic()
    failpoint.hit_failpoint("node.begin")
    assert time.monotonic() - begin >= 0.03
    failpoint.hit_failpoint("node.end")
    failpoint.hit_failpoint("node.end")
    assert failpoint.failpoint_counts() == {"node.begin": 1, "node.end": 2}


@pytest.mark.parametrize(
    "spec",
    ["nope=kill", "node.begin", "node.begin=explode", "node.begin=error:Nope", "node.begin=error:int",
     "node.begin=sleep", "node.begin=kill@0", "node.begin=kill@x"],
)  # fmt: skip
def test_nonsense_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match=r"failpoint|OSError|milliseconds"):
        failpoint.arm_failpoints(spec)


def test_an_unknown_name_is_an_error_once_armed() -> None:
    failpoint.arm_failpoints("*=count")
    with pytest.raises(ValueError, match="nope"):
        failpoint.hit_failpoint("nope")
