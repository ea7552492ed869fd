"""The journal of a run: an observer that turns events into durable rows, each sealed over the one before it.

A BEGIN is on disk before its effect may be tried. All others go to disk with the next transaction, which begins at
once, and nobody waits for it: entries are written in the order in which they were handed in, so the BEGIN of what
depends on an END, and the end of the run, are never on disk without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias, assert_never

from planner.address import Address
from planner.events import ChangeApplied, ChangeBegan, ChangeEnded, ChangeResult, ChangeWaiting, Event
from planner.plan import LEAVING, Change
from planner.redaction.clean_values import clean_texts_in_value
from planner.values import JsonObject, encode_special_leaves
from state import applied_records
from state.journal_writer import JournalWriter
from state.row_checksum import row_checksum, verify_checksum
from state.sqlite_connection import Database, Row

_WELL = (ChangeResult.DONE, ChangeResult.UNCHANGED)
_JSON = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=encode_special_leaves)
_Line: TypeAlias = tuple[str, str, str, str, str, str]  # address, phase, action, result, at, detail


class RunJournal:
    """A planner.events.EventObserver that may be called from many threads at once; that is how they share commits."""

    def __init__(self, writer: JournalWriter, run: int, changes: Mapping[Address, Change]) -> None:
        self._writer = writer
        self._run = run
        self._changes = changes
        self._seq = 0  # the writer's thread only
        self._seal = first_checksum(run)

    def on(self, event: Event) -> None:
        """Take one event; Began is durable on return. Raises LockedError or StateError: then stop."""
        match event:
            case ChangeBegan():
                self._put(_line("BEGIN", event, "", {}), durable=True)
            case ChangeApplied():
                self._applied(event)
            case ChangeWaiting():
                pass
            case ChangeEnded():
                self._ended(event)
            case _:
                assert_never(event)

    def _applied(self, event: ChangeApplied) -> None:
        detail = {"uid": event.uid, "outputs": event.outputs, "already": event.already}
        row = None
        if event.action not in LEAVING:  # a deleted object is on record until it is gone
            row = applied_records.row_of_applied_resource_version(
                self._changes[event.address], self._run, event.uid, event.at
            )
        self._put(_line("APPLIED", event, "", detail), row, durable=event.vanishes)

    def _ended(self, event: ChangeEnded) -> None:
        detail: JsonObject = {"seconds": round(event.seconds, 3)}
        detail |= {"message": event.message} if event.message else {}
        detail |= {"remedy": event.remedy} if event.remedy else {}
        detail |= {"cause": str(event.cause)} if event.cause else {}
        detail |= {"warnings": list(event.warnings)} if event.warnings else {}
        row = None
        if event.action in LEAVING and event.result in _WELL:
            row = applied_records.row_of_applied_resource_version(self._changes[event.address], self._run, "", event.at)
        self._put(_line("END", event, str(event.result), detail), row)

    def _put(self, line: _Line, record: Row | None = None, *, durable: bool = False) -> None:
        self._writer.submit(self._write, (line, record), durable=durable)

    def _write(self, database: Database, items: Sequence[tuple[_Line, Row | None]]) -> None:
        """Write what was handed in since the last transaction. On the writer's thread."""
        rows = []
        for line, _ in items:
            self._seq += 1
            row = (self._run, self._seq, *line)
            self._seal = row_checksum((self._seal, *row))
            rows.append((*row, self._seal))
        database.insert("INSERT INTO journal", rows)
        if found := [record for _, record in items if record is not None]:
            applied_records.write_applied_versions(database, found)


def _line(phase: str, event: ChangeBegan | ChangeApplied | ChangeEnded, result: str, detail: JsonObject) -> _Line:
    text = _JSON.encode(clean_texts_in_value(detail)) if detail else "{}"
    return (str(event.address), phase, event.action.value, result, event.at, text)


def first_checksum(run: int) -> str:
    """The start of the chain of checksums: what the first journal row of a run is sealed over."""
    return f"run {run}"


def journal_rows(database: Database, run: int) -> list[Row]:
    """The rows of a run in order, without seals: (run, seq, address, phase, action, result, at, detail).

    Raises StateError when a row was changed, lost or put in.
    """
    believed, last = [], first_checksum(run)
    sql = "SELECT run, seq, address, phase, action, result, at, detail, seal FROM journal WHERE run = ? ORDER BY seq"
    for number, row in enumerate(database.rows(sql, (run,)), start=1):
        last = row_checksum((last, *row[:-1]))
        found = row[-1] if row[1] == number else ""
        verify_checksum(last, found, f"entry {number} of the journal of run {run}", database.path)
        believed.append(row[:-1])
    return believed
