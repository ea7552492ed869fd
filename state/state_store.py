"""The state store: the one interface to durable memory. Opens, creates and checks the file; the nouns have modules."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from planner.address import Address
from planner.applied_state import AppliedRecord, AppliedState
from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import SelectionError, StateError
from planner.failpoint import hit_failpoint
from planner.plan import Change, Plan
from planner.ports import Fingerprinter
from state import (
    applied_records,
    closeouts,
    detached_jobs,
    lane_holds_and_targets,
    lease,
    lease_row,
    migrate,
    runs,
    state_file_location,
)
from state.applied_records import AppliedResourceVersion
from state.closeouts import StoredCloseout
from state.detached_jobs import DetachedJob
from state.fingerprint import KeyedFingerprinter
from state.lane_holds_and_targets import LaneHold, RolloutTarget
from state.lease import Lease
from state.pull_requests import PullRequestRecords
from state.row_checksum import row_checksum, verify_checksum
from state.run_journal import RunJournal
from state.runs import JournaledNode, RunInfo, UnfinishedRun
from state.sqlite_connection import Database
from state.timestamps import utc_now_text

_KEY_BYTES = 32
WELL = "done"  # the outcome of a run that left nothing to do


@dataclass(frozen=True, slots=True)
class RunRecorder:
    """A run that is being written. `observer` is its journal: hand it all events, before any other observer."""

    number: int
    observer: RunJournal
    _lease: Lease

    def end(self, outcome: str) -> None:
        """Write how it ended (`done`, or a word of the caller's), durable on return. Raises LockedError, StateError."""
        hit_failpoint("run.end.commit")
        self._lease.writer.submit(lambda database, items: runs.end_run(database, self.number, outcome))
        hit_failpoint("run.ended")


class StateStore:
    """The open state: applied records, runs, leases, jobs. Threads may share it; processes open their own, also after a
    fork."""

    def __init__(self, database: Database) -> None:
        self._database = database
        found = database.rows("SELECT lineage, key, created, seal FROM meta")
        lineage, key, created, retained = found[0] if found else ("", "", "", "")
        verify_checksum(row_checksum((lineage, key, created)), retained, "the identity of the state", database.path)
        self.lineage: str = lineage
        self.created: str = created
        self._key = bytes.fromhex(key)

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open the state at `path`, or create it. Raises StateError when what is there cannot be trusted."""
        place = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow the very links that are refused)
        state_file_location.prepare_state_folder(place.parent)
        state_file_location.refuse_network_filesystem(place.parent)
        if not state_file_location.check_state_file(place):
            _create(place)
            state_file_location.check_state_file(place)
        database = Database(place)
        try:
            migrate.check_schema_version(database)
            migrate.migrate_schema(database)
            return cls(database)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Close the file. Give the lease back first."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fingerprinter(self) -> Fingerprinter:
        """The keyed fingerprints of this state."""
        return KeyedFingerprinter(self._key)

    def check(self) -> None:
        """Look at every page of the file (time grows with its size). Raises StateError when it is damaged."""
        found = self._database.pragma("integrity_check")
        if found != "ok":
            raise StateError(
                "the state file is damaged", where=str(self._database.path), remedy="restore it from a backup"
            )

    # What was applied

    def snapshot(self, owned: Collection[str]) -> AppliedState:
        """The current records of the owned sets."""
        return applied_records.read_applied_state(self._database, owned)

    def records(self) -> tuple[AppliedRecord, ...]:
        """All current records, by address."""
        return applied_records.current_records(self._database)

    def versions(self, *, address: Address | None = None, run: int | None = None) -> tuple[AppliedResourceVersion, ...]:
        """What was applied to a resource or by a run, oldest first: the pre-images for `undo`."""
        return applied_records.applied_versions(self._database, address, run)

    def forget(self, address: Address) -> None:
        """Drop the record of a resource; the live object is not touched. Raises LockedError, SelectionError."""
        with self._database.transaction() as database:
            row = lease_row.read_lease(database)
            if not row.is_free:
                raise lease.locked_error(row)
            if not applied_records.forget_resource(database, str(address)):
                raise SelectionError("the state has no record of this", where=str(address), remedy="hwplan state list")
            database.run("UPDATE meta SET serial = serial + 1")

    # Closeout records of rollouts

    def append_closeout(
        self, lane: str, commit: str, make: Callable[[str], tuple[str, str]]
    ) -> tuple[StoredCloseout, bool]:
        """Append a closeout record (state.closeouts.append_closeout). Needs no lease: what is there is not changed."""
        return closeouts.append_closeout(self._database, lane, commit, make)

    def closeouts(self, lane: str = "", commit: str = "", limit: int = 10) -> tuple[StoredCloseout, ...]:
        """The newest closeout records, newest first."""
        return closeouts.find_closeouts(self._database, lane, commit, limit)

    # What a lane is to stand on

    def hold(self, lane: str) -> LaneHold | None:
        """The newest hold or release of a lane; None where it was never held."""
        return lane_holds_and_targets.newest_lane_hold(self._database, lane)

    def holds(self, lane: str = "", limit: int = 50) -> tuple[LaneHold, ...]:
        """The newest holds and releases, newest first."""
        return lane_holds_and_targets.hold_history(self._database, lane, limit)

    def set_hold(self, lane: str, number: int, commit: str, reason: str, run: int = 0) -> LaneHold:
        """Hold a lane under the next number. Raises StalePlan when somebody else held or released it meanwhile."""
        with self._database.transaction() as database:
            return lane_holds_and_targets.append_hold(
                database, lane, number, "set", commit=commit, reason=reason, run=run
            )

    def release_hold(self, lane: str, number: int) -> LaneHold:
        """Release a lane under the next number. Raises StalePlan as set_hold does."""
        with self._database.transaction() as database:
            return lane_holds_and_targets.append_hold(database, lane, number, "released")

    def record_rollout_target(self, lane: str, commit: str) -> RolloutTarget:
        """Write what is rolled out next. Needs no lease: whoever holds it reads this, and gives it up (B2)."""
        with self._database.transaction() as database:
            return lane_holds_and_targets.record_rollout_target(database, lane, commit)

    def target(self, lane: str) -> RolloutTarget | None:
        """What a lane is to be brought to now."""
        return lane_holds_and_targets.newest_rollout_target(self._database, lane)

    @property
    def pulls(self) -> PullRequestRecords:
        """Pull requests of lanes: cycles of their monitors, deliveries, and what a monitor remembers."""
        return PullRequestRecords(self._database)

    # Who may write

    def acquire(self, operation: str, plan_id: str = "", timeout: float = 0.0, seconds: float = lease.SECONDS) -> Lease:
        """Take the lease for `operation`, waiting up to `timeout` seconds; it lives `seconds` and renews itself.

        Checks the whole file first: nothing is applied on the word of a damaged state. Raises LockedError, StateError.
        """
        self.check()
        return lease.acquire_lease(self._database, operation, plan_id, timeout, seconds)

    def holder(self) -> str:
        """Who holds the lease, what for, since when and under which lock id; "" when nobody does."""
        row = lease_row.read_lease(self._database)
        return "" if row.is_free else str(row)

    def unlock(self, token: int) -> None:
        """End the lease with this lock id; its holder can never write again. Raises SelectionError."""
        with self._database.transaction() as database:
            if not lease_row.revoke_lease(database, token):
                raise SelectionError(
                    f"there is no lock with id {token}",
                    remedy="the refused command names the lock id",
                )

    # Runs

    def begin_run(
        self,
        held: Lease,
        plan_id: str,
        plan: Plan,
        document: bytes,
        *,
        operation: str = "apply",
        resumes: int | None = None,
    ) -> RunRecorder:
        """Write down that `plan` (its id, and its secret-free JSON document) is being applied under the lease.

        `resumes` is the number of the run it goes on with. Raises LockedError, StateError.
        """
        numbers: list[int] = []

        def write(database: Database, _: object) -> None:
            numbers.append(
                runs.begin_run(database, (held.token, operation), plan_id, document, plan.selection, resumes)
            )
            hit_failpoint("run.begin.commit")

        held.writer.submit(write)
        hit_failpoint("run.begun")
        changes: Mapping[Address, Change] = {change.address: change for change in plan.changes}
        return RunRecorder(numbers[0], RunJournal(held.writer, numbers[0], changes), held)

    def create_detached_job(self, name: str, command: Sequence[str]) -> DetachedJob:
        """Write down a command that is about to be started without its client."""
        with self._database.transaction() as database:
            return detached_jobs.create_detached_job(database, name, command)

    def begin_detached_job(self, number: int) -> DetachedJob:
        """Write that this process carries a job out. Raises SelectionError when another one does."""
        with self._database.transaction() as database:
            return detached_jobs.begin_detached_job(database, number)

    def end_detached_job(self, number: int, code: int) -> None:
        """Write the exit code of a job."""
        with self._database.transaction() as database:
            detached_jobs.end_detached_job(database, number, code)

    def job(self, number: int) -> DetachedJob:
        """A job by its number. Raises SelectionError."""
        return detached_jobs.find_job_by_number(self._database, number)

    def jobs(self, limit: int = 50) -> tuple[DetachedJob, ...]:
        """The newest jobs, newest first."""
        return detached_jobs.newest_jobs(self._database, limit)

    def history(self, limit: int = 50) -> tuple[RunInfo, ...]:
        """The newest runs, newest first."""
        return runs.run_history(self._database, limit)

    def run(self, number: int) -> RunInfo | None:
        """A run by its number."""
        return runs.find_run_by_number(self._database, number)

    def run_plan(self, number: int) -> bytes:
        """The plan of a run as it was stored; empty when there is none, or it is too old to be retained."""
        return runs.stored_plan_of_run(self._database, number)

    def nodes(self, number: int) -> tuple[JournaledNode, ...]:
        """How far each node of a run came."""
        return runs.journaled_nodes(self._database, number)

    def unfinished_run(self) -> UnfinishedRun | None:
        """The newest run if it was killed or did not end well, with what is done and what was only begun."""
        return runs.unfinished_run(self._database, WELL)

    def backup(self, path: Path | str) -> None:
        """Write a consistent copy to a new file with mode 0600, also while a run goes on. Raises StateError."""
        place = Path(path)
        state_file_location.create_private_file(place)
        try:
            self._database.copy_to(place)
        except BaseException:
            place.unlink(missing_ok=True)  # half a copy looks like a state
            raise


def _create(path: Path) -> None:
    """Build the whole file under another name and link it into place, so that no one ever sees half a state."""
    hit_failpoint("state.create.begin")
    state_file_location.remove_temporary_state_files(path)
    newborn = state_file_location.temporary_state_file_name(path)
    state_file_location.create_private_file(newborn)
    hit_failpoint("state.create.file")
    try:
        _fill_and_link(newborn, path)
    except OSError as error:
        state_file_location.remove_temporary_state_files(path)
        raise StateError(f"the state file cannot be created: {disk_error_text(error)}", where=str(path)) from None
    except BaseException:
        state_file_location.remove_temporary_state_files(path)
        raise
    hit_failpoint("state.created")


def _fill_and_link(newborn: Path, path: Path) -> None:
    database = Database(newborn)
    try:
        migrate.migrate_schema(database)
        _give_identity(database)
    finally:
        database.close()
    Path(f"{newborn}-journal").unlink(missing_ok=True)
    hit_failpoint("state.create.migrated")
    with suppress(FileExistsError):  # another process was faster; its state is the state
        os.link(newborn, path)
    hit_failpoint("state.create.linked")
    newborn.unlink()
    state_file_location.flush_folder_to_disk(path.parent)


def _give_identity(database: Database) -> None:
    from uuid import uuid4  # once in the life of a state

    with database.transaction():
        identity = (str(uuid4()), os.urandom(_KEY_BYTES).hex(), utc_now_text())
        database.run("INSERT INTO meta VALUES (1, ?, ?, ?, 0, ?)", (*identity, row_checksum(identity)))
        database.run("INSERT INTO lease VALUES (1, 0, '', '', '', '', '', 0, 0)")
