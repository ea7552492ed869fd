"""A drift report as a document for programs, with the names that fields have in a plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from planner.drift import DriftReport, Row, State
from planner.path import render
from planner.plan import FieldChange, FieldOp
from planner.render.drift_fields import as_drift, drifted, name_of, pending, several_places
from planner.values import JsonObject, encode

SCHEMA_VERSION = 1


def drift_json(report: DriftReport) -> JsonObject:
    """The whole report, objects in sync included, in the order of the graph.

    Of each object, `fields` go from what was declared (`before`) to what lives (`after`), as `undeclared` do; `pending`
    go from what lives to what is declared now.
    """
    several = several_places(report)
    counts = {str(state): report.count(state) for state in State}
    selection = {
        key: list(value) if isinstance(value, tuple) else value for key, value in asdict(report.selection).items()
    }
    return {
        "schemaVersion": SCHEMA_VERSION,
        "selection": selection,
        "cluster": asdict(report.cluster),
        "summary": {"objects": len(report.rows), **counts},
        "exitCode": report.exit_code,
        "objects": [_row(row, several) for row in report.rows],
        "warnings": list(report.warnings),
    }


def _row(row: Row, several: bool) -> JsonObject:
    address = row.address
    node, _, lane = address.place.partition("/")
    return {
        "address": name_of(address, several),
        "kind": address.kind,
        "group": address.group,
        "namespace": address.namespace,
        "name": address.name,
        "node": node,
        "lane": lane,
        "state": str(row.state),
        "reason": row.reason,
        "source": asdict(row.source),
        "fields": _fields(as_drift(change) for change in drifted(row)),
        "undeclared": _fields(row.undeclared),
        "pending": _fields(pending(row)),
    }


def _fields(changes: Iterable[FieldChange]) -> list[JsonObject]:
    return [_field(change) for change in changes]


def _field(change: FieldChange) -> JsonObject:
    """The keys that a field has in a plan."""
    sides: JsonObject = {}
    if change.op is not FieldOp.ADD:
        sides["before"] = encode(change.before)
    if change.op is not FieldOp.REMOVE:
        sides["after"] = encode(change.after)
    who = {"manager": change.manager, "time": change.time} if change.manager else {}
    return {"path": render(change.path), "op": str(change.op), **sides, "sensitive": change.sensitive, **who}
