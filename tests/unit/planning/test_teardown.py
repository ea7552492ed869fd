"""What a destroy takes: the selected with its dependents, and nothing that others still use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.address import Address
from planner.errors import SelectionError
from planner.graph import build_graph
from planner.plan import Action
from planner.planning import decide_leaving_objects, make_plan, select_teardown_addresses
from planner.ports import UnreadableObject
from planner.values import JsonObject
from tests.unit.kubernetes.world import config, declare, deployment, namespace
from tests.unit.planning.live_objects import destroying, live
from tests.unit.planning.test_deletes import mounting

CLAIM: JsonObject = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "d", "namespace": "demo"},
}

ALL = {"PersistentVolumeClaim/demo/d", "Deployment.apps/demo/a", "Deployment.apps/demo/b"}


def claiming(name: str) -> JsonObject:
    found = deployment(name)
    found["spec"]["template"]["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "d"}}]
    return found


def names(found: object) -> list[str]:
    return sorted(one.address.local for one in found)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("targets", "exclude", "expected"),
    [
        ((), (), ALL),
        (("Deployment/demo/a",), (), {"Deployment.apps/demo/a"}),
        (("PersistentVolumeClaim/*",), (), ALL),
        (("Deployment/*",), ("*/b",), {"Deployment.apps/demo/a"}),
    ],
)  # fmt: skip
def test_targets_take_what_needs_them_and_never_what_they_need(
    targets: tuple[str, ...], exclude: tuple[str, ...], expected: set[str]
) -> None:
    graph = build_graph([declare(CLAIM), declare(claiming("a")), declare(claiming("b"))])
    assert {one.local for one in select_teardown_addresses(graph, graph.order(), targets, exclude)} == expected


def test_a_target_that_is_not_there_is_an_error_with_the_closest() -> None:
    graph = build_graph([declare(CLAIM)])
    with pytest.raises(SelectionError) as refused:
        select_teardown_addresses(graph, graph.order(), ("PersistentVolumeClaim/demo/e",), ())
    assert "PersistentVolumeClaim/demo/d" in refused.value.remedy


def test_dependents_outside_of_what_may_be_selected_do_not_come_along() -> None:
    graph = build_graph([declare(CLAIM), declare(claiming("a")), declare(claiming("b"))])
    within = [Address.parse("PersistentVolumeClaim/demo/d"), Address.parse("Deployment.apps/demo/a")]
    chosen = select_teardown_addresses(graph, within, ("PersistentVolumeClaim/*",), ())
    assert {one.local for one in chosen} == {"PersistentVolumeClaim/demo/d", "Deployment.apps/demo/a"}


def test_what_something_else_still_uses_stays_and_says_for_whom() -> None:
    plan = make_plan(destroying(CLAIM, claiming("a"), beside=(claiming("b"),)))
    assert [(one.action, one.address.local) for one in plan.changes] == [(Action.DELETE, "Deployment.apps/demo/a")]
    (held,) = plan.blocked
    assert held.address.local == "PersistentVolumeClaim/demo/d" and held.action is Action.DELETE
    assert "Deployment.apps/demo/b still uses it" in held.reason
    assert "--scope runtime" in held.remedy and "--exclude PersistentVolumeClaim/demo/d" in held.remedy


def test_what_is_used_through_something_that_stays_as_well() -> None:
    inputs = destroying(namespace("demo"), config("settings", {}), beside=(mounting("web", "settings"),))
    assert (
        names(decide_leaving_objects(inputs).used) == ["ConfigMap/demo/settings", "Namespace/demo"]
        and not decide_leaving_objects(inputs).going
    )


def test_what_is_declared_beside_but_not_there_uses_nothing() -> None:
    inputs = destroying(CLAIM, beside=(claiming("b"),))
    assert names(decide_leaving_objects(replace(inputs, bystanders={})).going) == ["PersistentVolumeClaim/demo/d"]


def test_what_cannot_be_read_may_use_it() -> None:
    inputs = destroying(CLAIM, beside=(claiming("b"),))
    unread = {address: UnreadableObject(address, "forbidden") for address in inputs.bystanders}
    assert names(decide_leaving_objects(replace(inputs, bystanders=unread)).used) == ["PersistentVolumeClaim/demo/d"]


def test_what_belongs_to_another_set_stays_with_what_it_uses() -> None:
    inputs = destroying(CLAIM, claiming("a"))
    theirs = live(claiming("a"), owned_by="other")
    inputs = replace(inputs, observations={**inputs.observations, theirs.address: theirs})
    assert not decide_leaving_objects(inputs).going and names(decide_leaving_objects(inputs).used) == [
        "PersistentVolumeClaim/demo/d"
    ]


def test_what_stays_on_purpose_keeps_what_it_needs() -> None:
    inputs = destroying(CLAIM, config("other", {}), claiming("a"))
    retained = live(claiming("a"), protected=True)
    left = decide_leaving_objects(replace(inputs, observations={**inputs.observations, retained.address: retained}))
    assert names(left.going) == ["ConfigMap/demo/other"] and not left.used
    assert names(left.retained) == ["Deployment.apps/demo/a", "PersistentVolumeClaim/demo/d"]


def test_a_container_of_what_stays_is_no_part_of_it() -> None:
    """Whether it can go is found by looking into it (planner.app.cascaded_objects)."""
    inputs = destroying(namespace("demo"), CLAIM)
    retained = live(CLAIM, orphan=True)
    left = decide_leaving_objects(replace(inputs, observations={**inputs.observations, retained.address: retained}))
    assert names(left.going) == ["Namespace/demo"] and names(left.retained) == ["PersistentVolumeClaim/demo/d"]


def test_strays_go_where_pruning_is_allowed() -> None:
    gone, retained = live(config("gone", {})), live(config("retained", {}), orphan=True)
    inputs = replace(destroying(strays=(gone, retained)), destroy=False, live=None)
    assert names(decide_leaving_objects(inputs).going) == ["ConfigMap/demo/gone"]
    assert names(decide_leaving_objects(inputs).retained) == ["ConfigMap/demo/retained"]
    assert decide_leaving_objects(replace(inputs, prune=False)) == decide_leaving_objects(replace(inputs, strays=()))
