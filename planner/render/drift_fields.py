"""Which fields of a drift report are drift and which are merely not applied yet, and in which direction they are
reported.

A plan goes from what lives to what is declared. Drift is reported the other way round: from what we declared to what
lives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from planner.address import Address
from planner.drift import AcknowledgedDriftField, DriftReport, DriftState, IgnoredDriftField, ObjectDrift
from planner.field_path import FieldPath
from planner.plan import FieldChange, FieldOp


def drifted_fields(row: ObjectDrift) -> tuple[FieldChange, ...]:
    """The declared fields that somebody else changed and that count, as planned.

    A field that we give up and somebody else keeps has another manager, and is no drift.
    """
    known = _accepted(row)
    return tuple(change for change in _foreign(row) if change.path not in known)


def undeclared_drift_fields(row: ObjectDrift) -> tuple[FieldChange, ...]:
    """Fields that somebody else added and that count."""
    known = _accepted(row)
    return tuple(change for change in row.undeclared if change.path not in known)


def acknowledged_drift_fields(row: ObjectDrift) -> Iterator[tuple[FieldChange | None, AcknowledgedDriftField]]:
    """What is acknowledged of a row, reported as drift; None stands for the object itself, which is gone."""
    changes = {change.path: change for change in row.undeclared}
    changes |= {change.path: change.reversed() for change in _foreign(row)}
    for one in row.acknowledged:
        yield changes.get(one.path), one


def ignored_drift_fields(row: ObjectDrift) -> Iterator[tuple[FieldChange, IgnoredDriftField]]:
    """What a rule leaves to its owner in a row, reported as drift."""
    changes = {change.path: change for change in (*row.undeclared, *(change.reversed() for change in _foreign(row)))}
    for one in row.ignored:
        yield changes[one.path], one


def _accepted(row: ObjectDrift) -> set[FieldPath]:
    return {one.path for one in row.acknowledged} | {one.path for one in row.ignored}


def fields_not_yet_applied(row: ObjectDrift) -> tuple[FieldChange, ...]:
    """The fields that the next apply would change although nobody else touched them, as planned."""
    if row.state is DriftState.INCOMPLETE:
        return ()
    reported = _foreign(row)
    return tuple(change for change in row.fields if change not in reported)


def _foreign(row: ObjectDrift) -> tuple[FieldChange, ...]:
    """The declared fields that somebody else changed. Of a row whose config is newer, those of others."""
    match row.state:
        case DriftState.DRIFTED | DriftState.ACKNOWLEDGED | DriftState.IGNORED:
            return row.fields
        case DriftState.BOTH:
            return tuple(change for change in row.fields if change.manager and change.op is not FieldOp.DISOWN)
        case DriftState.PENDING:
            known = _accepted(row)
            return tuple(change for change in row.fields if change.path in known)
        case DriftState.INCOMPLETE | DriftState.IN_SYNC:
            return ()
        case _ as never:
            assert_never(never)


def spans_several_lanes(report: DriftReport) -> bool:
    """Whether a report covers several node_lanes, so that addresses need theirs to be distinguished."""
    return len({row.address.node_lane for row in report.rows}) > 1


def drift_address_text(address: Address, several: bool) -> str:
    """How an address is written in the report, not escaped."""
    return str(address) if several else address.local
