"""Closeout records of rollouts: appended, never changed. One record for the same values, whoever writes it how often.

Holds bytes by lane and commit; what a record means is planner.rollout's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from planner.dataclass import dataclass
from planner.failpoint import hit_failpoint
from state.row_checksum import row_checksum, verify_checksum
from state.sqlite_connection import Database
from state.timestamps import utc_now_text

_COLUMNS = "lane, target, number, digest, at, record"


@dataclass(frozen=True, slots=True)
class StoredCloseout:
    """One record. `number` counts from 1 within lane and commit; `digest` is that of the record's values."""

    lane: str
    commit: str
    number: int
    digest: str
    at: str
    record: str = field(repr=False)


def append_closeout(
    database: Database, lane: str, commit: str, make: Callable[[str], tuple[str, str]]
) -> tuple[StoredCloseout, bool]:
    """Append a record, and give it with whether it is new.

    `make` gets the digest of the newest record of this key ("" for none) and gives digest and text of the one to write.
    Where the newest one has that digest already, nothing is written (C1).
    """
    hit_failpoint("closeout.write.begin")
    with database.transaction():
        newest = next(iter(find_closeouts(database, lane, commit, 1)), None)
        digest, record = make(newest.digest if newest else "")
        if newest is not None and newest.digest == digest:
            return newest, False
        row = (lane, commit, newest.number + 1 if newest else 1, digest, utc_now_text(), record)
        database.insert(f"INSERT INTO closeouts ({_COLUMNS}, seal)", [(*row, row_checksum(row))])
        hit_failpoint("closeout.write.commit")
    hit_failpoint("closeout.written")
    return StoredCloseout(*row), True


def find_closeouts(database: Database, lane: str = "", commit: str = "", limit: int = 10) -> tuple[StoredCloseout, ...]:
    """The newest records of a lane and a commit ("" for any), newest first. Raises StateError for a damaged row."""
    found = database.rows(
        f"SELECT {_COLUMNS}, seal FROM closeouts WHERE (? = '' OR lane = ?) AND (? = '' OR target = ?)"  # noqa: S608
        " ORDER BY rowid DESC LIMIT ?",
        (lane, lane, commit, commit, limit),
    )
    for row in found:
        verify_checksum(row_checksum(row[:-1]), str(row[-1]), "a closeout record of the state", database.path)
    return tuple(StoredCloseout(*row[:-1]) for row in found)
