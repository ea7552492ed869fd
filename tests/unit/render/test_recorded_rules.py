"""A rule that asks for less than before is a risk with its name; one that asks for more, or a new record, is none."""

from __future__ import annotations

import pytest

from planner.plan import Action, Change, FieldChange, FieldOp
from planner.render.loosened_lane_rules import lane_rules_loosened_by_change
from planner.render.risks import RiskKind, find_risks
from tests.unit.render.sample_plans import change, plan_of

RULES = {"metadata": {"annotations": {"hwplan.dev/role": "rules"}}}


def record(*fields: FieldChange, action: Action = Action.UPDATE, desired: object = RULES) -> Change:
    return change("ConfigMap/ci/rules", action, *fields, desired=desired)  # type: ignore[arg-type]


def key(name: str, before: str | None, after: str | None) -> FieldChange:
    op = FieldOp.ADD if before is None else FieldOp.REMOVE if after is None else FieldOp.CHANGE
    return FieldChange(("data", name), op, before, after)


@pytest.mark.parametrize(
    ("name", "before", "after", "reported"),
    [
        ("gate.require", "argo, runtime, mirror-flush", "runtime, argo", "gate.require loses mirror-flush"),
        ("gate.require", "argo", None, "gate.require loses argo"),
        ("gate.require", "argo", "argo, runtime", ""),
        ("gate.failureIssue", "true", "false", "gate.failureIssue true -> false"),
        ("gate.failureIssue", "false", "true", ""),
        ("gate.warnAfter", "90s", "5m", "gate.warnAfter 90s -> 5m"),
        ("gate.warnAfter", "5m", "300s", ""),
        ("gate.probes.1", "gate https://a 200", "diagnostic https://a 200", "gate.probes.1 is no gate any more: gate"),
        ("retention.pvs.keep", "5", "3", "retention.pvs.keep 5 -> 3"),
        ("retention.pvs.keep", "3", "10", ""),
        ("retention.pvs.minAge", "24h", "90m", "retention.pvs.minAge 24h -> 90m"),
        ("retention.pvs.limit", "20", "200", "retention.pvs.limit 20 -> 200"),
        ("something.else", "9", "1", ""),
    ],
)
def test_rules(name: str, before: str | None, after: str | None, reported: str) -> None:
    found = [text for _, text in lane_rules_loosened_by_change(record(key(name, before, after)))]
    assert [text[: len(reported)] for text in found] == ([reported] if reported else [])


def test_they_are_risks_of_two_kinds() -> None:
    fields = (key("gate.require", "a, b", "a"), key("retention.x.keep", "5", "3"))
    assert [risk.danger for risk in find_risks(plan_of(record(*fields)))] == [RiskKind.GATE, RiskKind.RETENTION]


def test_only_what_is_recorded_as_rules_counts() -> None:
    lost = key("gate.require", "a, b", "a")
    assert not list(lane_rules_loosened_by_change(record(lost, desired={"metadata": {}})))
    assert not list(lane_rules_loosened_by_change(record(lost, action=Action.CREATE)))
