"""What of an object's drift does not count: acknowledged for a time, left to its owner by a rule, or harmless. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from planner.address import Address
from planner.drift import (
    AcknowledgedDriftField,
    DriftAcknowledgement,
    DriftIgnoreRule,
    DriftState,
    IgnoredDriftField,
    ObjectDrift,
)
from planner.field_path import FieldPath, path_covers
from planner.plan import FieldChange, FieldOp


def mark_acknowledged_and_ignored_drift(
    row: ObjectDrift,
    acknowledgements: Sequence[DriftAcknowledgement],
    rules: Sequence[DriftIgnoreRule] = (),
    harmless: Mapping[FieldPath, str] | None = None,
) -> ObjectDrift:
    """The row with what does not count of it; its state is that of the rest.

    `harmless` gives fields that are no cause for an alarm, with the reason. A field that a rule ignores needs no
    acknowledgement.
    """
    if row.state not in (DriftState.DRIFTED, DriftState.BOTH):
        return row
    ignored = tuple(one for one in (_ignored(row.address, c, rules, harmless or {}) for c in _drifted(row)) if one)
    known = {one.path for one in ignored}
    paths = tuple(path for path in _paths(row) if path not in known)
    mine = [one for one in acknowledgements if row.address.matches(one.address)]
    covered = tuple(AcknowledgedDriftField(path, by) for path in paths if (by := _covering(path, mine)))
    row = replace(row, acknowledged=covered, ignored=ignored)
    if len(covered) < len(paths) or not (covered or ignored):
        return row
    rest = DriftState.ACKNOWLEDGED if covered else DriftState.IGNORED
    return replace(row, state=rest if row.state is DriftState.DRIFTED else DriftState.PENDING)


def _drifted(row: ObjectDrift) -> tuple[FieldChange, ...]:
    """The fields that are drift of this row."""
    declared = [field for field in row.fields if row.state is DriftState.DRIFTED or is_value_set_by_others(field)]
    return (*declared, *row.undeclared)


def is_value_set_by_others(field: FieldChange) -> bool:
    """Whether somebody else set the value; a field that we only let go is nobody's drift."""
    return bool(field.manager) and field.op is not FieldOp.DISOWN


def _paths(row: ObjectDrift) -> tuple[FieldPath, ...]:
    """What is drift of this row; the object itself when it is gone."""
    return tuple(dict.fromkeys(field.path for field in _drifted(row))) or ((),)


def _ignored(
    address: Address, change: FieldChange, rules: Sequence[DriftIgnoreRule], harmless: Mapping[FieldPath, str]
) -> IgnoredDriftField | None:
    for rule in rules:
        if _applies(rule, address, change):
            return IgnoredDriftField(change.path, rule.reason, rule.source)
    reason = harmless.get(change.path)
    return IgnoredDriftField(change.path, reason) if reason else None


def _applies(rule: DriftIgnoreRule, address: Address, change: FieldChange) -> bool:
    kind = f"{address.kind}.{address.group}" if address.group else address.kind
    if not (fnmatchcase(kind, rule.kind) or fnmatchcase(address.kind, rule.kind)):
        return False
    if not fnmatchcase(change.manager, rule.manager):
        return False
    return _is_in(rule.fields, change.path)


def _is_in(fields: Sequence[FieldPath], path: FieldPath) -> bool:
    """Whether the path is one of these fields or below one; no fields stand for all."""
    return not fields or any(path_covers(field, path) for field in fields)


def _covering(path: FieldPath, acknowledgements: Sequence[DriftAcknowledgement]) -> DriftAcknowledgement | None:
    return next(
        (one for one in acknowledgements if not one.fields or any(path_covers(f, path) for f in one.fields)), None
    )
