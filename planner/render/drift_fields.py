"""Which fields of a drift report are drift and which are merely not applied yet, and in which direction they are told.

A plan goes from what lives to what is declared. Drift is told the other way round: from what we declared to what lives.
"""

from __future__ import annotations

from typing import assert_never

from planner.address import Address
from planner.drift import DriftReport, Row, State
from planner.plan import FieldChange, FieldOp

_TURNED = {FieldOp.ADD: FieldOp.REMOVE, FieldOp.REMOVE: FieldOp.ADD}


def drifted(row: Row) -> tuple[FieldChange, ...]:
    """The declared fields that somebody else changed, as planned. Of a row in both states, those of others.

    A field that we give up and somebody else keeps has another manager, and is no drift.
    """
    match row.state:
        case State.DRIFTED:
            return row.fields
        case State.BOTH:
            return tuple(change for change in row.fields if change.manager and change.op is not FieldOp.DISOWN)
        case State.PENDING | State.INCOMPLETE | State.IN_SYNC:
            return ()
        case _ as never:
            assert_never(never)


def pending(row: Row) -> tuple[FieldChange, ...]:
    """The fields that the next apply would change although nobody else touched them, as planned."""
    if row.state is State.INCOMPLETE:
        return ()
    told = drifted(row)
    return tuple(change for change in row.fields if change not in told)


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
