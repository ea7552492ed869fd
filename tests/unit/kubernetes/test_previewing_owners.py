"""Previews of objects that others own or wrote: adoption, fields by name, migration, ignored fields, replaces."""

from __future__ import annotations

import copy
from pathlib import Path

from planner.address import Address
from planner.ports import PreviewEffect
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from tests.unit.kubernetes.previewing_world import CONFIG, DEPLOYMENT, foreign, is_settled
from tests.unit.kubernetes.world import (
    World,
    config,
    declare,
    deployment,
)


def test_adopting_what_is_already_as_declared(world: World) -> None:
    foreign(world, config("c", {"a": "1"}))
    wanted = declare(config("c", {"a": "1"}))
    look = world.look([wanted])
    assert str(look.change(CONFIG).action) == "adopt"
    assert [f[0] for f in look.fields(CONFIG)] == ["metadata.labels[hwplan.dev/set]"]
    assert look.preview(CONFIG).forced == ()
    world.apply([wanted])
    assert is_settled(world, wanted)


def test_fields_of_others_are_taken_only_by_name(world: World) -> None:
    foreign(world, config("c", {"a": "theirs", "b": "theirs"}))
    manifest = config("c", {"a": "ours", "b": "ours"})
    look = world.look([declare(manifest, adopt_fields=["data.a"])])
    preview = look.preview(CONFIG)
    assert preview.blocked.startswith("data.b is managed by helm since 2")
    assert "hwplan.dev/adopt-fields: data.b" in preview.remedy
    assert "data.b" in {f[0] for f in look.fields(CONFIG)}
    wanted = declare(manifest, adopt_fields=["data.a", "data.b"])
    look = world.look([wanted])
    assert look.preview(CONFIG).forced == (("data", "a"), ("data", "b"))
    world.apply([wanted])
    assert world.live(CONFIG)["data"] == {"a": "ours", "b": "ours"}
    assert is_settled(world, wanted)


def test_an_object_of_another_set_is_not_touched(world: World) -> None:
    world.apply([declare(config("c", {"a": "1"}), owned_by="another.set")])
    preview = world.look([declare(config("c", {"a": "1"}))]).preview(CONFIG)
    assert preview.blocked == "it belongs to another set: another.set"


def test_client_side_apply_is_migrated_so_that_dropped_fields_go(world: World) -> None:
    document = config("c", {"a": "1", "old": "x"})
    document["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    foreign(world, document, "kubectl-client-side-apply")
    wanted = declare(config("c", {"a": "2"}))
    look = world.look([wanted])
    preview = look.preview(CONFIG)
    assert preview.migrate and not preview.blocked
    assert [f[:2] for f in look.fields(CONFIG)] == [
        ("data.a", "change"),
        ("data.old", "remove"),
        ("metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]", "remove"),
        ("metadata.labels[hwplan.dev/set]", "add"),
    ]
    world.apply([wanted])
    live = world.live(CONFIG)
    assert live["data"] == {"a": "2"}
    assert [e["manager"] for e in live["metadata"]["managedFields"]] == ["hwplan"]
    assert is_settled(world, wanted)


def test_an_ignored_field_is_left_to_its_controller(world: World, folder: Path) -> None:
    wanted = declare(deployment("api", replicas=2), ignore_fields=["spec.replicas"])
    world.apply([wanted])
    assert world.live(DEPLOYMENT, "apps/v1")["spec"]["replicas"] == 2  # a start value, as nobody else had one
    change_as_foreign_manager(folder, Address.parse(DEPLOYMENT), {"spec.replicas": 9}, "autoscaler")
    look = world.look([wanted])
    assert look.fields(DEPLOYMENT) == []
    assert look.effects == {DEPLOYMENT: "none"}
    world.apply([wanted])
    live = world.live(DEPLOYMENT, "apps/v1")
    assert live["spec"]["replicas"] == 9
    moved = declare(deployment("api", replicas=4, image="registry.test/api:2"), ignore_fields=["spec.replicas"])
    world.apply([moved])
    assert world.live(DEPLOYMENT, "apps/v1")["spec"]["replicas"] == 9
    assert is_settled(world, moved)


def test_an_ignored_field_that_nobody_else_owns_keeps_its_value(world: World) -> None:
    world.apply([declare(deployment("api", replicas=2), ignore_fields=["spec.replicas"])])
    wanted = declare(deployment("api", replicas=5, image="registry.test/api:2"), ignore_fields=["spec.replicas"])
    look = world.look([wanted])
    assert [f[0] for f in look.fields(DEPLOYMENT)] == ["spec.template.spec.containers[name=api].image"]
    world.apply([wanted])
    assert world.live(DEPLOYMENT, "apps/v1")["spec"]["replicas"] == 2
    assert is_settled(world, wanted)


def test_an_immutable_field_needs_permission_to_replace(world: World) -> None:
    world.apply([declare(deployment("api"))])
    manifest = deployment("api")
    manifest["spec"]["selector"]["matchLabels"] = {"app": "other"}
    manifest["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    refused = world.look([declare(manifest)]).preview(DEPLOYMENT)
    assert refused.effect is PreviewEffect.REPLACE
    assert refused.blocked == "spec.selector: field is immutable"
    before = world.live(DEPLOYMENT, "apps/v1")["metadata"]["uid"]
    wanted = declare(manifest, replace_allowed=True)
    look = world.look([wanted])
    assert "spec.selector.matchLabels.app" in {f[0] for f in look.fields(DEPLOYMENT)}
    world.apply([wanted])
    after = world.live(DEPLOYMENT, "apps/v1")
    assert after["metadata"]["uid"] != before
    assert after["spec"]["selector"]["matchLabels"] == {"app": "other"}
    assert is_settled(world, wanted)


def test_what_the_server_would_refuse_is_blocked_field_by_field(world: World) -> None:
    manifest = deployment("api")
    manifest["spec"]["replicas"] = "many"
    manifest["spec"]["templat"] = {}
    preview = world.look([declare(manifest)]).preview(DEPLOYMENT)
    assert "spec.replicas" in preview.blocked
    assert "spec.templat" in preview.blocked
    assert "many" not in preview.blocked


def test_an_object_being_deleted_is_left_alone(world: World) -> None:
    wanted = declare(config("c", {"a": "1"}))
    world.apply([wanted])
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    live = copy.deepcopy(world.live(CONFIG))
    live["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    cluster._store.put(live)
    assert world.look([wanted]).preview(CONFIG).blocked == "it is being deleted"


def test_nulls_are_not_sent(world: World) -> None:
    manifest = config("c", {"a": "1"})
    manifest["data"]["b"] = None
    manifest["metadata"]["annotations"] = {"x": None}
    wanted = declare(manifest)
    wanted.manifest["metadata"]["annotations"]["x"] = None
    world.apply([wanted])
    assert world.live(CONFIG)["data"] == {"a": "1"}
    assert is_settled(world, wanted)
