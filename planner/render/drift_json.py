"""A drift report as a document for programs, with the names that addresses and fields have in a plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from planner.drift import DriftAcknowledgement, DriftReport, DriftState, ObjectDrift
from planner.field_path import render_path
from planner.plan import FieldChange
from planner.plan_document import address_document, field_change_document
from planner.render.drift_fields import (
    acknowledged_drift_fields,
    drift_address_text,
    drifted_fields,
    fields_not_yet_applied,
    ignored_drift_fields,
    spans_several_lanes,
    undeclared_drift_fields,
)
from planner.render.json_text import render_document_as_json
from planner.values import JsonObject

SCHEMA_VERSION = 1


def drift_json(report: DriftReport) -> JsonObject:
    """A drift report as a document for programs: objects in sync included, in the order of the graph.

    Of each object, `fields` go from what was declared (`before`) to what lives (`after`), as `undeclared` and
    `acknowledged` and `ignored` do; `pending` go from what lives to what is declared now.
    """
    several = spans_several_lanes(report)
    home = _home(report)
    counts = {str(state): report.count(state) for state in DriftState}
    selection = {
        key: list(value) if isinstance(value, tuple) else value for key, value in asdict(report.selection).items()
    }
    return {
        "schemaVersion": SCHEMA_VERSION,
        "selection": selection,
        "cluster": asdict(report.cluster),
        "summary": {"objects": len(report.rows), **counts, "ignoredFields": _ignored_fields(report)},
        "complete": report.is_complete,
        "exitCode": report.exit_code,
        "objects": [_row(row, several, home) for row in report.rows],
        "expired": [_acknowledgement(one) for one in report.expired],
        "warnings": list(report.warnings),
    }


def render_drift_json(report: DriftReport) -> str:
    """A drift report as JSON text, without a final newline, with escapes for what a terminal or a CI log could obey."""
    return render_document_as_json(drift_json(report))


def _ignored_fields(report: DriftReport) -> int:
    return sum(len(row.ignored) for row in report.rows)


def _home(report: DriftReport) -> tuple[str, str]:
    """Node and lane of a report that has one of each."""
    nodes, lanes = report.selection.nodes, report.selection.lanes
    return (nodes[0] if len(nodes) == 1 else "", lanes[0] if len(lanes) == 1 else "")


def _row(row: ObjectDrift, several: bool, home: tuple[str, str]) -> JsonObject:
    return {
        **address_document(row.address, home),
        "address": drift_address_text(row.address, several),
        "state": str(row.state),
        "reason": row.reason,
        "source": row.source.document(),
        "fields": _fields(change.reversed() for change in drifted_fields(row)),
        "undeclared": _fields(undeclared_drift_fields(row)),
        "pending": _fields(fields_not_yet_applied(row)),
        "acknowledged": [
            {**(field_change_document(change) if change else {}), **_acknowledgement(one.by)}
            for change, one in acknowledged_drift_fields(row)
        ],
        "ignored": [
            {**field_change_document(change), "rule": {"reason": one.reason, "source": one.source.document()}}
            for change, one in ignored_drift_fields(row)
        ],
    }


def _fields(changes: Iterable[FieldChange]) -> list[JsonObject]:
    return [field_change_document(change) for change in changes]


def _acknowledgement(one: DriftAcknowledgement) -> JsonObject:
    """Who may read what, and until when; the glob it was written with and the place it was written at."""
    return {
        "acknowledgement": {
            "address": one.address,
            "fields": [render_path(path) for path in one.fields],
            "reason": one.reason,
            "expires": one.expires,
            "source": one.source.document(),
        }
    }
