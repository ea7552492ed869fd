"""What becomes of one object in a report: what ends by itself is never "deleted", and an error never looks clean."""

from __future__ import annotations

import pytest

from planner.address import Address
from planner.applied_state import AppliedRecord, AppliedState
from planner.drift import DriftReport, DriftState
from planner.graph import build_graph
from planner.plan import ClusterIdentity, DriftedField, FieldChange, FieldOp, Selection
from planner.planning import PlanInputs, drift_report
from planner.ports import AbsentObject, Observation, PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.resource import Resource
from planner.source_line_ref import SourceRef

CAUSE = Address.parse("Deployment.apps/shop/api")
FIELD = FieldChange(("spec", "replicas"), FieldOp.CHANGE, 7, 2, False, "night-shift", "2026-11-22T03:11:40Z")
OURS = FieldChange(("spec", "paused"), FieldOp.ADD, None, True)
UPDATE = Preview(PreviewEffect.UPDATE, (FIELD,), drifted=True)
KINDS = {
    "HttpProbe": "hwplan.dev/v1", "PrometheusQuery": "hwplan.dev/v1", "Restart": "hwplan.dev/v1",
    "PodExec": "hwplan.dev/v1", "Retention": "hwplan.dev/v1", "PipelineRun.tekton.dev": "tekton.dev/v1",
}  # fmt: skip


def report(kind: str, preview: Preview | None, seen: Observation | None = None, *, recorded: bool) -> DriftReport:
    """The report of one object that was applied by run 1, or never."""
    address = Address.parse(f"{kind}/{'shop/' if '.' in kind else ''}x")
    api_version = KINDS.get(kind, "hwplan.dev/v1" if kind == "LocalFile" else "apps/v1")
    resource = Resource(address, api_version, {"kind": address.kind}, "shop", "", SourceRef("a.yaml", 1))
    at = "2026-11-22T03:00:00Z"
    record = AppliedRecord(address, api_version, "shop", "", "u", "sha256:0", 1, at, resource.source, "sha256:0")
    inputs = PlanInputs(
        Selection("shop"), ClusterIdentity("u", "s"), "", build_graph([resource]), {address: resource},
        {address: seen or AbsentObject(address)}, {} if preview is None else {address: preview},
    )  # fmt: skip
    return drift_report(inputs, AppliedState(1, {address: record} if recorded else {}), (), "2026-11-23")


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("causes", [(), (CAUSE,)])
def test_a_run_that_follows_changes_is_never_deleted(kind: str, causes: tuple[Address, ...], recorded: bool) -> None:
    """A probe of a lane that converged was said to be "deleted since run 1" and made a clean lane exit with 2."""
    found = report(kind, Preview(PreviewEffect.RUN, on_change=causes), recorded=recorded)
    assert (found.rows[0].state, found.exit_code) == (DriftState.IN_SYNC, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_wanted_is_pending_and_says_why(kind: str) -> None:
    """Whatever it left in the world the last time, nobody else did that."""
    found = report(kind, Preview(PreviewEffect.RUN, evidence="HTTP 500"), recorded=True)
    assert (found.rows[0].state, found.rows[0].reason, found.exit_code) == (
        DriftState.PENDING,
        "to be run: HTTP 500",
        0,
    )


def test_a_run_that_nobody_can_judge_is_incomplete() -> None:
    found = report("PrometheusQuery", Preview(PreviewEffect.RUN, blocked="no Prometheus is named"), recorded=True)
    assert (found.rows[0].state, found.exit_code) == (DriftState.INCOMPLETE, 1)


def test_what_its_provider_wants_absent_is_in_sync() -> None:
    """A Retention with nothing left to take away."""
    found = report("Retention", Preview(PreviewEffect.NONE), recorded=True)
    assert (found.rows[0].state, found.exit_code) == (DriftState.IN_SYNC, 0)


@pytest.mark.parametrize(("recorded", "state", "code"), [(True, DriftState.DRIFTED, 2), (False, DriftState.PENDING, 0)])
def test_an_object_that_is_gone(recorded: bool, state: DriftState, code: int) -> None:
    found = report("Deployment.apps", Preview(PreviewEffect.CREATE), recorded=recorded)
    assert (found.rows[0].state, found.exit_code) == (state, code)
    assert (found.rows[0].reason == "deleted since run 1") is recorded


def _live(address: str = "Deployment.apps/shop/x", owned_by: str = "shop") -> PresentObject:
    return PresentObject(Address.parse(address), "u", "c", {}, owned_by=owned_by)


UNDECLARED = DriftedField(CAUSE, FieldChange(("metadata", "labels", "a"), FieldOp.ADD, None, "1"), declared=False)


@pytest.mark.parametrize(
    ("preview", "seen", "state", "code"),
    [
        (Preview(PreviewEffect.NONE), _live(), DriftState.IN_SYNC, 0),
        (Preview(PreviewEffect.NONE, drift=(UNDECLARED,)), _live(), DriftState.DRIFTED, 2),
        (UPDATE, _live(), DriftState.DRIFTED, 2),
        (Preview(PreviewEffect.UPDATE, (OURS,)), _live(), DriftState.PENDING, 0),
        (Preview(PreviewEffect.UPDATE, (OURS, FIELD)), _live(), DriftState.BOTH, 2),
        (UPDATE, _live(owned_by="other"), DriftState.PENDING, 0),
        (Preview(PreviewEffect.UPDATE, blocked="webhook down"), _live(), DriftState.INCOMPLETE, 1),
        (None, _live(), DriftState.INCOMPLETE, 1),
        (UPDATE, UnreadableObject(Address.parse("Deployment.apps/shop/x"), "forbidden"), DriftState.INCOMPLETE, 1),
    ],
)
def test_an_object_that_lives(preview: Preview | None, seen: Observation, state: DriftState, code: int) -> None:
    found = report("Deployment.apps", preview, seen, recorded=True)
    assert (found.rows[0].state, found.exit_code) == (state, code)


@pytest.mark.parametrize(
    ("expects", "state", "code"),
    [("sha256:0", DriftState.DRIFTED, 2), ("sha256:1", DriftState.PENDING, 0), ("", DriftState.PENDING, 0)],
)
def test_a_hwplan_kind_that_is_to_be_as_it_was_applied_was_changed_by_somebody(
    expects: str, state: DriftState, code: int
) -> None:
    """A commit that moved upstream makes a ref pending; a file that somebody wrote over is drift."""
    seen = PresentObject(Address.parse("LocalFile/x"), "", "sha256:other", {"digest": "x"})
    found = report("LocalFile", Preview(PreviewEffect.UPDATE, (OURS,), expects=expects), seen, recorded=True)
    assert (found.rows[0].state, found.exit_code) == (state, code)


@pytest.mark.parametrize(("expects", "state"), [("sha256:0", DriftState.DRIFTED), ("sha256:1", DriftState.PENDING)])
def test_a_hwplan_kind_that_is_to_be_another_one_was_not_deleted(expects: str, state: DriftState) -> None:
    """A snapshot ref is named after a commit: when the branch moves, the one of the new commit is not there yet."""
    found = report("LocalFile", Preview(PreviewEffect.CREATE, expects=expects), None, recorded=True)
    assert found.rows[0].state is state
