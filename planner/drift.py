"""Drift as data: what became of each object of ours since the last apply. Owns no reading and no rendering."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from planner.address import Address
from planner.plan import ClusterIdentity, FieldChange, Selection
from planner.source import SourceRef


class State(StrEnum):
    """In sync; config newer than what was applied; changed by somebody else; both; could not be told."""

    IN_SYNC = "in sync"
    PENDING = "pending"
    DRIFTED = "drifted"
    BOTH = "both"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Row:
    """One object. `fields` differ from what was declared, `undeclared` were set by others and are not ours."""

    address: Address
    state: State
    reason: str
    source: SourceRef
    fields: tuple[FieldChange, ...] = ()
    undeclared: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All objects, those in sync included, in the order of the graph."""

    selection: Selection
    cluster: ClusterIdentity
    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()

    def count(self, state: State) -> int:
        """How many objects are in this state."""
        return sum(row.state is state for row in self.rows)

    @property
    def exit_code(self) -> int:
        """0 clean or merely pending, 2 drift, 1 when something could not be told: an error never looks clean."""
        if self.count(State.INCOMPLETE):
            return 1
        return 2 if self.count(State.DRIFTED) or self.count(State.BOTH) else 0
