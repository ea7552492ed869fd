"""A wall clock that is set forward or back changes no order, no wait and no end of an approval."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from planner.pull_requests.approvals import Approval, count_approvals
from planner.spec.pull_requests import ApprovalRules
from providers.github.rate_limits import WritePace, rate_limit_wait
from providers.github.send_requests import GitHubConnection
from providers.http.read_answer import HttpAnswer
from providers.http.retries import retry_after_seconds
from state import closeouts, lane_holds_and_targets, pull_requests
from state.state_store import StateStore

JUMPS = (-86_400.0, -3_600.0, -1.0, 0.0, 3_600.0, 86_400.0)
AT = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)
DATE = "Wed, 04 Nov 2026 12:00:00 GMT"
RULES = ApprovalRules(quorum=1, people=("olga",), expires="72h")


@pytest.mark.parametrize(
    ("hours", "until", "counts"),
    [
        (0, None, True),
        (72, None, True),
        (72.01, None, False),
        (-0.01, None, True),  # given now, by a clock that is ahead of ours
        (-48, None, True),
        (-72.01, None, False),  # ahead by more than an approval lasts: a clock that nobody can go by
        (5, 6, True),
        (7, 6, False),
        (1000, 2000, False),
    ],
)
def test_an_approval_counts_until_its_end_also_dated_ahead(hours: float, until: float | None, counts: bool) -> None:
    end = None if until is None else AT + timedelta(hours=until)
    found = count_approvals(
        [Approval("olga", "e" * 64, "a" * 40, AT, end)],
        RULES,
        head="a" * 40,
        effect="e" * 64,
        now=AT + timedelta(hours=hours),
    )
    assert bool(found.people) is counts and bool(found.withdrawn) is not counts
    if hours < 0:
        assert not any("expired" in one for one in found.withdrawn), "it has not even begun"


class _Web:
    def request(self, method: str, url: str, headers: dict[str, str], body: bytes) -> HttpAnswer:
        return HttpAnswer(200, {"date": DATE, "content-type": "application/json"}, b"{}")


@pytest.mark.parametrize("jump", JUMPS)
def test_the_time_of_the_server_goes_on_with_the_steady_clock(monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    steady = [1000.0]
    connection = GitHubConnection(_Web(), steady=lambda: steady[0])
    connection.get("/x")
    wall = time.time()
    monkeypatch.setattr(time, "time", lambda: wall + jump)
    steady[0] += 90
    assert 90 <= connection.server_time() - AT.timestamp() < 91  # a `Date` says whole seconds


@pytest.mark.parametrize("jump", JUMPS)
def test_waits_that_a_server_asks_for_are_measured_by_its_clock(monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    wall = time.time()
    monkeypatch.setattr(time, "time", lambda: wall + jump)
    reset = {"date": DATE, "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0"}
    reset["x-ratelimit-reset"] = str(int(AT.timestamp()) + 40)
    assert rate_limit_wait(403, reset, "") == 41.0
    assert retry_after_seconds({"date": DATE, "retry-after": "Wed, 04 Nov 2026 12:00:07 GMT"}) == 7.0
    slept: list[float] = []
    pace = WritePace(sleep=slept.append, clock=lambda: 50.0)
    pace.wait()
    pace.wait()
    assert slept == [1.0]


@pytest.fixture
def clock_that_goes_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each time the state asks, an hour less."""
    hours = count()

    def now() -> str:
        return (AT - timedelta(hours=next(hours))).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    for module in (closeouts, lane_holds_and_targets, pull_requests):
        monkeypatch.setattr(module, "utc_now_text", now)
    yield


@pytest.mark.usefixtures("clock_that_goes_back")
def test_what_was_written_last_is_the_newest(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "state.db") as store:
        for number in range(3):
            store.set_hold(f"shop/D1/v{number}", 1, "a" * 40, "why", run=1)
            store.pulls.append_delivery("shop/D1/v1", 17 + number, 1, "intended")
            store.append_closeout("shop/D1/v1", "a" * 40, lambda last, at=number: (f"sha256:{at}", "{}"))  # type: ignore[misc]
        assert [one.lane for one in store.holds()] == ["shop/D1/v2", "shop/D1/v1", "shop/D1/v0"]
        assert [one.pull for one in store.pulls.deliveries("shop/D1/v1")] == [19, 18, 17]
        assert [(one.number, one.digest) for one in store.closeouts("shop/D1/v1", limit=2)] == [
            (3, "sha256:2"),
            (2, "sha256:1"),
        ]
