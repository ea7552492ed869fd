"""Drift as data: what became of each object of ours since the last apply. Owns no reading and no rendering."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from planner.address import Address
from planner.dataclass import dataclass
from planner.field_path import FieldPath
from planner.plan import ClusterIdentity, FieldChange, Selection
from planner.redaction.clean_values import AS_IT_IS
from planner.source_line_ref import SourceRef

_NOWHERE = SourceRef("")


ACKNOWLEDGEMENTS = "drift-acknowledgements.yaml"  # its name in a configuration folder, where no other file is named
IGNORE_RULES = "drift-ignore.yaml"  # likewise


class DriftState(StrEnum):
    """In sync; config newer than what was applied; changed by somebody else; both; all of it accepted by name and for
    a time; all of it left to its owner by a rule; could not be determined."""

    IN_SYNC = "in sync"
    PENDING = "pending"
    DRIFTED = "drifted"
    BOTH = "both"
    ACKNOWLEDGED = "acknowledged"
    IGNORED = "ignored"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class DriftAcknowledgement:
    """Drift that somebody accepts until the end of a day.

    `address` is a glob as for `--target`. Without `fields` it covers all drift of the object, its deletion included;
    with them only those fields and what is below. `expires` is the last day on which it holds, `YYYY-MM-DD` in UTC.
    """

    address: str
    reason: str
    expires: str
    fields: tuple[FieldPath, ...] = ()
    source: SourceRef = _NOWHERE

    def is_expired(self, today: str) -> bool:
        """Whether the day after `expires` has begun."""
        return today > self.expires


@dataclass(frozen=True, slots=True)
class AcknowledgedDriftField:
    """A field that an acknowledgement covers; the empty path is the object itself, which was deleted."""

    path: FieldPath
    by: DriftAcknowledgement


@dataclass(frozen=True, slots=True)
class DriftIgnoreRule:
    """Fields that are left to another owner for good: drift of them never counts, and every report says how much.

    `kind` is `Kind` or `Kind.group`, `manager` the name of a field manager; both are globs. `fields` and what is below
    them; none means all fields. The deletion of an object is never ignored.
    """

    kind: str
    manager: str
    fields: tuple[FieldPath, ...]
    reason: str
    source: SourceRef = _NOWHERE


@dataclass(frozen=True, slots=True)
class IgnoredDriftField:
    """A field that does not count, why, and where the rule stands (nowhere for what is harmless in any case)."""

    path: FieldPath
    reason: str
    source: SourceRef = _NOWHERE


@dataclass(frozen=True, slots=True)
class ObjectDrift:
    """The drift of one object. `fields` differ from what was declared, `undeclared` were set by others and are not
    ours.

    `acknowledged` and `ignored` are those of them that do not count, of a row in whatever state.
    """

    address: Address
    state: DriftState
    reason: str
    source: SourceRef
    fields: tuple[FieldChange, ...] = ()
    undeclared: tuple[FieldChange, ...] = ()
    acknowledged: tuple[AcknowledgedDriftField, ...] = ()
    ignored: tuple[IgnoredDriftField, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All objects, those in sync included, in the order of the graph.

    `expired` acknowledgements had no effect. `at` is when the cluster was looked at (UTC ISO-8601), or empty.
    """

    selection: Selection = field(metadata=AS_IT_IS)
    cluster: ClusterIdentity
    rows: tuple[ObjectDrift, ...]
    warnings: tuple[str, ...] = ()
    expired: tuple[DriftAcknowledgement, ...] = ()
    at: str = ""

    def count(self, state: DriftState) -> int:
        """How many objects are in this state."""
        return sum(row.state is state for row in self.rows)

    @property
    def is_complete(self) -> bool:
        """Whether every object could be judged."""
        return not self.count(DriftState.INCOMPLETE)

    @property
    def exit_code(self) -> int:
        """1 when any object could not be judged, drift elsewhere or not; else 2 when any drifted; else 0.

        What is pending, acknowledged or ignored is no drift. An error never looks clean, nor like mere drift.
        """
        if not self.is_complete:
            return 1
        return 2 if self.count(DriftState.DRIFTED) or self.count(DriftState.BOTH) else 0
