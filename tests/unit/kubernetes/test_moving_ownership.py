"""What is not declared any more goes: leftovers of the server, tools that gave an object up, fields of others."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from planner.address import Address
from planner.field_path import parse_path
from planner.ports import PreviewEffect
from planner.values import JsonObject
from providers.kubernetes.field_ownership_migration import (
    FieldOwnershipMoves,
    object_with_migrated_ownership,
    ownership_migration_patch,
)
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from tests.unit.kubernetes.world import World, config, declare, deployment

DEPLOYMENT = "Deployment.apps/demo/api"
CONFIG = "ConfigMap/demo/c"
NOW = "2026-01-01T00:00:00Z"


def made_by(world: World, document: JsonObject, manager: str, *, applied: bool = True) -> None:
    """An object of somebody else: by server-side apply, or by a plain create."""
    types = MergeTypeTable.builtin()
    if applied:
        made = merge.merge_server_side_apply(None, document, manager=manager, types=types, now=NOW).object
    else:
        made = merge.merge_plain_update(None, document, manager=manager, types=types, now=NOW)
    made["metadata"] |= {"uid": f"uid-{manager}", "creationTimestamp": NOW, "resourceVersion": "7"}
    assert isinstance(world.cluster, SnapshotCluster)
    world.cluster._store.put(made)


def is_settled(world: World, resource: Any) -> bool:
    return all(preview.effect is PreviewEffect.NONE for preview in world.look([resource]).previews.values())


def spec_of(document: JsonObject) -> JsonObject:
    found: JsonObject = document["spec"]["template"]["spec"]
    return found


# --- the server's own leftovers ------------------------------------------------------------------------------------


def recreate(document: JsonObject) -> None:
    document["spec"]["strategy"] = {"type": "Recreate"}


def no_account(document: JsonObject) -> None:
    del spec_of(document)["serviceAccountName"]


def no_host_network(document: JsonObject) -> None:
    del spec_of(document)["hostNetwork"]


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        (recreate, {"spec.strategy.rollingUpdate"}),
        (no_account, {"spec.template.spec.serviceAccount", "spec.template.spec.serviceAccountName"}),
    ],
)
def test_what_the_server_derived_from_a_field_goes_with_it(world: World, change: Any, gone: set[str]) -> None:
    first = deployment("api")
    spec_of(first)["serviceAccountName"] = "builder"
    world.apply([declare(first)])
    second = copy.deepcopy(first)
    change(second)
    wanted = declare(second)
    look = world.look([wanted])
    assert {f[0] for f in look.fields(DEPLOYMENT) if f[1] == "remove"} == gone
    world.apply([wanted])
    live = world.live(DEPLOYMENT, "apps/v1")
    assert spec_of(live).get("serviceAccount") == spec_of(second).get("serviceAccountName")
    assert "rollingUpdate" not in live["spec"]["strategy"] or change is not recreate
    assert is_settled(world, wanted)


def test_a_default_that_somebody_changed_is_no_leftover(world: World, folder: Path) -> None:
    world.apply([declare(deployment("api"))])
    change_as_foreign_manager(
        folder, Address.parse(DEPLOYMENT), {"spec.strategy.rollingUpdate.maxSurge": "50%"}, "kubectl-edit"
    )
    second = deployment("api")
    recreate(second)
    assert "spec.strategy.rollingUpdate" not in [
        ".".join(map(str, p)) for p in world.look([declare(second)]).preview(DEPLOYMENT).claims
    ]


def test_nothing_is_claimed_where_the_default_still_holds(world: World) -> None:
    first = deployment("api")
    world.apply([declare(first)])
    second = deployment("api", image="registry.test/api:2")
    assert world.look([declare(second)]).preview(DEPLOYMENT).claims == ()


# --- managers that gave an object up -------------------------------------------------------------------------------


def test_what_a_tool_left_stays_until_the_tool_is_taken_over(world: World) -> None:
    made_by(world, config("c", {"a": "1", "old": "x"}), "helm")
    world.apply([declare(config("c", {"a": "1", "old": "x"}))])
    wanted = declare(config("c", {"a": "1"}))
    look = world.look([wanted])
    assert [f[:2] for f in look.fields(CONFIG)] == [("data.old", "disown")]
    assert any("--take-over helm" in text for text in look.preview(CONFIG).warnings)
    world.apply([wanted])
    assert world.live(CONFIG)["data"]["old"] == "x"
    taking = declare(config("c", {"a": "1"}), take_over=("helm",))
    preview = world.look([taking]).preview(CONFIG)
    assert preview.take_over == ("helm",) and [f.manager for f in preview.fields] == ["helm"]
    world.apply([taking])
    live = world.live(CONFIG)
    assert live["data"] == {"a": "1"} and [e["manager"] for e in live["metadata"]["managedFields"]] == ["hwplan"]
    assert is_settled(world, taking), "a name that owns nothing asks for nothing"


def test_taking_over_at_once_with_the_adoption(world: World) -> None:
    made_by(world, config("c", {"a": "1", "old": "x"}), "helm")
    taking = declare(config("c", {"a": "2"}), take_over=("helm",))
    assert not world.look([taking]).preview(CONFIG).blocked
    world.apply([taking])
    assert world.live(CONFIG)["data"] == {"a": "2"}


def test_status_stays_with_its_writer(world: World) -> None:
    entry = {"manager": "helm", "operation": "Update", "apiVersion": "v1", "subresource": "status"}
    live = {"apiVersion": "v1", "metadata": {"managedFields": [{**entry, "fieldsV1": {"f:status": {}}}]}}
    assert object_with_migrated_ownership(live, FieldOwnershipMoves(managers=frozenset({"helm"}))) is live
    assert ownership_migration_patch(live, FieldOwnershipMoves(managers=frozenset({"helm"}))) == ()


# --- fields that others added --------------------------------------------------------------------------------------


def test_undeclared_fields_go_when_they_are_named(world: World, folder: Path) -> None:
    wanted = declare(deployment("api"))
    world.apply([wanted])
    address = Address.parse(DEPLOYMENT)
    change_as_foreign_manager(
        folder, address, {"metadata.labels[by/hand]": "x", "spec.minReadySeconds": 30}, "kubectl-edit"
    )
    change_as_foreign_manager(
        folder,
        address,
        {"spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]": NOW},
        "kubectl-rollout",
    )
    assert world.look([wanted]).effects == {DEPLOYMENT: "none"}, "an apply leaves them"
    resetting = declare(deployment("api"), reset_undeclared=True)
    look = world.look([resetting])
    assert [(f[0], f[1], f[4]) for f in look.fields(DEPLOYMENT)] == [
        ("metadata.labels[by/hand]", "remove", "kubectl-edit"),
        ("spec.minReadySeconds", "remove", "kubectl-edit"),
    ]
    world.apply([resetting])
    live = world.live(DEPLOYMENT, "apps/v1")
    assert "by/hand" not in live["metadata"]["labels"] and "minReadySeconds" not in live["spec"]
    assert live["spec"]["template"]["metadata"]["annotations"], "a restart is not undone: that would be another one"
    assert world.look([resetting]).effects == {DEPLOYMENT: "none"}


def test_an_item_that_others_added_goes_as_a_whole(world: World, folder: Path) -> None:
    made_by(world, deployment("api"), "helm")
    world.apply([declare(deployment("api"), take_over=("helm",))])
    change_as_foreign_manager(
        folder, Address.parse(DEPLOYMENT), {"spec.template.spec.containers[name=api].env[name=B].value": "2"}, "partner"
    )
    resetting = declare(deployment("api"), reset_undeclared=True)
    claims = world.look([resetting]).preview(DEPLOYMENT).claims
    assert claims == (parse_path("spec.template.spec.containers[name=api].env[name=B]"),)
    world.apply([resetting])
    containers = spec_of(world.live(DEPLOYMENT, "apps/v1"))["containers"]
    assert [one["name"] for one in containers[0]["env"]] == ["A"]


def test_defaults_of_an_object_that_somebody_else_created_are_no_drift(world: World, folder: Path) -> None:
    made_by(world, deployment("api"), "helm", applied=False)
    wanted, address = declare(deployment("api")), Address.parse(DEPLOYMENT)
    owned = json.dumps(world.live(DEPLOYMENT, "apps/v1")["metadata"]["managedFields"])
    assert "f:revisionHistoryLimit" in owned, "who creates an object owns its defaults"
    world.apply([wanted])
    assert world.look([wanted]).preview(DEPLOYMENT).drift == ()
    for values, added in (
        ({"spec.revisionHistoryLimit": 3, "spec.strategy.rollingUpdate.maxSurge": 2}, 2),
        ({"spec.revisionHistoryLimit": 10, "spec.strategy.rollingUpdate.maxSurge": 2}, 1),
    ):
        change_as_foreign_manager(folder, address, values, "somebody")
        assert len(world.look([wanted]).preview(DEPLOYMENT).drift) == added
    resetting = declare(deployment("api"), reset_undeclared=True)
    world.apply([resetting])
    assert is_settled(world, resetting) and world.look([wanted]).preview(DEPLOYMENT).drift == ()
    assert world.live(DEPLOYMENT, "apps/v1")["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == "25%"


# --- equal values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("applied", [True, False])
def test_what_means_the_same_is_taken_over_without_permission(world: World, applied: bool) -> None:
    document = deployment("api")
    container = spec_of(document)["containers"][0]
    container["resources"] = {"requests": {"cpu": "1000m", "memory": "1024Mi"}}
    container["env"] = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    container["volumeMounts"] = [{"name": "v", "mountPath": "/v", "readOnly": False}]
    spec_of(document)["volumes"] = [{"name": "v", "emptyDir": {}}]
    made_by(world, document, "partner", applied=applied)
    wanted = declare(document)
    look = world.look([wanted])
    preview = look.preview(DEPLOYMENT)
    assert not preview.blocked and [f[0] for f in look.fields(DEPLOYMENT)] == ["metadata.labels[hwplan.dev/set]"]
    assert len(preview.forced) == (4 if applied else 3)
    world.apply([wanted])
    assert is_settled(world, wanted)


def test_another_value_is_still_not_taken(world: World) -> None:
    document = deployment("api")
    spec_of(document)["containers"][0]["resources"] = {"requests": {"cpu": "1000m"}}
    made_by(world, document, "partner")
    changed = copy.deepcopy(document)
    spec_of(changed)["containers"][0]["resources"]["requests"]["cpu"] = "1001m"
    assert "resources.requests.cpu is managed by partner" in world.look([declare(changed)]).preview(DEPLOYMENT).blocked
