"""Runs: who applied which plan when, how it ended, and how far it came. Statements, and what is read by them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from planner import __version__
from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import Selection
from planner.values import JsonObject, decode_special_leaves
from state import process_identity
from state.row_checksum import row_checksum, verify_checksum
from state.run_journal import journal_rows
from state.sqlite_connection import Database, Row
from state.timestamps import utc_now_text

KEPT_DOCUMENTS = 5  # plans are large; only the newest can be resumed, and `undo` reads records
_START = "number, plan, operation, resumes, who, tool, started, selection, token"
_COLUMNS = f"{_START}, ended, outcome, seal, seal_end"


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run. `ended` and `outcome` are empty while it runs, and for ever when it was killed."""

    number: int
    plan_id: str
    operation: str
    resumes: int | None
    who: str
    tool: str
    started: str
    ended: str
    outcome: str
    selection: Selection


@dataclass(frozen=True, slots=True)
class JournaledNode:
    """What the journal holds of one node of the graph of a run: its last phase, how it ended ("" if it did not), and
    when."""

    address: Address
    action: str
    phase: str
    result: str
    at: str
    detail: JsonObject


@dataclass(frozen=True, slots=True)
class UnfinishedChange:
    """A change that was begun and did not end: when (RFC 3339), and the uid of what it made, "" where it is not
    known."""

    at: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """A run that did not end well, with what it and the runs it resumed have done.

    `done` maps nodes that ended well to their outputs. `begun` were begun and did not end: only reading says.
    `killed` is true when the run did not even get to say how it ended.
    """

    info: RunInfo
    document: bytes
    done: Mapping[Address, JsonObject]
    begun: Mapping[Address, UnfinishedChange]

    @property
    def killed(self) -> bool:
        """Whether the process died before the end of the run."""
        return not self.info.ended


def begin_run(
    database: Database, lease: tuple[int, str], plan_id: str, document: bytes, selection: Selection, resumes: int | None
) -> int:
    """Write a new run and drop documents of old ones; its number. `lease` is (token, operation). In a transaction."""
    number = int(database.rows("SELECT coalesce(max(number), 0) + 1 FROM runs")[0][0])
    token, operation = lease
    chosen = json.dumps(asdict(selection), sort_keys=True)
    start = (
        number,
        plan_id,
        operation,
        resumes,
        process_identity.user_at_host(),
        __version__,
        utc_now_text(),
        chosen,
        token,
    )
    text = document.decode()
    row = (*start, text, row_checksum(start), row_checksum((number, text)))
    database.insert(f"INSERT INTO runs ({_START}, document, seal, seal_document)", [row])
    database.run("UPDATE runs SET document = '' WHERE number <= ? AND document <> ''", (number - KEPT_DOCUMENTS,))
    return number


def end_run(database: Database, number: int, outcome: str) -> None:
    """Write how a run ended. In a transaction."""
    now = utc_now_text()
    values = (now, outcome, row_checksum((number, now, outcome)), number)
    database.run("UPDATE runs SET ended = ?, outcome = ?, seal_end = ? WHERE number = ?", values)


def run_history(database: Database, limit: int) -> tuple[RunInfo, ...]:
    """The newest `limit` runs, newest first."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM runs ORDER BY number DESC LIMIT ?", (limit,))  # noqa: S608 (constants)
    return tuple(_info(database, row) for row in rows)


def find_run_by_number(database: Database, number: int) -> RunInfo | None:
    """The run with a number, None where there is none."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM runs WHERE number = ?", (number,))  # noqa: S608 (constants)
    return _info(database, rows[0]) if rows else None


def stored_plan_of_run(database: Database, number: int) -> bytes:
    """The plan of a run as it was stored; empty when it is too old to be retained. Raises StateError when it is
    damaged."""
    rows = database.rows("SELECT document, seal_document FROM runs WHERE number = ? AND document <> ''", (number,))
    if not rows:
        return b""
    verify_checksum(row_checksum((number, rows[0][0])), rows[0][1], f"the plan of run {number}", database.path)
    return str(rows[0][0]).encode()


def journaled_nodes(database: Database, number: int) -> tuple[JournaledNode, ...]:
    """The last journal entry of each node of a run, in the order in which the nodes appeared."""
    last: dict[str, Row] = {}
    for row in journal_rows(database, number):
        last[row[2]] = row
    return tuple(
        JournaledNode(Address.parse(address), row[4], row[3], row[5], row[6], json.loads(row[7]))
        for address, row in last.items()
    )


def unfinished_run(database: Database, well: str) -> UnfinishedRun | None:
    """The newest run when its outcome is not `well`, with the progress of the whole chain of resumed runs."""
    newest = run_history(database, 1)
    if not newest or newest[0].outcome == well:
        return None
    done: dict[Address, JsonObject] = {}
    begun: dict[Address, UnfinishedChange] = {}
    for number in _chain(database, newest[0]):
        _fold(journal_rows(database, number), done, begun)
    return UnfinishedRun(newest[0], stored_plan_of_run(database, newest[0].number), done, begun)


def _chain(database: Database, info: RunInfo) -> list[int]:
    """The numbers of the runs that `info` goes on with and its own, oldest first."""
    numbers = [info.number]
    resumes = info.resumes
    while resumes is not None and resumes < numbers[-1]:
        numbers.append(resumes)
        before = find_run_by_number(database, resumes)
        resumes = before.resumes if before else None
    return numbers[::-1]


def _fold(rows: list[Row], done: dict[Address, JsonObject], begun: dict[Address, UnfinishedChange]) -> None:
    outputs: dict[str, JsonObject] = {}
    for _, _, text, phase, _, result, at, detail in rows:
        address = Address.parse(text)
        match phase:
            case "BEGIN":
                begun[address] = UnfinishedChange(at)
            case "APPLIED":
                outputs[text] = decode_special_leaves(json.loads(detail)["outputs"])
                if address in begun:
                    begun[address] = UnfinishedChange(begun[address].at, str(outputs[text].get("uid", "")))
            case "END":
                begun.pop(address, None)
                if result in ("done", "unchanged"):
                    done[address] = outputs.get(text, {})


def _info(database: Database, row: Row) -> RunInfo:
    *start, ended, outcome, seal_start, seal_end = row
    number, plan, operation, resumes, who, tool, started, selection, _ = start
    verify_checksum(row_checksum(start), seal_start, f"run {number}", database.path)
    if ended or outcome or seal_end:
        verify_checksum(row_checksum((number, ended, outcome)), seal_end, f"the end of run {number}", database.path)
    chosen: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(selection).items()
    }
    known = Selection(**chosen)
    return RunInfo(number, plan, operation, resumes, who, tool, started, ended or "", outcome or "", known)
