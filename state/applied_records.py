"""Records: what was applied last to each resource, and the versions before it. Rows in, frozen records out.

Each version is a row of its own, sealed by a digest, so that a flipped bit is found and not believed. Documents hold
references and fingerprints where secrets are (planner.values), never values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence

from planner.address import Address
from planner.applied_state import AppliedRecord, AppliedState
from planner.dataclass import dataclass
from planner.field_path import render_path
from planner.plan import LEAVING, Action, Change, FieldChange
from planner.redaction.clean_values import clean_texts_in_value
from planner.resource import APPLIED, SET_LABEL
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, JsonValue, decode_special_leaves, encode_special_leaves
from state.row_checksum import row_checksum, verify_checksum
from state.sqlite_connection import Database, Row

_SHORT = "address, run, action, api_version, owned_by, scope, uid, applied, expects, at, source"
_LONG = "document, before"
_COLUMNS = f"{_SHORT}, {_LONG}, seal, seal_long"
_RECORD = "a record of the state"
_WIDTH = 11  # columns of _SHORT
_REPLACED = ", ".join(f"{name} = excluded.{name}" for name in [*_COLUMNS.split(", "), "current"])

# As planner.values.canonical_bytes, special leaves encoded where they stand. To make an encoder takes longer than to
# use it.
_JSON = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=encode_special_leaves
)


@dataclass(frozen=True, slots=True)
class AppliedResourceVersion:
    """One version of a resource as it was applied by a run. `document` is None after a delete.

    `before` are the fields that the run changed, as the plan saw them: `[{"path", "op", "before"}]`, with `sensitive`
    where `before` is a fingerprint, special leaves in their JSON form.
    """

    record: AppliedRecord
    action: Action
    document: JsonObject | None
    before: tuple[JsonObject, ...]


def row_of_applied_resource_version(change: Change, run: int, uid: str, at: str) -> Row:
    """The database row of an applied version of a resource, without its seal. Pure; called before the transaction, for
    it takes the time."""
    desired = change.desired or {}
    deleted = change.action in LEAVING
    document = "" if deleted else _JSON.encode(desired)
    stood = clean_texts_in_value([field.before for field in change.fields])
    before = [_pre_image(field, value) for field, value in zip(change.fields, stood, strict=True)]
    return (
        str(change.address),
        run,
        str(change.action),
        change.api_version,
        _annotated(desired, "labels", SET_LABEL),
        change.scope,
        uid,
        "" if deleted else _annotated(desired, "annotations", APPLIED) or _digest(document),
        change.expects,
        at,
        f"{change.source.file}:{change.source.line}:{change.source.column}",
        document,
        _JSON.encode(before),
    )


def _pre_image(field: FieldChange, before: JsonValue) -> JsonObject:
    image = {"path": render_path(field.path), "op": field.op, "before": before}
    return {**image, "sensitive": True} if field.sensitive else image


def write_applied_versions(database: Database, rows: Sequence[Row]) -> None:
    """Make each row of one run the current version of its resource (a delete leaves none). Inside a transaction."""
    newest = {row[0]: row for row in rows}  # a resource that was applied twice has one version
    orphans = [address for address, row in newest.items() if not row[4]]
    owners = {
        address: _last_owner(database, address) for address in orphans
    }  # a delete has no document to read it from
    sealed = [(*row[:4], row[4] or owners[address], *row[5:]) for address, row in newest.items()]
    marks = ", ".join("?" * len(sealed))
    database.run(
        f"UPDATE records SET current = 0 WHERE run < ? AND address IN ({marks})",  # noqa: S608 (marks)
        [sealed[0][1], *newest],
    )
    database.insert(
        f"INSERT INTO records ({_COLUMNS}, current)",
        [(*row, *_seals(row), 0 if row[2] in LEAVING else 1) for row in sealed],
        f"ON CONFLICT (address, run) DO UPDATE SET {_REPLACED}",
    )
    database.run("UPDATE meta SET serial = serial + 1")


def forget_resource(database: Database, address: str) -> bool:
    """Leave `address` without a current version; False when it has none. Inside a transaction."""
    return database.run("UPDATE records SET current = 0 WHERE address = ? AND current = 1", (address,)) > 0


def current_records(database: Database, owned: Collection[str] | None = None) -> tuple[AppliedRecord, ...]:
    """All current records (of the owned sets, when given), by address. Raises StateError when one is damaged."""
    rows = database.rows(f"SELECT {_SHORT}, seal FROM records WHERE current = 1 ORDER BY address")  # noqa: S608 (constants)
    return tuple(_record(row) for row in rows if owned is None or row[4] in owned)


def read_applied_state(database: Database, owned: Collection[str]) -> AppliedState:
    """The current records of the owned sets, with the serial of the state."""
    serial = database.rows("SELECT serial FROM meta")[0][0]
    return AppliedState(serial, {record.address: record for record in current_records(database, owned)})


def applied_versions(
    database: Database, address: Address | None = None, run: int | None = None
) -> tuple[AppliedResourceVersion, ...]:
    """Applied versions of resources by address and run, oldest first; only those of `address` or of `run` when
    given."""
    asked = [("address = ?", str(address))] if address is not None else []
    asked += [("run = ?", str(run))] if run is not None else []
    where = " AND ".join(part for part, _ in asked) or "1 = 1"
    sql = f"SELECT {_COLUMNS} FROM records WHERE {where} ORDER BY address, run"  # noqa: S608 (constants)
    return tuple(_version(row) for row in database.rows(sql, [value for _, value in asked]))


def _version(row: Row) -> AppliedResourceVersion:
    *short, document, before, seal_short, seal_long = row
    verify_checksum(row_checksum((*short[:2], document, before)), seal_long, _RECORD, short[0])
    value = decode_special_leaves(json.loads(document)) if document else None
    return AppliedResourceVersion(_record((*short, seal_short)), Action(short[2]), value, tuple(json.loads(before)))


def _record(row: Row) -> AppliedRecord:
    address, run, _, api_version, owned_by, scope, uid, applied, expects, at, source, found = row
    verify_checksum(row_checksum(row[:-1]), found, _RECORD, address)
    file, line, column = source.rsplit(":", 2)
    place = SourceRef(file, int(line), int(column))
    return AppliedRecord(Address.parse(address), api_version, owned_by, scope, uid, applied, run, at, place, expects)


def _last_owner(database: Database, address: str) -> str:
    rows = database.rows("SELECT owned_by FROM records WHERE address = ? ORDER BY run DESC LIMIT 1", (address,))
    return str(rows[0][0]) if rows else ""


def _annotated(desired: JsonObject, where: str, name: str) -> str:
    metadata = desired.get("metadata")
    found = metadata.get(where) if isinstance(metadata, dict) else None
    return str(found.get(name) or "") if isinstance(found, dict) else ""


def _digest(document: str) -> str:
    """As planner.values.document_digest, of the canonical text that is there already."""
    return "sha256:" + hashlib.sha256(document.encode()).hexdigest()


def _seals(row: Row) -> tuple[str, str]:
    """Two, so that records can be believed without reading their long documents."""
    return row_checksum(row[:_WIDTH]), row_checksum((*row[:2], *row[_WIDTH:]))
