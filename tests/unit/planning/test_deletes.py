"""Deletes: the order, what each waits for, and what stays on purpose."""

from __future__ import annotations

from itertools import permutations

import pytest

from planner.address import Address
from planner.graph import graph_of_live_and_declared
from planner.plan import Action, Change
from planner.planning.deletes import changes_to_forget_objects, delete_changes, resource_of_live_object
from planner.ports import PresentObject
from planner.values import JsonObject
from tests.unit.kubernetes.world import config, deployment, namespace, widget, widget_crd
from tests.unit.planning.live_objects import live, update_of


def deletes(going: list[PresentObject], updated: tuple[PresentObject, ...] = ()) -> dict[str, Change]:
    order = graph_of_live_and_declared([resource_of_live_object(one) for one in (*going, *updated)])
    made = delete_changes(going, [update_of(one) for one in updated], "pruned", order)
    return {change.address.local: change for change in made}


def needs(changes: dict[str, Change]) -> dict[str, list[str]]:
    return {name: [need.local for need in change.needs] for name, change in changes.items()}


def mounting(name: str, *configs: str, namespace: str = "demo") -> JsonObject:
    found = deployment(name, namespace)
    volumes = [{"name": one, "configMap": {"name": one}} for one in configs]
    found["spec"]["template"]["spec"]["volumes"] = volumes
    return found


def marked(name: str, metadata: JsonObject) -> JsonObject:
    found = config(name, {})
    return {**found, "metadata": {**found["metadata"], **metadata}}


def depends(document: JsonObject, *on: str) -> JsonObject:
    metadata = {**document["metadata"], "annotations": {"hwplan.dev/depends-on": ", ".join(on)}}
    return {**document, "metadata": metadata}


def role(name: str, *, labels: dict[str, str] | None = None, selects: dict[str, str] | None = None) -> JsonObject:
    found: JsonObject = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": []}
    found["metadata"] = {"name": name, "labels": labels or {}}
    if selects is not None:
        found["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": selects}]}
    return found


OPERATOR = deployment("operator", "system")
PAIRS: dict[str, tuple[JsonObject, JsonObject]] = {  # what goes first, what goes after it
    "a workload, then what it mounts": (mounting("web", "settings"), config("settings", {})),
    "an object, then its namespace": (config("a", {}), namespace("demo")),
    "an object, then the definition of its kind": (widget("w", 1), widget_crd()),
    "a resource, then what it depends on": (depends(widget("w", 1), "Deployment.apps/system/operator"), OPERATOR),
    "an aggregated role, then its parts": (role("all", selects={"to": "all"}), role("part", labels={"to": "all"})),
}


@pytest.mark.parametrize("case", PAIRS)
def test_what_uses_a_thing_goes_before_the_thing(case: str) -> None:
    first, second = (live(document) for document in PAIRS[case])
    for given in permutations([first, second]):
        made = deletes(list(given))
        assert list(made) == [first.address.local, second.address.local]
        assert needs(made) == {first.address.local: [], second.address.local: [first.address.local]}


def test_each_delete_says_what_it_is_about() -> None:
    (change,) = deletes([live(config("a", {}))]).values()
    assert (change.action, change.api_version, change.reason) == (Action.DELETE, "v1", "pruned")
    assert change.precondition == live(config("a", {})).precondition and change.desired is None


def test_a_delete_waits_for_the_updates_that_may_still_use_it() -> None:
    went = live(config("old", {}))
    user, neighbour = live(mounting("web", "old")), live(deployment("other"))
    elsewhere = live(deployment("far", "elsewhere"))
    made = deletes([went], (user, neighbour, elsewhere))
    assert needs(made) == {"ConfigMap/demo/old": ["Deployment.apps/demo/other", "Deployment.apps/demo/web"]}


def test_an_update_in_another_namespace_that_used_it_is_waited_for() -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "demo"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "part"},
        "subjects": [],
    }
    assert needs(deletes([live(role("part"))], (live(binding),))) == {
        "ClusterRole.rbac.authorization.k8s.io/part": ["RoleBinding.rbac.authorization.k8s.io/demo/b"]
    }


def test_the_order_reaches_through_what_does_not_change() -> None:
    """c is used by b, which stays as it is, and b by a: c still goes after a."""
    a, b = depends(config("a", {}), "ConfigMap/demo/b"), depends(config("b", {}), "ConfigMap/demo/c")
    going = [live(a), live(config("c", {}))]
    order = graph_of_live_and_declared([resource_of_live_object(one) for one in (*going, live(b))])
    made = {one.address.local: one for one in delete_changes(going, (), "pruned", order)}
    assert needs(made)["ConfigMap/demo/c"] == ["ConfigMap/demo/a"]


@pytest.mark.parametrize("written", ["nothing at all", "ConfigMap/demo/gone", ",,", "ConfigMap/demo/a"])
def test_an_annotation_that_leads_nowhere_is_no_error(written: str) -> None:
    assert needs(deletes([live(depends(config("a", {}), written))])) == {"ConfigMap/demo/a": []}


def test_live_objects_in_a_circle_are_deleted_all_the_same() -> None:
    circle = [depends(config(name, {}), f"ConfigMap/demo/{next_}") for name, next_ in ("ab", "bc", "ca")]
    made = deletes([live(document) for document in circle])
    order = list(made)
    assert len(made) == 3
    assert all(order.index(need) < order.index(name) for name, found in needs(made).items() for need in found)


def test_roles_that_aggregate_each_other_have_no_order() -> None:
    roles = [role("a", labels={"to": "b"}, selects={"to": "a"}), role("b", labels={"to": "a"}, selects={"to": "b"})]
    assert set(map(tuple, needs(deletes([live(one) for one in roles])).values())) == {()}


def test_what_stays_on_purpose_loses_the_marks_and_nothing_else() -> None:
    marks: JsonObject = {
        "labels": {"hwplan.dev/set": "demo", "app": "a"},
        "annotations": {"hwplan.dev/applied": "sha256:0"},
    }
    retained = [live(marked("b", marks), orphan=True), live(marked("a", marks), protected=True)]
    first, second = changes_to_forget_objects(retained)
    assert (first.address, second.address) == (Address.parse("ConfigMap/demo/a"), Address.parse("ConfigMap/demo/b"))
    assert (first.action, first.reason, second.reason) == (Action.FORGET, "protected", "on-delete: orphan")
    lost = [(".".join(map(str, item.path)), item.before) for item in first.fields]
    assert lost == [
        ("metadata.annotations.hwplan.dev/applied", "sha256:0"),
        ("metadata.labels.hwplan.dev/set", "demo"),
    ]
    assert first.precondition == retained[1].precondition
