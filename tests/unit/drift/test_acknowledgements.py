"""Acknowledgements: what they cover, how long they hold, and what is wrong in their file, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.address import Address
from planner.applied_state import AppliedState
from planner.drift import DriftAcknowledgement, DriftReport, DriftState, ObjectDrift
from planner.errors import ConfigError, SelectionError
from planner.field_path import parse_path
from planner.graph import build_graph
from planner.loading.drift_acknowledgements import load_drift_acknowledgements
from planner.plan import ClusterIdentity, DriftedField, FieldChange, FieldOp, Selection
from planner.planning import PlanInputs, drift_report
from planner.ports import AbsentObject, Observation, PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.render.drift_fields import drifted_fields, fields_not_yet_applied, undeclared_drift_fields
from planner.resource import Resource
from planner.source_line_ref import SourceRef

TODAY = "2026-11-23"
ADDRESS = Address.parse("Deployment.apps/shop/api")
SCALED = FieldChange(("spec", "replicas"), FieldOp.CHANGE, 7, 2, False, "night-shift", "2026-11-22T03:11:40Z")
IMAGE = FieldChange(
    parse_path("spec.template.spec.containers[name=a].image"), FieldOp.CHANGE, "x:2", "x:1", False, "ci"
)
ADDED = FieldChange(("metadata", "labels", "a"), FieldOp.ADD, None, "1", False, "metallb")


def accept(address: str = "Deployment.apps/shop/*", *fields: str, until: str = "2026-12-31") -> DriftAcknowledgement:
    return DriftAcknowledgement(address, "a trial", until, tuple(parse_path(field) for field in fields))


def judge(preview: Preview, *accepted: DriftAcknowledgement, seen: Observation | None = None) -> ObjectDrift:
    """What becomes of one object."""
    return _report(preview, *accepted, seen=seen).rows[0]


def _report(preview: Preview, *accepted: DriftAcknowledgement, seen: Observation | None = None) -> DriftReport:
    resource = Resource(ADDRESS, "apps/v1", {"kind": "Deployment"}, "shop", "", SourceRef("a.yaml"))
    inputs = PlanInputs(
        Selection("shop"),
        ClusterIdentity("u", "s"),
        "",
        build_graph([resource]),
        {ADDRESS: resource},
        {ADDRESS: seen or PresentObject(ADDRESS, "u", "c", {}, owned_by="shop")},
        {ADDRESS: preview},
    )
    return drift_report(inputs, AppliedState(0, {}), accepted, TODAY)


DRIFTED = Preview(
    PreviewEffect.UPDATE, (SCALED, IMAGE), drifted=True, drift=(DriftedField(ADDRESS, ADDED, declared=False),)
)
BOTH = Preview(PreviewEffect.UPDATE, (SCALED, FieldChange(("spec", "paused"), FieldOp.ADD, None, True)))


def test_without_one_everything_counts() -> None:
    row = judge(DRIFTED)
    assert row.state is DriftState.DRIFTED and len(drifted_fields(row)) == 2 and len(undeclared_drift_fields(row)) == 1


def test_the_whole_object() -> None:
    row = judge(DRIFTED, accept())
    assert row.state is DriftState.ACKNOWLEDGED and len(row.acknowledged) == 3
    assert not drifted_fields(row) and not undeclared_drift_fields(row) and not fields_not_yet_applied(row)


@pytest.mark.parametrize(
    "fields",
    [
        ("spec.replicas",),
        ("spec.replicas", "metadata.labels"),
        ("spec.template.spec.containers[name=a]", "metadata.labels.a"),
    ],
)
def test_named_fields_and_what_is_below_them(fields: tuple[str, ...]) -> None:
    row = judge(DRIFTED, accept("*", *fields))
    assert row.state is DriftState.DRIFTED, "the rest still counts"
    assert len(row.acknowledged) == len(fields)
    assert len(drifted_fields(row)) + len(undeclared_drift_fields(row)) == 3 - len(fields)


def test_all_fields_by_name_are_the_whole() -> None:
    assert judge(DRIFTED, accept("*", "spec"), accept("*", "metadata.labels.a")).state is DriftState.ACKNOWLEDGED


def test_of_an_object_in_both_states_what_is_pending_stays_so() -> None:
    row = judge(BOTH, accept("*", "spec.replicas"))
    assert row.state is DriftState.PENDING and [change.path for change in fields_not_yet_applied(row)] == [
        ("spec", "paused")
    ]
    assert not drifted_fields(row)


@pytest.mark.parametrize("accepted", [accept("Deployment.apps/other/*"), accept("*", "spec.paused")])
def test_others_are_not_covered(accepted: DriftAcknowledgement) -> None:
    assert judge(DRIFTED, accepted).state is DriftState.DRIFTED


def test_its_last_day_is_the_one_that_it_names() -> None:
    assert judge(DRIFTED, accept(until=TODAY)).state is DriftState.ACKNOWLEDGED
    report = _report(DRIFTED, accept(until="2026-11-22"))
    assert report.rows[0].state is DriftState.DRIFTED and report.exit_code == 2
    assert [one.expires for one in report.expired] == ["2026-11-22"]


def test_what_is_no_drift_cannot_be_acknowledged() -> None:
    unreadable = UnreadableObject(ADDRESS, "forbidden")
    assert judge(DRIFTED, accept(), seen=unreadable).state is DriftState.INCOMPLETE
    assert judge(Preview(PreviewEffect.UPDATE, blocked="a webhook is down"), accept()).state is DriftState.INCOMPLETE
    assert judge(Preview(PreviewEffect.CREATE), accept(), seen=AbsentObject(ADDRESS)).state is DriftState.PENDING


def test_incomplete_wins_over_drift_in_the_exit_code() -> None:
    report = _report(DRIFTED, accept(), seen=UnreadableObject(ADDRESS, "forbidden"))
    assert report.exit_code == 1 and not report.is_complete


def test_warnings_of_predictions_are_told() -> None:
    assert _report(Preview(PreviewEffect.NONE, warnings=("not asked",))).warnings == (f"{ADDRESS}: not asked",)


# --- the file ------------------------------------------------------------------------------------------------------


def _problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "acks.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as found:
        load_drift_acknowledgements(file)
    return [f"{one.source.line}:{one.source.column} {one.message}" for one in found.value.problems]


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "acks.yaml"
    file.write_text(
        "- {address: 'Deployment.apps/*', reason: r, expires: '2026-12-31'}\n"
        "- address: Secret/shop/login\n  fields: [data.a, 'metadata.annotations[x/y]']\n"
        "  reason: rotated by hand\n  expires: '2027-01-31'\n"
    )
    first, second = load_drift_acknowledgements(file)
    assert (first.address, first.fields, first.source.line) == ("Deployment.apps/*", (), 1)
    assert second.fields == (("data", "a"), ("metadata", "annotations", "x/y"))
    assert (second.source.file, second.source.line) == (str(file), 2)


def test_every_problem_with_its_place(tmp_path: Path) -> None:
    text = "- {address: a, reason: r, expires: '2026-2-31'}\n"
    text += "- address: a/b\n  fields: ['a[']\n  reasn: r\n  expires: 5\n- 7\n"
    assert _problems(tmp_path, text) == [
        "1:4 address: expected an address or a glob of addresses: Kind.group/namespace/name",
        '1:27 expires: expected a day in quotes: "2026-12-31"',
        '2:3 missing field "reason"',
        "3:12 fields[0]: expected a field path as plans show it: spec.containers[name=api].image",
        '4:3 unknown field "reasn"',
        "5:3 expires: expected text",
        "6:3 expected a mapping",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("address: a/b\n", "1:1 expected a list of acknowledgements"),
        ("- {address: a/b, reason: '', expires: '2026-12-31'}\n", "1:18 reason: "),
        ("- {address: a/b, reason: r, expires: 2026-12-31}\n", "1:38 this unquoted value is a date"),
    ],
)
def test_other_mistakes(tmp_path: Path, text: str, said: str) -> None:
    (found,) = _problems(tmp_path, text)
    assert found.startswith(said)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SelectionError, match="no such file"):
        load_drift_acknowledgements(tmp_path / "none.yaml")
