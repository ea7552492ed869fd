"""What a reviewer must not overlook is found, and reported before all else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.plan import Action, FieldChange, FieldOp, Selection
from planner.render.plan_markdown import render_plan_markdown
from planner.render.risks import RiskKind, find_risks
from planner.render.selection_in_words import plan_comment_marker
from planner.values import Json
from tests.unit.render.sample_plans import SAMPLES, address, change, mixed, plan_of

PRINT = "hmac-sha256:7a1c02d4e5f60718"
NOTES = ("metadata", "annotations")
PROBE = {"name": "api", "readinessProbe": {"httpGet": {"path": "/"}}, "livenessProbe": {}}


def dangers(kind: str, *fields: FieldChange, action: Action = Action.UPDATE) -> list[tuple[RiskKind, str]]:
    return [(risk.danger, risk.text) for risk in find_risks(plan_of(change(f"{kind}/n/x", action, *fields)))]


def update(path: tuple[str, ...], before: Json, after: Json, op: FieldOp = FieldOp.CHANGE) -> FieldChange:
    return FieldChange(path, op, before, after)


def test_every_danger_of_the_sample_the_gravest_first() -> None:
    found = [(risk.danger, risk.address.rpartition("/")[2]) for risk in find_risks(mixed())]
    assert found == [
        (RiskKind.BLOCKED, "postgres"),
        (RiskKind.DELETE, "old-migrate"),
        (RiskKind.REPLACE, "migrate"),
        (RiskKind.SECRET, "openfga"),
        (RiskKind.ADOPT, "openfga"),
    ]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("HttpProbe", update(("spec", "role"), "gate", "diagnostic")),
        ("HttpProbe", update(("spec",), {"role": "gate"}, {"role": "diagnostic"})),
        ("HttpProbe", update(("spec", "expect", "status"), 200, None, FieldOp.REMOVE)),
        ("ConfigMap", update((*NOTES, "hwplan.dev/protect"), "true", "false")),
        ("ConfigMap", update((*NOTES, "hwplan.dev/protect"), "true", None, FieldOp.REMOVE)),
        ("ConfigMap", update(NOTES, None, {"hwplan.dev/wait": "none"}, FieldOp.ADD)),
        ("Job.batch", update((*NOTES, "hwplan.dev/replace"), None, "allow", FieldOp.ADD)),
        ("Deployment.apps", update(("spec", "readinessProbe"), {}, None, FieldOp.REMOVE)),
        ("Deployment.apps", update(("spec", "containers"), [PROBE], [{"name": "api"}])),
    ],
)
def test_a_gate_that_is_loosened(kind: str, field: FieldChange) -> None:
    assert [danger for danger, _ in dangers(kind, field)] == [RiskKind.GATE]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("HttpProbe", update(("spec", "role"), "diagnostic", "gate")),
        ("ConfigMap", update(("spec", "role"), "gate", "diagnostic")),
        ("ConfigMap", update((*NOTES, "hwplan.dev/protect"), None, "true", FieldOp.ADD)),
        ("ConfigMap", update((*NOTES, "hwplan.dev/wait"), "none", "5m")),
        ("ConfigMap", update((*NOTES, "x/y"), "true", "none")),
        ("Deployment.apps", update(("spec", "readinessProbe", "periodSeconds"), 5, 10)),
        ("Deployment.apps", update(("spec", "readinessProbe"), {}, {"a": 1})),
        ("Deployment.apps", update(("spec", "containers"), [PROBE], [PROBE, {"name": "b"}])),
    ],
)
def test_a_gate_that_holds(kind: str, field: FieldChange) -> None:
    assert dangers(kind, field) == []


def test_a_secret_that_is_new_is_no_danger_and_one_that_changes_is() -> None:
    new = FieldChange(("data", "a"), FieldOp.ADD, None, PRINT, sensitive=True)
    other = FieldChange(("data", "b"), FieldOp.CHANGE, PRINT, PRINT[:-1] + "9", sensitive=True)
    assert dangers("Secret", new) == []
    assert dangers("Secret", new, action=Action.CREATE) == []
    assert dangers("Secret", new, other) == [(RiskKind.SECRET, "data.b")]


def test_fields_taken_from_others_are_named() -> None:
    forced = replace(change("ConfigMap/n/x", Action.UPDATE), forced=tuple(("data", f"k{at}") for at in range(6)))
    found = find_risks(plan_of(forced))
    assert [(risk.danger, risk.text) for risk in found] == [
        (RiskKind.FORCED, "data.k0, data.k1, data.k2, data.k3 and 2 more")
    ]


def test_whose_field_is_taken_is_told() -> None:
    field = FieldChange(("spec", "replicas"), FieldOp.CHANGE, 7, 2, manager="kubectl-scale")
    forced = replace(change("Deployment.apps/n/x", Action.UPDATE, field), forced=(("spec", "replicas"),))
    assert [risk.text for risk in find_risks(plan_of(forced))] == ["spec.replicas (set by kubectl-scale)"]


def test_a_remark_about_what_has_no_line_is_a_warning() -> None:
    notes = {mixed().changes[0].address: "on its line", address("HttpProbe/gate"): "left alone"}
    page = render_plan_markdown(mixed(), notes=notes)
    assert page.count("left alone") == 1 and "- warning: `HttpProbe/gate: left alone`" in page


def test_the_header_counts_them_and_says_so_when_there_are_none() -> None:
    assert (
        "Risk: **blocked: 1**, **delete: 1**, **replace: 1**, **secret changed: 1**, **adopt: 1**"
        in render_plan_markdown(mixed())
    )
    assert "Risk: no downtime, delete, replace" in render_plan_markdown(SAMPLES["many-alike"])


def test_the_marker_names_the_selection_and_not_the_plan() -> None:
    one, other = (render_plan_markdown(plan_of(unchanged=count)).splitlines()[0] for count in (1, 2))
    assert one == other == "<!-- hwplan:plan:hwlab.D601.v03 -->"
    assert plan_comment_marker(Selection("", "shop")) == "hwplan:plan:shop"
    assert plan_comment_marker(Selection("p", "", ("a", "b"), ("v",))) == "hwplan:plan:p.a+b.v"


@pytest.mark.parametrize("text", ["-->", "a--b", "<b>", "x" * 500, "@team"])
def test_no_name_gets_out_of_the_marker(text: str) -> None:
    found = plan_comment_marker(Selection(text, "", ("n",), ("l",)))
    assert "--" not in found and ">" not in found and "@" not in found
    assert len(found) < 160
    assert found != plan_comment_marker(Selection(text + "'", "", ("n",), ("l",)))


def test_what_a_run_takes_away_and_what_it_executes_is_told() -> None:
    ended = [update((name,), "Succeeded, finished 2026-11-01T00:00:00Z", None, FieldOp.REMOVE) for name in ("a", "b")]
    clean_up = replace(change("Retention/old", Action.RUN, *ended), desired={"spec": {}})
    spec = {"command": ["/app/migrate", "la\x1btest"], "target": "Deployment.apps/shop/api"}
    command = replace(change("PodExec/migrate", Action.RUN), desired={"spec": spec})
    assert [(one.danger, one.address, one.text) for one in find_risks(plan_of(clean_up, command))] == [
        (RiskKind.DELETE, "Retention/old", "a, b"),
        (RiskKind.COMMAND, "PodExec/migrate", "/app/migrate la\\x1btest in Deployment.apps/shop/api"),
    ]
