"""Drift as issues: which are open, what they say, and that what was not looked at never counts as clean."""

from __future__ import annotations

import pytest

from planner.address import Address
from planner.drift import DriftReport, DriftState, ObjectDrift
from planner.plan import ClusterIdentity, FieldChange, FieldOp, Selection
from planner.render.drift_issue import DriftFinding, DriftIssue, make_drift_issues
from planner.source_line_ref import SourceRef

NOWHERE = SourceRef("")
CHANGE = FieldChange(("spec", "replicas"), FieldOp.CHANGE, 7, 1, manager="night|shift", time="2026-11-30T12:20:15Z")


def row(name: str, state: DriftState, reason: str = "", *fields: FieldChange, undeclared: bool = False) -> ObjectDrift:
    added = (FieldChange(("spec", "x"), FieldOp.ADD, None, 1, manager="m"),) if undeclared else ()
    return ObjectDrift(Address.parse(f"ConfigMap/demo/{name}"), state, reason, NOWHERE, fields, added)


def found(*rows: ObjectDrift) -> dict[DriftFinding, DriftIssue]:
    report = DriftReport(Selection(), ClusterIdentity("u", "s"), rows)
    return {one.finding: one for one in make_drift_issues(report, "shop.N1.v1", "hwplan drift")}


def test_each_finding_is_an_issue_of_its_own() -> None:
    issues = found(
        row("gone", DriftState.DRIFTED, "deleted since run 3"),
        row("edited", DriftState.DRIFTED, "", CHANGE),
        row("more", DriftState.DRIFTED, "fields that nobody declared", undeclared=True),
        row("fine", DriftState.IN_SYNC),
    )
    assert {one.finding for one in issues.values() if one.is_open} == {
        DriftFinding.DELETED,
        DriftFinding.CHANGED,
        DriftFinding.UNDECLARED,
    }
    assert len({one.marker for one in issues.values()}) == 4
    assert "demo/gone" in issues[DriftFinding.DELETED].body and "edited" not in issues[DriftFinding.DELETED].body
    assert "spec.replicas 1 -> 7" in issues[DriftFinding.CHANGED].body  # from what was declared to what lives


def test_what_cannot_be_looked_at_closes_nothing() -> None:
    issues = found(row("dark", DriftState.INCOMPLETE, "forbidden"), row("edited", DriftState.DRIFTED, "", CHANGE))
    assert set(issues) == {DriftFinding.CHANGED, DriftFinding.UNREADABLE}
    assert all(one.is_open for one in issues.values())
    assert "more may have drifted" in issues[DriftFinding.CHANGED].body


@pytest.mark.parametrize("state", [DriftState.IN_SYNC, DriftState.PENDING, DriftState.ACKNOWLEDGED, DriftState.IGNORED])
def test_what_is_no_drift_closes_all(state: DriftState) -> None:
    assert not any(one.is_open for one in found(row("a", state)).values())


def test_a_hostile_name_stays_in_its_cell() -> None:
    line = next(
        line
        for line in found(row("edited", DriftState.DRIFTED, "", CHANGE))[DriftFinding.CHANGED].body.split("\n")
        if "edited" in line
    )
    assert line.count("|") == 4


def test_a_body_fits_whatever_drifted() -> None:
    long = FieldChange(("data", "x"), FieldOp.CHANGE, "<" * 500, ">" * 500, manager="<" * 500)
    issues = found(*(row(f"n{at}", DriftState.DRIFTED, "", long) for at in range(300)))
    assert len(issues[DriftFinding.CHANGED].body) < 65_000 and "and 2" in issues[DriftFinding.CHANGED].body
    assert issues[DriftFinding.CHANGED].objects == 300
