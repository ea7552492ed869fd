"""When a run is planned: for itself, with what it follows, and never without what it acts on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.address import Address
from planner.applied_state import AppliedState
from planner.drift import DriftState
from planner.graph import build_graph
from planner.plan import Action, ClusterIdentity, Plan, Selection
from planner.planning import PlanInputs, drift_report, make_plan
from planner.ports import AbsentObject, Observation, PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.resource import Resource
from tests.unit.kubernetes.world import config, declare, deployment

SETTINGS, WEB = Address.parse("ConfigMap/demo/settings"), Address.parse("Deployment.apps/demo/web")
RESTART = Address.parse("Restart/web")
FOLLOWS = Preview(PreviewEffect.RUN, on_change=(SETTINGS,))
LACKS = Preview(PreviewEffect.RUN, lacks=(WEB,))
_SPEC = {"target": str(WEB), "on": [str(SETTINGS)]}
_RESTART = {"apiVersion": "hwplan.dev/v1", "kind": "Restart", "metadata": {"name": "web"}, "spec": _SPEC}


def inputs(run: Preview, settings: Preview | None, web: Preview | None) -> PlanInputs:
    """A Restart with what it follows and acts on; None for what is not declared."""
    declared: dict[Address, tuple[Resource, Preview]] = {RESTART: (declare(_RESTART), run)}
    if settings is not None:
        declared[SETTINGS] = (declare(config("settings", {})), settings)
    if web is not None:
        declared[WEB] = (declare(deployment("web")), web)
    resources = {address: resource for address, (resource, _) in declared.items()}
    seen: dict[Address, Observation] = {
        address: AbsentObject(address)
        if preview.effect is PreviewEffect.CREATE
        else PresentObject(address, "uid", "content")
        for address, (_, preview) in declared.items()
    }
    if run.lacks:
        seen[RESTART] = AbsentObject(RESTART)
    previews = {address: preview for address, (_, preview) in declared.items()}
    graph = build_graph(list(resources.values()))
    return PlanInputs(Selection(), ClusterIdentity("u", "s"), "c", graph, resources, seen, previews)


def actions(plan: Plan) -> dict[str, str]:
    return {change.address.local: str(change.action) for change in plan.changes}


NOTHING, CREATE = Preview(PreviewEffect.NONE), Preview(PreviewEffect.CREATE)
UPDATE, REPLACE = Preview(PreviewEffect.UPDATE), Preview(PreviewEffect.REPLACE)
ALWAYS = Preview(PreviewEffect.RUN, on_change=())
CASES: dict[str, tuple[Preview, Preview | None, Preview | None, bool]] = {
    "nothing changes": (FOLLOWS, NOTHING, NOTHING, False),
    "what it follows changes": (FOLLOWS, UPDATE, NOTHING, True),
    "the workload changes": (FOLLOWS, NOTHING, UPDATE, False),
    "the workload is replaced and remembers nothing": (FOLLOWS, NOTHING, REPLACE, True),
    "it is due": (Preview(PreviewEffect.RUN), NOTHING, NOTHING, True),
    "it follows everything, and nothing changes": (ALWAYS, NOTHING, NOTHING, False),
    "it follows everything, and the workload changes": (ALWAYS, NOTHING, UPDATE, True),
    "the workload is made by this plan": (LACKS, CREATE, CREATE, True),
    "a workload that is made needs nothing": (replace(LACKS, effect=PreviewEffect.NONE), NOTHING, CREATE, False),
}


@pytest.mark.parametrize("case", CASES)
def test_when_a_run_is_planned(case: str) -> None:
    run, settings, web, planned = CASES[case]
    plan = make_plan(inputs(run, settings, web))
    assert not plan.blocked and ("Restart/web" in actions(plan)) is planned
    if planned and web is CREATE:
        assert list(actions(plan)) == ["ConfigMap/demo/settings", str(WEB), "Restart/web"]


@pytest.mark.parametrize("effect", [PreviewEffect.RUN, PreviewEffect.NONE])
def test_what_it_acts_on_has_to_be_there(effect: PreviewEffect) -> None:
    plan = make_plan(inputs(replace(LACKS, effect=effect), UPDATE, None))
    (blocked,) = plan.blocked
    assert (blocked.address, blocked.action) == (RESTART, Action.RUN)
    assert blocked.reason == "Deployment.apps/demo/web is not there"
    assert blocked.remedy and list(actions(plan)) == ["ConfigMap/demo/settings"]


def test_what_it_acts_on_is_blocked() -> None:
    given = inputs(LACKS, NOTHING, CREATE)
    plan = make_plan(replace(given, observations={**given.observations, WEB: UnreadableObject(WEB, "forbidden")}))
    assert [one.reason for one in plan.blocked] == ["unreadable: forbidden", f"needs {WEB}, which is blocked"]


@pytest.mark.parametrize(
    ("run", "web", "state", "reason"),
    [
        (FOLLOWS, NOTHING, DriftState.IN_SYNC, "runs after a change only"),
        (Preview(PreviewEffect.RUN), NOTHING, DriftState.PENDING, "to be run"),
        (LACKS, CREATE, DriftState.PENDING, "Deployment.apps/demo/web is not there"),
        (Preview(PreviewEffect.RUN, blocked="paused"), NOTHING, DriftState.INCOMPLETE, "paused"),
    ],
)
def test_drift_of_a_run(run: Preview, web: Preview, state: DriftState, reason: str) -> None:
    report = drift_report(inputs(run, NOTHING, web), AppliedState(0, {}))
    (row,) = [one for one in report.rows if one.address == RESTART]
    assert (row.state, row.reason) == (state, reason)
