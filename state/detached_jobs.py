"""Jobs: commands that go on without their client. Statements, and what is read by them.

A record is written before the process is started, by the process when it begins, and when it ends. A job whose process
is gone without an end is `died`, whoever looks and whenever: the record stays true when client or runner are killed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from planner import __version__
from planner.dataclass import dataclass
from planner.errors import SelectionError
from state import process_identity
from state.row_checksum import row_checksum, verify_checksum
from state.sqlite_connection import Database, Row
from state.timestamps import utc_now_text

_COLUMNS = "number, name, command, who, tool, created, process, started, ended, code"
_BEGINS_WITHIN = 60.0  # seconds
_QUEUED = "queued "  # before the moment at which a job was made that has not begun
_STATES = {0: "succeeded", 3: "refused", 4: "pending", 130: "cancelled"}


@dataclass(frozen=True, slots=True)
class DetachedJob:
    """A command that goes on without its client. `process` says until it began when it was made, by the clock of that
    boot (an older version left it empty); `ended` and `code` are empty until it ended."""

    number: int
    name: str
    command: tuple[str, ...]
    who: str
    tool: str
    created: str
    process: str = ""
    started: str = ""
    ended: str = ""
    code: int | None = None

    @property
    def id(self) -> str:
        """The word for it."""
        return f"job-{self.number}"

    @property
    def pid(self) -> int | None:
        """Its process, where one began."""
        found = process_identity.parse_process_identity(self.process)
        return found.pid if found else None

    @property
    def state(self) -> str:
        """`queued`, `running`, `died` (its process is gone without an end), or how it ended: `succeeded`, `pending`,
        `refused`, `cancelled`, `failed`."""
        if self.code is not None:
            return _STATES.get(self.code, "failed")
        if not self.process or self.process.startswith(_QUEUED):
            return "died" if self._is_stale() else "queued"
        found = process_identity.parse_process_identity(self.process)
        return "died" if found is not None and process_identity.is_process_dead(found) else "running"

    def _is_stale(self) -> bool:
        """Whether it should have begun long ago. Seen from another boot by the wall clock, which may have jumped."""
        waited = process_identity.seconds_since_moment(self.process.removeprefix(_QUEUED))
        if waited is None:
            created = datetime.fromisoformat(self.created)
            waited = (datetime.fromisoformat(utc_now_text()) - created).total_seconds()
        return waited > _BEGINS_WITHIN

    @property
    def ok(self) -> bool | None:
        """Whether it did what was asked; None while that is open."""
        return None if self.state in ("queued", "running") else self.state == "succeeded"

    def row(self) -> Row:
        """The row without its seal."""
        command = json.dumps(list(self.command))
        head = (self.number, self.name, command, self.who, self.tool, self.created)
        return (*head, self.process, self.started, self.ended, self.code)


def create_detached_job(database: Database, name: str, command: Sequence[str]) -> DetachedJob:
    """Write a new job that has not begun. In a transaction."""
    number = int(database.rows("SELECT coalesce(max(number), 0) + 1 FROM jobs")[0][0])
    queued = f"{_QUEUED}{process_identity.moment_of_boot()}"
    who = process_identity.user_at_host()
    job = DetachedJob(number, name, tuple(command), who, __version__, utc_now_text(), queued)
    _write(database, job)
    return job


def begin_detached_job(database: Database, number: int) -> DetachedJob:
    """Write that this process carries the job out. Raises SelectionError when another one does or did."""
    job = find_job_by_number(database, number)
    if job.state != "queued":
        raise SelectionError(f"{job.id} is {job.state}", remedy="hwplan job status shows what became of it")
    begun = replace(job, process=process_identity.this_process().text(), started=utc_now_text())
    _write(database, begun)
    return begun


def end_detached_job(database: Database, number: int, code: int) -> None:
    """Write how the job ended; the first end stays. In a transaction."""
    job = find_job_by_number(database, number)
    if job.code is None:
        _write(database, replace(job, ended=utc_now_text(), code=code))


def find_job_by_number(database: Database, number: int) -> DetachedJob:
    """The detached job with a number. Raises SelectionError when there is none, StateError when its record was
    changed."""
    found = _read(database, "WHERE number = ?", (number,))
    if not found:
        raise SelectionError(f"there is no job-{number}", remedy="hwplan job list shows those that there are")
    return found[0]


def newest_jobs(database: Database, limit: int) -> tuple[DetachedJob, ...]:
    """The newest jobs, newest first."""
    return _read(database, "ORDER BY number DESC LIMIT ?", (limit,))


def _read(database: Database, tail: str, values: Sequence[object]) -> tuple[DetachedJob, ...]:
    found = []
    for row in database.rows(f"SELECT {_COLUMNS}, seal FROM jobs {tail}", values):  # noqa: S608 (constants)
        verify_checksum(row_checksum(row[:-1]), row[-1], f"the record of job-{row[0]}", database.path)
        found.append(DetachedJob(row[0], row[1], tuple(json.loads(row[2])), *row[3:-1]))
    return tuple(found)


def _write(database: Database, job: DetachedJob) -> None:
    row = job.row()
    database.run("DELETE FROM jobs WHERE number = ?", (job.number,))
    database.insert(f"INSERT INTO jobs ({_COLUMNS}, seal)", [(*row, row_checksum(row))])
