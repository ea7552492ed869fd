"""Fields that are left to another owner by a rule: they never count, and every report says how many there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from planner.drift import DriftIgnoreRule, DriftReport, DriftState, ObjectDrift
from planner.errors import ConfigError, SelectionError
from planner.field_path import parse_path
from planner.loading.drift_ignore_rules import load_ignore_rules
from planner.plan import DriftedField, FieldChange, FieldOp
from planner.planning.acknowledged_and_ignored_drift import mark_acknowledged_and_ignored_drift
from planner.ports import Preview, PreviewEffect
from planner.render.drift_json import drift_json
from planner.render.drift_markdown import render_drift_markdown
from planner.render.drift_prometheus import render_drift_prometheus
from planner.render.drift_text import render_drift_text
from planner.source_line_ref import SourceRef
from tests.unit.drift.reports import LABEL, REPLICAS, report, row
from tests.unit.drift.test_acknowledgements import accept as acknowledge
from tests.unit.drift.test_acknowledgements import judge

DRIFTED = row("Deployment.apps/shop/api", DriftState.DRIFTED, "", REPLICAS, undeclared=(LABEL,))
RULE = DriftIgnoreRule(
    "Deployment.apps", "night-*", (parse_path("spec.replicas"),), "scaled at night", SourceRef("rules.yaml", 1)
)
METALLB = DriftIgnoreRule("*", "metallb", (), "its own labels")


def test_a_rule_takes_its_fields_out_of_the_count() -> None:
    settled = mark_acknowledged_and_ignored_drift(DRIFTED, (), [RULE])
    assert settled.state is DriftState.DRIFTED and [one.path for one in settled.ignored] == [REPLICAS.path]


def test_an_object_of_which_everything_is_ignored_rings_no_alarm() -> None:
    settled = mark_acknowledged_and_ignored_drift(DRIFTED, (), [RULE, METALLB])
    assert settled.state is DriftState.IGNORED and report(settled).exit_code == 0


@pytest.mark.parametrize(
    "rule",
    [
        replace(RULE, kind="StatefulSet.apps"),
        replace(RULE, kind="Deployment.extensions"),
        replace(RULE, manager="day-shift"),
        replace(RULE, fields=(parse_path("spec.template"),)),
    ],
)
def test_kind_manager_and_field_must_all_fit(rule: DriftIgnoreRule) -> None:
    assert not mark_acknowledged_and_ignored_drift(DRIFTED, (), [rule]).ignored


def test_a_deleted_object_is_never_ignored() -> None:
    gone = row("Deployment.apps/shop/api", DriftState.DRIFTED, "deleted since run 3")
    assert (
        mark_acknowledged_and_ignored_drift(gone, (), [DriftIgnoreRule("*", "*", (), "all")]).state
        is DriftState.DRIFTED
    )


def test_what_is_pending_beside_it_stays_so() -> None:
    both = replace(DRIFTED, state=DriftState.BOTH, undeclared=())
    assert mark_acknowledged_and_ignored_drift(both, (), [RULE]).state is DriftState.PENDING


def test_rules_and_acknowledgements_together() -> None:
    settled = mark_acknowledged_and_ignored_drift(DRIFTED, [acknowledge("*", "metadata.labels")], [RULE])
    assert settled.state is DriftState.ACKNOWLEDGED and len(settled.acknowledged) == len(settled.ignored) == 1


def test_a_restart_is_shown_and_does_not_count() -> None:
    path = parse_path("spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]")
    field = FieldChange(
        path, FieldOp.ADD, None, "2026-11-22T03:00:00Z", False, "kubectl-rollout", "2026-11-22T03:00:00Z"
    )
    drift = DriftedField(DRIFTED.address, field, declared=False, harmless="a restart")
    settled = judge(Preview(PreviewEffect.NONE, drift=(drift,)))
    assert settled.state is DriftState.IGNORED and settled.ignored[0].reason == "a restart"


def test_every_report_counts_and_names_them() -> None:
    whole: DriftReport = report(mark_acknowledged_and_ignored_drift(DRIFTED, (), [RULE, METALLB]))
    text = render_drift_text(whole, width=160, colour=False, command="hwplan apply")
    assert "none of 1 object drifted, 2 fields ignored" in text and "(ignored: scaled at night, rules.yaml:1)" in text
    assert "to put it back" not in text
    document = drift_json(whole)
    assert document["summary"]["ignored"] == 1 and document["summary"]["ignoredFields"] == 2
    assert document["objects"][0]["ignored"][0]["rule"]["reason"] == "scaled at night"
    assert "scaled at night" in render_drift_markdown(whole)
    metrics = render_drift_prometheus(whole)
    assert "hwplan_drift_fields_ignored{" in metrics and 'state="ignored"' in metrics


# --- the file ------------------------------------------------------------------------------------------------------


def test_a_file_of_rules(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("- kind: Deployment.apps\n  fields: [spec.replicas]\n  manager: kube-*\n  reason: an autoscaler\n")
    [rule] = load_ignore_rules(file)
    assert (rule.kind, rule.manager, rule.fields, rule.reason) == (
        "Deployment.apps",
        "kube-*",
        (("spec", "replicas"),),
        "an autoscaler",
    )
    assert rule.source.line == 1


def test_every_problem_of_the_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(
        "- kind: Deployment.apps/shop/api\n  reason: x\n- kind: Service\n  fields: ['a[']\n  reason: why\n- kind: A\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_ignore_rules(file)
    reported = [f"{problem.source.line}: {problem.message}" for problem in caught.value.problems]
    assert [text.partition(":")[0] for text in reported] == ["1", "4", "6"], reported


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SelectionError):
        load_ignore_rules(tmp_path / "none.yaml")


def test_rows_in_sync_are_left_as_they_are() -> None:
    quiet: ObjectDrift = row("Service/shop/api", DriftState.IN_SYNC)
    assert mark_acknowledged_and_ignored_drift(quiet, (), [METALLB]) is quiet
