"""The state store: the one door to durable memory. Opens, creates and checks the file; the nouns have modules."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from planner.address import Address
from planner.errors import SelectionError, StateError
from planner.failpoint import hit
from planner.plan import Change, Plan
from planner.ports import Fingerprinter
from planner.snapshot import Record, Snapshot
from state import lease, lease_row, location, migrate, records, runs
from state.connection import Database
from state.fingerprint import KeyedFingerprinter
from state.journal import Journal
from state.lease import Lease
from state.moment import utc_now
from state.records import Version
from state.runs import NodeRow, RunInfo, UnfinishedRun
from state.seal import seal, verify

_KEY_BYTES = 32
WELL = "done"  # the outcome of a run that left nothing to do


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is being written. `observer` is its journal: hand it all events, before any other observer."""

    number: int
    observer: Journal
    _lease: Lease

    def end(self, outcome: str) -> None:
        """Write how it ended (`done`, or a word of the caller's), durable on return. Raises LockedError, StateError."""
        hit("run.end.commit")
        self._lease.writer.submit(lambda database, items: runs.end(database, self.number, outcome))
        hit("run.ended")


class StateStore:
    """An open state. Threads may share it; processes open their own, also after a fork."""

    def __init__(self, database: Database) -> None:
        self._database = database
        found = database.rows("SELECT lineage, key, created, seal FROM meta")
        lineage, key, created, kept = found[0] if found else ("", "", "", "")
        verify(seal((lineage, key, created)), kept, "the identity of the state", database.path)
        self.lineage: str = lineage
        self.created: str = created
        self._key = bytes.fromhex(key)

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open the state at `path`, or create it. Raises StateError when what is there cannot be trusted."""
        place = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow the very links that are refused)
        location.prepare_folder(place.parent)
        location.refuse_network(place.parent)
        if not location.check_file(place):
            _create(place)
            location.check_file(place)
        database = Database(place)
        try:
            migrate.check(database)
            migrate.migrate(database)
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

    def snapshot(self, owned: Collection[str]) -> Snapshot:
        """The current records of the owned sets."""
        return records.snapshot(self._database, owned)

    def records(self) -> tuple[Record, ...]:
        """All current records, by address."""
        return records.current(self._database)

    def versions(self, *, address: Address | None = None, run: int | None = None) -> tuple[Version, ...]:
        """What was applied to a resource or by a run, oldest first: the pre-images for `undo`."""
        return records.versions(self._database, address, run)

    def forget(self, address: Address) -> None:
        """Drop the record of a resource; the live object is not touched. Raises LockedError, SelectionError."""
        with self._database.transaction() as database:
            row = lease_row.read(database)
            if not row.is_free:
                raise lease.locked(row)
            if not records.forget(database, str(address)):
                raise SelectionError("the state has no record of this", where=str(address), remedy="hwplan state list")
            database.run("UPDATE meta SET serial = serial + 1")

    # Who may write

    def acquire(self, operation: str, plan_id: str = "", timeout: float = 0.0, seconds: float = lease.SECONDS) -> Lease:
        """Take the lease for `operation`, waiting up to `timeout` seconds; it lives `seconds` and renews itself.

        Checks the whole file first: nothing is applied on the word of a damaged state. Raises LockedError, StateError.
        """
        self.check()
        return lease.acquire(self._database, operation, plan_id, timeout, seconds)

    def holder(self) -> str:
        """Who holds the lease, what for, since when and under which lock id; "" when nobody does."""
        row = lease_row.read(self._database)
        return "" if row.is_free else str(row)

    def unlock(self, token: int) -> None:
        """End the lease with this lock id; its holder can never write again. Raises SelectionError."""
        with self._database.transaction() as database:
            if not lease_row.revoke(database, token):
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
    ) -> Run:
        """Write down that `plan` (its id, and its secret-free JSON document) is being applied under the lease.

        `resumes` is the number of the run it goes on with. Raises LockedError, StateError.
        """
        numbers: list[int] = []

        def write(database: Database, _: object) -> None:
            numbers.append(runs.begin(database, (held.token, operation), plan_id, document, plan.selection, resumes))
            hit("run.begin.commit")

        held.writer.submit(write)
        hit("run.begun")
        changes: Mapping[Address, Change] = {change.address: change for change in plan.changes}
        return Run(numbers[0], Journal(held.writer, numbers[0], changes), held)

    def history(self, limit: int = 50) -> tuple[RunInfo, ...]:
        """The newest runs, newest first."""
        return runs.history(self._database, limit)

    def run(self, number: int) -> RunInfo | None:
        """A run by its number."""
        return runs.one(self._database, number)

    def nodes(self, number: int) -> tuple[NodeRow, ...]:
        """How far each node of a run came."""
        return runs.nodes(self._database, number)

    def unfinished_run(self) -> UnfinishedRun | None:
        """The newest run if it was killed or did not end well, with what is done and what was only begun."""
        return runs.unfinished(self._database, WELL)

    def backup(self, path: Path | str) -> None:
        """Write a consistent copy to a new file with mode 0600, also while a run goes on. Raises StateError."""
        place = Path(path)
        location.create_private(place)
        self._database.copy_to(place)


def _create(path: Path) -> None:
    """Build the whole file under another name and link it into place, so that no one ever sees half a state."""
    hit("state.create.begin")
    location.sweep_newborn(path)
    newborn = location.newborn_name(path)
    location.create_private(newborn)
    hit("state.create.file")
    database = Database(newborn)
    try:
        migrate.migrate(database)
        _give_identity(database)
    finally:
        database.close()
    Path(f"{newborn}-journal").unlink(missing_ok=True)
    hit("state.create.migrated")
    try:
        os.link(newborn, path)
    except FileExistsError:
        pass  # another process was faster; its state is the state
    except OSError as error:
        raise StateError(f"the state file cannot be created: {error.strerror}", where=str(path)) from None
    hit("state.create.linked")
    newborn.unlink()
    location.sync_folder(path.parent)
    hit("state.created")


def _give_identity(database: Database) -> None:
    from uuid import uuid4  # once in the life of a state

    with database.transaction():
        identity = (str(uuid4()), os.urandom(_KEY_BYTES).hex(), utc_now())
        database.run("INSERT INTO meta VALUES (1, ?, ?, ?, 0, ?)", (*identity, seal(identity)))
        database.run("INSERT INTO lease VALUES (1, 0, '', '', '', '', '', 0, 0)")
