"""The one row that says who may write. Statements only; every function expects to be inside a transaction.

The token grows with every holder and with every forced unlock. Expiry alone takes nothing away from a holder: as long
as nobody took the lease, its token is still the newest and its writes are right.
"""

from __future__ import annotations

from planner.dataclass import dataclass
from state import process_identity
from state.sqlite_connection import Database, damaged_state_error
from state.timestamps import utc_now_text, utc_text_of_milliseconds, wall_clock_milliseconds

_TYPES = (int, str, str, str, str, str, int, int)
_FREE = "who = '', process = '', expires = 0"


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """The lease as the row has it. `expires` is wall time in milliseconds, `steady` the same moment on the boot's
    clock."""

    token: int
    who: str
    operation: str
    plan: str
    since: str
    process: str
    expires: int
    steady: int

    @property
    def is_free(self) -> bool:
        """Nobody holds it, or its holder is dead, or its time is over."""
        if not self.who:
            return True
        process = process_identity.parse_process_identity(self.process)
        if process is not None and process_identity.is_process_dead(process):
            return True
        return process_identity.has_lease_expired(process, self.expires, self.steady, wall_clock_milliseconds())

    def __str__(self) -> str:
        plan = f" of {self.plan}" if self.plan else ""
        until = utc_text_of_milliseconds(self.expires)
        return f"{self.who} ({self.operation}{plan}) since {self.since}, until {until}, lock id {self.token}"


def read_lease(database: Database) -> LeaseRow:
    """Read the lease row. Raises StateError where it is none that we have written."""
    columns = "token, who, operation, plan, since, process, expires, steady"
    rows = database.rows(f"SELECT {columns} FROM lease WHERE one = 1")  # noqa: S608 (constant)
    if not rows or tuple(map(type, rows[0])) != _TYPES:
        raise damaged_state_error(database.path)
    return LeaseRow(*rows[0])


def take_lease(database: Database, row: LeaseRow, operation: str, plan: str, seconds: float) -> int:
    """Make the lease ours if `row` is still what stands there; the new token."""
    milliseconds = int(seconds * 1000)
    values = (
        row.token + 1,
        process_identity.user_at_host(),
        operation,
        plan,
        utc_now_text(),
        process_identity.this_process().text(),
        wall_clock_milliseconds() + milliseconds,
        process_identity.milliseconds_since_boot() + milliseconds,
        row.token,
    )
    database.run(
        "UPDATE lease SET token = ?, who = ?, operation = ?, plan = ?, since = ?, process = ?, expires = ?, steady = ? "
        "WHERE one = 1 AND token = ?",
        values,
    )
    return row.token + 1


def renew_lease(database: Database, token: int, seconds: float) -> bool:
    """Extend the lease with `token`; False when that is not the newest token any more."""
    milliseconds = int(seconds * 1000)
    values = (
        wall_clock_milliseconds() + milliseconds,
        process_identity.milliseconds_since_boot() + milliseconds,
        token,
    )
    return (
        database.run("UPDATE lease SET expires = ?, steady = ? WHERE one = 1 AND token = ? AND who <> ''", values) == 1
    )


def release_lease(database: Database, token: int) -> bool:
    """End the lease with `token`; False when it was not ours any more."""
    return (
        database.run("UPDATE lease SET who = '', process = '', expires = 0 WHERE one = 1 AND token = ?", (token,)) == 1
    )


def revoke_lease(database: Database, token: int) -> bool:
    """End the lease with `token`, so that its holder can never write again; False when that is not who holds it."""
    sql = f"UPDATE lease SET token = token + 1, {_FREE} WHERE one = 1 AND token = ? AND who <> ''"  # noqa: S608 (constant)
    return database.run(sql, (token,)) == 1
