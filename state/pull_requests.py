"""Pull requests of lanes as the state knows them: cycles, deliveries, and the memory of a monitor.

Holds texts by lane; what they mean is planner.pull_requests'. Cycles and deliveries are appended; of cycles that say
the same only the count and the time of the last one change (P19).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from planner.dataclass import dataclass
from planner.errors import StalePlan
from planner.failpoint import hit_failpoint
from state.row_checksum import row_checksum, verify_checksum
from state.sqlite_connection import Database
from state.timestamps import utc_now_text

_CYCLE = "lane, number, purpose, result, content, at, last, times, record"
_DELIVERY = "lane, pull, number, at, record"
_MEMORY = "lane, at, record"


@dataclass(frozen=True, slots=True)
class PullRequestCycle:
    """One cycle, or `times` of them that said the same, the last at `last`."""

    lane: str
    number: int
    purpose: str
    result: str
    content: str
    at: str
    last: str
    times: int
    record: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PullDelivery:
    """The newest step of one pull request; `number` counts its steps from 1."""

    lane: str
    pull: int
    number: int
    at: str
    record: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PullRequestRecords:
    """What the state holds of pull requests. Lanes are named as PRODUCT/NODE/LANE. All methods raise StateError."""

    database: Database

    def append_cycle(
        self, lane: str, purpose: str, result: str, content: str, record: str, *, repeats: bool
    ) -> PullRequestCycle:
        """Write a cycle of a monitor; one that `repeats` the newest is counted there."""
        with self.database.transaction() as database:
            return _append_cycle(database, lane, purpose, result, content, record, repeats=repeats)

    def cycles(self, lane: str, purpose: str = "", limit: int = 20) -> tuple[PullRequestCycle, ...]:
        """The newest cycles of a lane, of one purpose ("" for any), newest first."""
        return _cycles(self.database, lane, purpose, limit)

    def append_delivery(self, lane: str, pull: int, number: int, record: str) -> PullDelivery:
        """Write the next step of a delivery. Raises StalePlan when another monitor did meanwhile."""
        with self.database.transaction() as database:
            return _append_delivery(database, lane, pull, number, record)

    def deliveries(self, lane: str) -> tuple[PullDelivery, ...]:
        """How far each pull request of a lane is, the newest first; at most 200."""
        return _deliveries(self.database, lane, 200)

    def memory(self, lane: str) -> str:
        """What the monitor of a lane remembers, "" for nothing."""
        return _read_memory(self.database, lane)

    def write_memory(self, lane: str, record: str) -> None:
        """Replace it."""
        with self.database.transaction() as database:
            _write_memory(database, lane, record)


def _append_cycle(
    database: Database, lane: str, purpose: str, result: str, content: str, record: str, *, repeats: bool
) -> PullRequestCycle:
    """Write a cycle; one that `repeats` the newest of its lane is counted there. In a transaction."""
    last, now = next(iter(_cycles(database, lane, limit=1)), None), utc_now_text()
    if repeats and last is not None and (last.purpose, last.result, last.content) == (purpose, result, content):
        row = (lane, last.number, purpose, result, content, last.at, now, last.times + 1, last.record)
        values = (now, last.times + 1, row_checksum(row), lane, last.number)
        database.run("UPDATE pull_cycles SET last = ?, times = ?, seal = ? WHERE lane = ? AND number = ?", values)
        return PullRequestCycle(*row)
    row = (lane, last.number + 1 if last else 1, purpose, result, content, now, now, 1, record)
    database.insert(f"INSERT INTO pull_cycles ({_CYCLE}, seal)", [(*row, row_checksum(row))])
    hit_failpoint("pulls.cycle.commit")
    return PullRequestCycle(*row)


def _cycles(database: Database, lane: str, purpose: str = "", limit: int = 20) -> tuple[PullRequestCycle, ...]:
    """The newest cycles of a lane, of one purpose ("" for any), newest first. Raises StateError for a damaged row."""
    rows = database.rows(
        f"SELECT {_CYCLE}, seal FROM pull_cycles WHERE lane = ? AND (? = '' OR purpose = ?)"  # noqa: S608 (constants)
        " ORDER BY number DESC LIMIT ?",
        (lane, purpose, purpose, limit),
    )
    return tuple(PullRequestCycle(*_checked(row, "a cycle of the state", database)) for row in rows)


def _append_delivery(database: Database, lane: str, pull: int, number: int, record: str) -> PullDelivery:
    """Write the next step of a delivery, which has to have the next number. In a transaction.

    Raises StalePlan when another monitor wrote one meanwhile.
    """
    hit_failpoint("pulls.delivery.begin")
    found = database.rows("SELECT MAX(number) FROM pull_deliveries WHERE lane = ? AND pull = ?", (lane, pull))
    if number != (found[0][0] or 0) + 1:
        raise StalePlan(f"another monitor works on pull request {pull}", remedy="the next cycle looks again")
    row = (lane, pull, number, utc_now_text(), record)
    database.insert(f"INSERT INTO pull_deliveries ({_DELIVERY}, seal)", [(*row, row_checksum(row))])
    hit_failpoint("pulls.delivery.commit")
    return PullDelivery(*row)


def _deliveries(database: Database, lane: str, limit: int) -> tuple[PullDelivery, ...]:
    """The newest step of each pull request of a lane, the newest pull requests first. Raises StateError."""
    rows = database.rows(
        f"SELECT {_DELIVERY}, seal FROM pull_deliveries AS one WHERE lane = ? AND number ="  # noqa: S608 (constants)
        " (SELECT MAX(number) FROM pull_deliveries WHERE lane = one.lane AND pull = one.pull)"
        " ORDER BY rowid DESC LIMIT ?",
        (lane, limit),
    )
    return tuple(PullDelivery(*_checked(row, "a delivery of the state", database)) for row in rows)


def _read_memory(database: Database, lane: str) -> str:
    """What the monitor of a lane remembers, "" for nothing. Raises StateError."""
    for row in database.rows(f"SELECT {_MEMORY}, seal FROM pull_memory WHERE lane = ?", (lane,)):  # noqa: S608
        return str(_checked(row, "the memory of a monitor", database)[2])
    return ""


def _write_memory(database: Database, lane: str, record: str) -> None:
    """Replace what the monitor of a lane remembers. In a transaction."""
    row = (lane, utc_now_text(), record)
    database.run(
        f"INSERT OR REPLACE INTO pull_memory ({_MEMORY}, seal) VALUES (?, ?, ?, ?)",  # noqa: S608 (constants)
        (*row, row_checksum(row)),
    )
    hit_failpoint("pulls.memory.commit")


def _checked(row: Sequence[Any], what: str, database: Database) -> tuple[Any, ...]:
    verify_checksum(row_checksum(row[:-1]), str(row[-1]), what, database.path)
    return tuple(row[:-1])
