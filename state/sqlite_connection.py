"""The one SQLite connection of a process, its settings and its errors. The only module that names SQLite's pragmas.

TRUNCATE with EXTRA: of all settings that keep every acknowledged commit through power loss, the fastest that does not
depend on WAL, which has a corruption bug in the SQLite of many systems (reliability, findings 1 and 2). Statements
elsewhere are plain SQL with `?`, so that a PostgreSQL connection can stand behind the same three methods.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from planner.errors import StateError

APPLICATION_ID = 0x4857504C  # "HWPL", so that `file` and we can determine a state from any other database
BUSY_SECONDS = 30.0
_ROWS = 64  # in one statement

Row: TypeAlias = tuple[Any, ...]

_SETTINGS = (
    "PRAGMA journal_mode = TRUNCATE",
    "PRAGMA synchronous = EXTRA",
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)
_WORDS = {
    "SQLITE_FULL": ("the disk is full", "make room, then `hwplan apply --resume`"),
    "SQLITE_BUSY": ("another program holds the file", "close the program that reads it, then try again"),
    "SQLITE_READONLY": ("the file cannot be written", "check its mode and the file system"),
    "SQLITE_CANTOPEN": ("the file cannot be opened", "check the folder's mode and that a journal can be made in it"),
    "SQLITE_NOTADB": ("it is not a state file, or it is damaged", "restore it from a backup"),
    "SQLITE_CORRUPT": ("the file is damaged", "restore it from a backup"),
    "SQLITE_IOERR": ("the disk reported an error", "check the disk, then `hwplan apply --resume`"),
}


class Database:
    """A connection that many threads may use, one transaction at a time. It must not be carried over a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with sqlite_errors_translated(path):
            self._raw = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                for setting in _SETTINGS:
                    self._raw.execute(setting)
            except sqlite3.Error:
                self._raw.close()
                raise

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        """Execute one statement; how many rows it changed."""
        return self._raw.execute(sql, values).rowcount

    def insert(self, head: str, rows: Sequence[Row], tail: str = "") -> None:
        """Insert many rows by few statements: each call gives up the interpreter and waits to get it back.

        `head` is the statement up to VALUES, `tail` what follows the rows.
        """
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            marks = "(" + ", ".join("?" * len(part[0])) + ")"
            self.run(f"{head} VALUES {', '.join([marks] * len(part))} {tail}", [value for row in part for value in row])

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query. Raises StateError."""
        with self._lock, sqlite_errors_translated(self.path):
            return self._raw.execute(sql, values).fetchall()

    def pragma(self, name: str) -> Any:
        """The value of a pragma that has one."""
        with self._lock, sqlite_errors_translated(self.path):
            return self._raw.execute(f"PRAGMA {name}").fetchone()[0]

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """A write transaction: taken at once, durable when the block ends, rolled back when it raises."""
        with self._lock, sqlite_errors_translated(self.path):
            self._raw.execute("BEGIN IMMEDIATE")
            try:
                yield self
                self._raw.execute("COMMIT")
            except BaseException:
                if self._raw.in_transaction:
                    self._raw.execute("ROLLBACK")
                raise

    def copy_to(self, path: Path) -> None:
        """Copy a consistent state of the whole database into the empty file `path`. Raises StateError."""
        with self._lock, sqlite_errors_translated(path):
            target = sqlite3.connect(path)
            try:
                self._raw.backup(target)
            finally:
                target.close()

    def close(self) -> None:
        """Close the connection. Nothing can be asked afterwards."""
        with self._lock:
            self._raw.close()


@contextmanager
def sqlite_errors_translated(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into StateError, by their code; their text is not passed on."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", None) or type(error).__name__
        known = next((key for key in _WORDS if code.startswith(key)), "")
        if not known and "decode to UTF-8" in str(error):  # the module's own error, without a code of SQLite
            raise damaged_state_error(path) from None
        words, remedy = _WORDS.get(known, (f"SQLite says {code}", ""))
        raise StateError(f"the state cannot be used: {words}", where=str(path), remedy=remedy) from None
    except UnicodeDecodeError:  # a text, or the schema, in bytes that are none
        raise damaged_state_error(path) from None


def damaged_state_error(path: Path) -> StateError:
    """The error for a file that SQLite takes, and whose content nothing of ours has written."""
    words, remedy = _WORDS["SQLITE_CORRUPT"]
    return StateError(f"the state cannot be used: {words}", where=str(path), remedy=remedy)
