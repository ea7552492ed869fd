"""Group commit: one thread writes what many threads hand in, as many entries per transaction as are waiting.

Every transaction first renews the lease by its token; when that changes no row, the lease belongs to somebody else,
nothing is written, and nothing will be ever again. The same thread renews the lease while nobody writes. After the
first error nothing more is written: a sync that failed once must not be believed the second time (fault F29).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from planner.errors import HwplanError, LockedError, StateError
from planner.failpoint import hit_failpoint
from state import lease_row
from state.sqlite_connection import Database

Write: TypeAlias = Callable[[Database, Sequence[Any]], None]
_GATHER = 0.25  # of the time of the last transaction
_SLOW = 0.02  # seconds


class _Batch:
    """Entries that become durable together."""

    __slots__ = ("done", "entries", "error", "waiters")

    def __init__(self) -> None:
        self.entries: list[tuple[Write, Any]] = []
        self.waiters: set[int] = set()  # threads
        self.done = threading.Event()
        self.error: HwplanError | None = None


class JournalWriter:
    """Writes journal entries under the lease with `token`. `seconds` is the lifetime of the lease, renewed after a
    third of it."""

    def __init__(self, database: Database, token: int, seconds: float) -> None:
        self._database = database
        self._token = token
        self._seconds = seconds
        self._wake = threading.Condition()
        self._open = _Batch()
        self._error: HwplanError | None = None
        self._closed = False
        self.commits = 0
        self._took = 0.0  # seconds of the last transaction
        self._last: set[int] = set()
        self._crowd = 0  # threads that waited for one of the last two transactions
        self._thread = threading.Thread(target=self._loop, name="hwplan-state", daemon=True)
        self._thread.start()

    def submit(self, write: Write, item: Any = None, *, durable: bool = True) -> None:
        """Hand in an item that `write` will write, together with those before and after it that have the same `write`.

        With `durable` return when it is on disk, else at once. The order of items is retained.

        Raises what made writing impossible: LockedError when the lease is lost, StateError otherwise. An entry that was
        not waited for reports its error at the next call.
        """
        with self._wake:
            self._check()
            batch = self._open
            batch.entries.append((write, item))
            if durable:
                batch.waiters.add(threading.get_ident())
            self._wake.notify()
        if durable:
            batch.done.wait()
            if batch.error is not None:
                raise _again(batch.error)

    @property
    def error(self) -> HwplanError | None:
        """Why nothing can be written any more, or None."""
        return self._error

    def close(self) -> None:
        """Write what is left, then end the thread. Does not raise: ask `error`."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _check(self) -> None:
        if self._error is not None:
            raise _again(self._error)
        if self._closed:
            raise StateError("the lease was given back; nothing can be written under it")

    def _loop(self) -> None:
        while (batch := self._next()) is not None:
            try:
                self._write(batch)
            except HwplanError as error:
                self._fail(batch, error)
            except Exception as error:
                self._fail(batch, StateError(f"the state cannot be written: {type(error).__name__}"))
            batch.done.set()

    def _next(self) -> _Batch | None:
        """The entries that wait, or an empty batch when it is time to renew the lease; None when it is all over."""
        with self._wake:
            if not self._open.entries and not self._closed and self._error is None:
                self._wake.wait(self._seconds / 3)
            self._gather()
            batch, self._open = self._open, _Batch()
            if self._error is not None:
                batch.error = self._error
                batch.done.set()
            over = self._error is not None or (self._closed and not batch.entries)
            return None if over else batch

    def _gather(self) -> None:
        """Give those who were just released a moment to come back: else they and those who waited meanwhile form two
        groups that take turns, and every transaction carries half of what it could."""
        end = time.monotonic() + self._took * _GATHER
        while self._crowd > 1 and len(self._open.waiters) < self._crowd and not self._closed:
            if (left := end - time.monotonic()) <= 0:
                return
            self._wake.wait(left)

    def _write(self, batch: _Batch) -> None:
        begin = time.monotonic()
        hit_failpoint("journal.batch.begin" if batch.entries else "lease.renew.commit")
        with self._database.transaction() as database:
            if not lease_row.renew_lease(database, self._token, self._seconds):
                raise lost_lease_error()
            hit_failpoint("journal.batch.fenced")
            for write, group in groupby(batch.entries, key=itemgetter(0)):
                write(database, [item for _, item in group])
            hit_failpoint("journal.batch.commit")
        self.commits += 1
        self._took = min(time.monotonic() - begin, _SLOW)
        self._crowd, self._last = len(self._last | batch.waiters), batch.waiters
        hit_failpoint("journal.batch.committed" if batch.entries else "lease.renewed")

    def _fail(self, batch: _Batch, error: HwplanError) -> None:
        with self._wake:
            self._error = batch.error = error


def lost_lease_error() -> LockedError:
    """The error of a holder whose lease was taken over."""
    return LockedError(
        "the lease was taken over by another run; this run writes nothing any more",
        remedy="see `hwplan state history`, then plan again",
    )


def _again(error: HwplanError) -> HwplanError:
    """The same error for another thread: one exception object must not be raised in two at once."""
    return type(error)(error.message, where=error.where, remedy=error.remedy)
