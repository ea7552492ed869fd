"""The verdict on one resource and on those that need it: a table of previews and observations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.address import Address, address_of_document
from planner.graph import build_graph
from planner.plan import Action, ClusterIdentity, FieldChange, FieldOp, Selection
from planner.planning import PlanInputs, make_plan
from planner.planning.upserts import decide_upserts
from planner.ports import AbsentObject, Observation, PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.values import JsonObject
from tests.unit.kubernetes.world import config, declare, deployment

SETTINGS, WEB = Address.parse("ConfigMap/demo/settings"), Address.parse("Deployment.apps/demo/web")
MISSING = Address.parse("Secret/demo/x")
SET = "demo"


def inputs(
    settings: Preview | None, web: Preview | None = None, *, owned_by: str = SET, seen: Observation | None = None,
    unsourced: str = "", needs: bool = True,
) -> PlanInputs:  # fmt: skip
    """A ConfigMap and, where `web` is given, a Deployment that reads it. `seen` is the ConfigMap, live by default."""
    reads = {"envFrom": [{"configMapRef": {"name": "settings"}}]} if needs else {}
    documents: list[tuple[JsonObject, Preview | None]] = [(config("settings", {}), settings)]
    if web is not None:
        workload = deployment("web")
        workload["spec"]["template"]["spec"]["containers"][0].update(reads)
        documents.append((workload, web))
    declared = {address_of_document(one): declare(one, owned_by=SET) for one, _ in documents}
    observed: dict[Address, Observation] = {one: PresentObject(one, "uid", "content", {}, owned_by) for one in declared}
    if seen is not None:
        observed[SETTINGS] = seen
    previews = {address_of_document(one): preview for one, preview in documents if preview is not None}
    return PlanInputs(
        Selection(), ClusterIdentity("u", "s"), "c", build_graph(list(declared.values())), declared, observed, previews,
        unsourced={SETTINGS: unsourced} if unsourced else {},
    )  # fmt: skip


NONE, CREATE, UPDATE = Preview(PreviewEffect.NONE), Preview(PreviewEffect.CREATE), Preview(PreviewEffect.UPDATE)
REPLACE, RUN = Preview(PreviewEffect.REPLACE), Preview(PreviewEffect.RUN)
FOREIGN = FieldChange(("data", "a"), FieldOp.CHANGE, 1, 2, manager="somebody")


@pytest.mark.parametrize(
    ("preview", "owned_by", "action", "reason"),
    [
        (CREATE, SET, Action.CREATE, "declared"),
        (UPDATE, SET, Action.UPDATE, "declared"),
        (UPDATE, "", Action.ADOPT, "adopted"),
        (UPDATE, "another", Action.ADOPT, "adopted"),
        (REPLACE, SET, Action.REPLACE, "declared"),
        (RUN, SET, Action.RUN, "declared"),
        (replace(UPDATE, drifted=True), SET, Action.UPDATE, "drifted"),
        (replace(UPDATE, fields=(FOREIGN,)), SET, Action.UPDATE, "declared, drifted"),
    ],
)
def test_the_action_follows_the_effect(preview: Preview, owned_by: str, action: Action, reason: str) -> None:
    (change,) = decide_upserts(inputs(preview, owned_by=owned_by)).changes
    assert (change.action, change.reason) == (action, reason)
    assert change.precondition.uid == "uid" and change.desired == inputs(preview).resources[SETTINGS].manifest


def test_nothing_to_do_is_counted_and_not_planned() -> None:
    found = decide_upserts(inputs(NONE, NONE))
    assert (found.changes, found.blocked, found.unchanged) == ((), (), 2)


def test_what_is_not_ready_is_asked_again_and_counts_as_unchanged() -> None:
    found = decide_upserts(inputs(replace(NONE, awaiting="1 of 2 pods"), UPDATE))
    waits, change = found.changes
    assert (waits.action, waits.reason) == (Action.NOOP, "not ready: 1 of 2 pods")
    assert change.needs == (SETTINGS,) and found.unchanged == 1


def test_needs_look_through_what_does_not_change() -> None:
    namespace: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}}
    made = inputs(NONE, UPDATE)
    declared = {**made.resources, address_of_document(namespace): declare(namespace, owned_by=SET)}
    whole = replace(
        made, graph=build_graph(list(declared.values())), resources=declared,
        previews={**made.previews, address_of_document(namespace): CREATE},
    )  # fmt: skip
    created, change = decide_upserts(whole).changes
    assert created.precondition.absent and change.needs == (address_of_document(namespace),)


@pytest.mark.parametrize(
    ("made", "action", "reason"),
    [
        (inputs(None, UPDATE, unsourced="no value for A"), Action.UPDATE, "no value for A"),
        (
            inputs(None, UPDATE, unsourced="no value for A", seen=AbsentObject(SETTINGS)),
            Action.CREATE,
            "no value for A",
        ),
        (inputs(None, UPDATE, seen=UnreadableObject(SETTINGS, "forbidden")), Action.UPDATE, "unreadable: forbidden"),
        (inputs(replace(UPDATE, blocked="it is immutable"), UPDATE), Action.UPDATE, "it is immutable"),
        (inputs(replace(RUN, lacks=(MISSING,)), UPDATE), Action.RUN, "Secret/demo/x is not there"),
    ],
)  # fmt: skip
def test_what_is_blocked_takes_along_whatever_needs_it(made: PlanInputs, action: Action, reason: str) -> None:
    found = decide_upserts(made)
    first, second = found.blocked
    assert (first.address, first.action, first.reason) == (SETTINGS, action, reason)
    assert (second.address, second.reason) == (WEB, f"needs {SETTINGS}, which is blocked")
    assert not found.changes
    assert not make_plan(made).complete


def test_what_is_unchanged_is_not_blocked_by_what_it_needs() -> None:
    found = decide_upserts(inputs(replace(UPDATE, blocked="it is immutable"), NONE))
    assert [one.address for one in found.blocked] == [SETTINGS] and found.unchanged == 1


def test_neighbours_of_what_is_blocked_go_on() -> None:
    found = decide_upserts(inputs(replace(UPDATE, blocked="it is immutable"), UPDATE, needs=False))
    assert [one.address for one in found.blocked] == [SETTINGS]
    assert [(one.address, one.needs) for one in found.changes] == [(WEB, ())]
