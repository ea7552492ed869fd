"""Checks a closeout record again, without trusting who wrote it, and names every edge that is broken. Pure.

Two questions: does the record follow from its own evidence (`check_closeout_record`), and is the evidence what the
systems say now (`check_closeout_facts`)? The facts are read elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.dataclass import dataclass
from planner.rollout import lane_evidence as names
from planner.rollout.closeout_record import (
    KIND,
    SCHEMA_VERSION,
    closeout_record,
    closeout_record_bytes,
    closeout_record_digest,
    evidence_entry_digest,
    evidence_in_closeout_record,
)
from planner.rollout.lane_evidence import EvidenceReading
from planner.values import Json, JsonObject, JsonValue, canonical_bytes, document_digest

_MOST = 50  # edges that are named
_ENTRY = frozenset(("value", "source", "at", "version", "problem", "digest"))


@dataclass(frozen=True, slots=True)
class CloseoutRecordMismatch:
    """One thing in a closeout record that does not fit: `edge` is a path in the record, or the name of a reading or an
    equation; `reason` says why. `unchecked` says that it is not known whether it fits."""

    edge: str
    reason: str
    unchecked: bool = False


def check_closeout_record(record: Json) -> tuple[CloseoutRecordMismatch, ...]:
    """Check a closeout record against itself and name every mismatch: entries and their digests, what follows from
    them, the digest of the whole, the checksum. Never raises."""
    if not isinstance(record, dict) or record.get("kind") != KIND or record.get("schemaVersion") != SCHEMA_VERSION:
        return (CloseoutRecordMismatch("kind", f"this is no closeout record of schema {SCHEMA_VERSION}"),)
    try:
        broken = [*_entries(record), *_derived(record), *_digests(record)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return (CloseoutRecordMismatch("structure", f"a part is missing or of another type ({type(error).__name__})"),)
    return tuple(dict.fromkeys(broken))[:_MOST]


def _entries(record: JsonObject) -> Iterator[CloseoutRecordMismatch]:
    for name, entry in record["evidence"].items():
        if set(entry) != _ENTRY:
            yield CloseoutRecordMismatch(f"evidence {name}", "fields are missing or added")
        elif entry["digest"] != evidence_entry_digest(entry):
            yield CloseoutRecordMismatch(
                f"evidence {name}", "value, source, time or version is not what its digest says"
            )


def _derived(record: JsonObject) -> Iterator[CloseoutRecordMismatch]:
    """What follows from the evidence, computed again and compared part by part."""
    again = closeout_record(evidence_in_closeout_record(record), str(record["previous"] or ""))
    skipped = {"evidence", "digest", "checksum"}
    for key in sorted((record.keys() | again.keys()) - skipped):
        if key not in record or key not in again:
            yield CloseoutRecordMismatch(key, "a part is missing or added")
        elif key == "equations":
            yield from _equations(record[key], again[key])
        elif canonical_bytes(record[key]) != canonical_bytes(again[key]):
            yield CloseoutRecordMismatch(
                _first_difference(record[key], again[key], key), "it does not follow from the evidence"
            )


def _equations(found: Json, again: list[JsonObject]) -> Iterator[CloseoutRecordMismatch]:
    if len(found) != len(again):
        yield CloseoutRecordMismatch("equations", f"{len(found)} equations, and the evidence makes {len(again)}")
    for one, other in zip(found, again, strict=False):
        if canonical_bytes(one) != canonical_bytes(other):
            yield CloseoutRecordMismatch(f"equation {other['name']}", "it does not follow from the evidence")


def _first_difference(found: JsonValue, again: JsonValue, path: str) -> str:
    if isinstance(found, dict) and isinstance(again, dict):
        for key in sorted(found.keys() | again.keys()):
            if key not in found or key not in again:
                return f"{path}.{key}"
            if canonical_bytes(found[key]) != canonical_bytes(again[key]):
                return _first_difference(found[key], again[key], f"{path}.{key}")
    return path


def _digests(record: JsonObject) -> Iterator[CloseoutRecordMismatch]:
    if record.get("digest") != closeout_record_digest(record):
        yield CloseoutRecordMismatch("digest", "it is not that of the record's values")
    if record.get("checksum") != document_digest({key: value for key, value in record.items() if key != "checksum"}):
        yield CloseoutRecordMismatch("checksum", "it is not that of the record's bytes")


def check_closeout_file_is_canonical(content: bytes, record: JsonObject) -> tuple[CloseoutRecordMismatch, ...]:
    """Check that a file is the one byte form of its record, so that nothing hides in a key that is there twice, or in
    blanks; else the one mismatch."""
    fits = content == closeout_record_bytes(record)
    return (
        ()
        if fits
        else (CloseoutRecordMismatch("bytes", "the file is not the one form in which this record is written"),)
    )


def check_closeout_facts(
    record: JsonObject, facts: Mapping[str, EvidenceReading]
) -> tuple[CloseoutRecordMismatch, ...]:
    """Every reading of a record that is not what the systems say now. A fact that could not be read is an edge as well:
    nobody has checked it. Names that are not in `facts` were not asked about."""
    return tuple(_facts(record, facts))[:_MOST]


def _facts(record: JsonObject, facts: Mapping[str, EvidenceReading]) -> Iterator[CloseoutRecordMismatch]:
    for name, fact in sorted(facts.items()):
        entry = record["evidence"].get(name)
        if entry is None or entry["problem"]:
            continue
        if not fact.readable:
            yield CloseoutRecordMismatch(name, f"it cannot be checked: {fact.problem}", unchecked=True)
        elif not _same(name, entry["value"], fact.value):
            yield CloseoutRecordMismatch(
                name, f"{fact.source} says otherwise: {_short(fact.value)}, recorded {_short(entry['value'])}"
            )


def _same(name: str, recorded: JsonValue, now: JsonValue) -> bool:
    """Of what goes on living only the identities are compared: replicas and pods come and go."""
    parts = _IDENTITIES.get(name.partition("/")[0] + ("/" if "/" in name else ""))
    if parts is None or not isinstance(recorded, dict) or not isinstance(now, dict):
        return canonical_bytes(recorded) == canonical_bytes(now)
    if not all(canonical_bytes(recorded.get(part)) == canonical_bytes(now.get(part)) for part in parts):
        return False
    return not name.startswith(names.WORKLOAD) or _run_digests(recorded) == _run_digests(now)


_IDENTITIES: Mapping[str, tuple[str, ...]] = {
    names.RUN: ("name", "uid", "specDigest", "state", "commit", "gitopsRevision", "results"),
    names.ARGO: ("revision",),
    names.WORKLOAD: ("images",),
    names.PROBE: ("status", "provenance"),
}


def _run_digests(workload: JsonObject) -> list[str]:
    pods = [pod for pod in workload.get("pods") or () if pod.get("ready")]
    return sorted({str(one.get("imageID")) for pod in pods for one in pod.get("containers") or ()})


def _short(value: JsonValue) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else canonical_bytes(value).decode(errors="replace")
    return text if len(text) <= 120 else text[:120] + "…"
