"""The lease as its holder sees it: taken with patience, renewed while held, given back at the end of the block."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from planner.errors import LockedError, StateError
from planner.failpoint import hit_failpoint
from state import lease_row
from state.journal_writer import JournalWriter
from state.lease_row import LeaseRow
from state.sqlite_connection import Database

SECONDS = 30.0  # lifetime; renewed after a third
_LOOK_AGAIN = 0.2


class Lease:
    """The right to write, held by this process. A context manager that gives it back."""

    def __init__(self, database: Database, token: int, seconds: float) -> None:
        self.token = token
        self._database = database
        self.writer = JournalWriter(database, token, seconds)

    def check(self) -> None:
        """Raise LockedError when the lease is lost, or StateError when nothing can be written any more."""
        self.writer.submit(lambda database, items: None)

    def release(self) -> None:
        """Give the lease back. Nothing happens when it was lost; a second call does nothing."""
        if self.token == 0:
            return
        token, self.token = self.token, 0
        self.writer.close()
        try:
            with self._database.transaction() as database:
                lease_row.release_lease(database, token)
                hit_failpoint("lease.release.commit")
        except StateError:
            return  # it runs out by itself; the error that matters was raised by the write before
        hit_failpoint("lease.released")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def acquire_lease(
    database: Database,
    operation: str,
    plan_id: str,
    timeout: float,
    seconds: float = SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Lease:
    """Take the lease, waiting up to `timeout` seconds for its holder. Raises LockedError that says who holds it."""
    deadline = time.monotonic() + timeout
    while True:
        taken = _try(database, operation, plan_id, seconds)
        if isinstance(taken, int):
            hit_failpoint("lease.taken")
            return Lease(database, taken, seconds)
        left = deadline - time.monotonic()
        if left <= 0:
            raise locked_error(taken)
        sleep(min(_LOOK_AGAIN, left))


def locked_error(row: LeaseRow) -> LockedError:
    """The error that the state is locked, for who finds the lease taken: names its holder."""
    return LockedError(
        f"locked by {row}",
        remedy=f"wait with --lock-timeout, or if that run is gone for good: hwplan state unlock {row.token}",
    )


def _try(database: Database, operation: str, plan_id: str, seconds: float) -> int | LeaseRow:
    with database.transaction():
        row = lease_row.read_lease(database)
        if not row.is_free:
            return row
        token = lease_row.take_lease(database, row, operation, plan_id, seconds)
        hit_failpoint("lease.take.commit")
        return token
