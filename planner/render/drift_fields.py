"""Which fields of a drift report are drift and which are merely not applied yet, and in which direction they are told.

A plan goes from what lives to what is declared. Drift is told the other way round: from what we declared to what lives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from planner.address import Address
from planner.drift import Acknowledged, DriftReport, Row, State
from planner.plan import FieldChange, FieldOp

_TURNED = {FieldOp.ADD: FieldOp.REMOVE, FieldOp.REMOVE: FieldOp.ADD}


def drifted(row: Row) -> tuple[FieldChange, ...]:
    """The declared fields that somebody else changed and nobody acknowledged, as planned.

    A field that we give up and somebody else keeps has another manager, and is no drift.
    """
    known = {one.path for one in row.acknowledged}
    return tuple(change for change in _foreign(row) if change.path not in known)


def undeclared(row: Row) -> tuple[FieldChange, ...]:
    """Fields that somebody else added and nobody acknowledged."""
    known = {one.path for one in row.acknowledged}
    return tuple(change for change in row.undeclared if change.path not in known)


def acknowledged(row: Row) -> Iterator[tuple[FieldChange | None, Acknowledged]]:
    """What is acknowledged of a row, told as drift; None stands for the object itself, which is gone."""
    changes = {change.path: change for change in row.undeclared}
    changes |= {change.path: as_drift(change) for change in _foreign(row)}
    for one in row.acknowledged:
        yield changes.get(one.path), one


def pending(row: Row) -> tuple[FieldChange, ...]:
    """The fields that the next apply would change although nobody else touched them, as planned."""
    if row.state is State.INCOMPLETE:
        return ()
    told = _foreign(row)
    return tuple(change for change in row.fields if change not in told)


def _foreign(row: Row) -> tuple[FieldChange, ...]:
    """The declared fields that somebody else changed. Of a row whose config is newer, those of others."""
    match row.state:
        case State.DRIFTED | State.ACKNOWLEDGED:
            return row.fields
        case State.BOTH:
            return tuple(change for change in row.fields if change.manager and change.op is not FieldOp.DISOWN)
        case State.PENDING:
            known = {one.path for one in row.acknowledged}
            return tuple(change for change in row.fields if change.path in known)
        case State.INCOMPLETE | State.IN_SYNC:
            return ()
        case _ as never:
            assert_never(never)


def as_drift(change: FieldChange) -> FieldChange:
    """A planned change turned round: `before` is what we declared, `after` what lives."""
    op = _TURNED.get(change.op, change.op)
    return FieldChange(change.path, op, change.after, change.before, change.sensitive, change.manager, change.time)


def several_places(report: DriftReport) -> bool:
    """Whether addresses need their place to be told apart."""
    return len({row.address.place for row in report.rows}) > 1


def name_of(address: Address, several: bool) -> str:
    """How an address is written in the report, not escaped."""
    return str(address) if several else address.local
