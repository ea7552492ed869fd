"""What a preview says, and that apply then does exactly that, on a simulated cluster."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from planner.address import Address
from planner.field_path import parse_path, render_path
from planner.plan import VerifiedBy
from planner.resource import Resource
from planner.values import JsonObject, OutputRef, OutputTemplate, SealedSecret, substitute_outputs
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from tests.unit.kubernetes.previewing_world import CONFIG, DEPLOYMENT, is_settled
from tests.unit.kubernetes.world import (
    PRINTS,
    World,
    config,
    declare,
    deployment,
    namespace,
    options_of,
    sealed,
    secret,
    widget,
    widget_crd,
)


def test_namespace_crd_and_custom_resource_in_one_plan(world: World) -> None:
    wanted = [
        declare(namespace("fresh")),
        declare(widget_crd()),
        declare(widget("w", 3, namespace="fresh")),
        declare(config("c", {"a": "1"}, namespace="fresh")),
    ]
    look = world.look(wanted)
    assert set(look.effects.values()) == {"create"}
    assert {str(preview.verified) for preview in look.previews.values()} == {"schema"}
    world.apply(wanted)
    assert is_settled(world, *wanted)


def test_a_custom_resource_is_checked_against_the_schema_that_comes_with_it(world: World) -> None:
    wanted = [declare(widget_crd()), declare(widget("w", 0))]
    preview = world.look(wanted).preview("Widget.example.test/demo/w")
    assert preview.blocked.startswith("spec.size: should be greater than or equal to 1")


def test_a_custom_resource_may_use_what_its_new_crd_adds(world: World) -> None:
    old, new = widget_crd(), widget_crd()
    properties = new["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["shape"] = {"type": "string"}
    world.apply([declare(old), declare(widget("w", 1))])
    changed = widget("w", 1)
    changed["spec"]["shape"] = "round"
    wanted = [declare(new), declare(changed), declare({**changed, "metadata": {"name": "w2", "namespace": "demo"}})]
    look = world.look(wanted)
    assert look.effects["Widget.example.test/demo/w2"] == "create"
    assert look.preview("Widget.example.test/demo/w2").blocked == ""
    assert look.fields("Widget.example.test/demo/w") == [("spec.shape", "add", None, "round", "")]
    assert look.preview("Widget.example.test/demo/w").verified is VerifiedBy.SCHEMA
    for change in look.changes:
        world.provider.apply(change, {})
    assert is_settled(world, *wanted)


def test_undeclared_namespace_and_kind_are_blocked(world: World) -> None:
    look = world.look([declare(config("c", {}, namespace="nowhere")), declare(widget("w", 1))])
    assert look.preview("ConfigMap/nowhere/c").blocked == "namespace nowhere does not exist and is not declared"
    blocked = look.preview("Widget.example.test/demo/w").blocked
    assert blocked == "example.test/v1 Widget is not served: its CRD is neither in the cluster nor declared here"
    assert look.changes == []


def test_update_shows_each_field_and_keeps_what_others_own(world: World, folder: Path) -> None:
    world.apply([declare(config("c", {"a": "1", "b": "2"}))])
    change_as_foreign_manager(folder, Address.parse(CONFIG), {"data.x": "theirs"}, "somebody")
    wanted = declare(config("c", {"a": "one", "n": "new"}))
    look = world.look([wanted])
    assert look.fields(CONFIG) == [
        ("data.a", "change", "1", "one", ""),
        ("data.b", "remove", "2", None, ""),
        ("data.n", "add", None, "new", ""),
    ]
    [foreign] = look.preview(CONFIG).drift
    assert (render_path(foreign.field.path), foreign.field.manager, foreign.declared) == ("data.x", "somebody", False)
    world.apply([wanted])
    assert world.live(CONFIG)["data"] == {"a": "one", "n": "new", "x": "theirs"}
    assert is_settled(world, wanted)


def test_a_field_that_others_own_too_is_disowned_not_removed(world: World, folder: Path) -> None:
    world.apply([declare(config("c", {"a": "1", "b": "2"}))])
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    live = world.live(CONFIG)
    shared = copy.deepcopy(live)
    [entry] = [e for e in shared["metadata"]["managedFields"] if e["manager"] == "hwplan"]
    entry = {**entry, "manager": "partner", "fieldsV1": {"f:data": {"f:b": {}}}}
    shared["metadata"]["managedFields"].append(entry)
    cluster._store.put(shared)  # an Apply by another manager with the same value
    wanted = declare(config("c", {"a": "1"}))
    look = world.look([wanted])
    assert look.fields(CONFIG) == [
        ("data.b", "disown", "2", "2", "partner"),
    ]
    world.apply([wanted])
    assert world.live(CONFIG)["data"] == {"a": "1", "b": "2"}
    assert is_settled(world, wanted)


def test_drift_is_told_with_manager_and_time_and_only_that_field_is_taken(world: World, folder: Path) -> None:
    wanted = declare(deployment("api"))
    world.apply([wanted])
    changes = {"spec.replicas": 7, "metadata.annotations[x/y]": "z"}
    change_as_foreign_manager(folder, Address.parse(DEPLOYMENT), changes, "night-shift")
    look = world.look([wanted])
    preview = look.preview(DEPLOYMENT)
    assert look.fields(DEPLOYMENT) == [("spec.replicas", "change", 7, 2, "night-shift")]
    assert preview.fields[0].time.endswith("Z")
    assert preview.drifted
    assert preview.forced == (("spec", "replicas"),)
    reported = {(render_path(d.field.path), d.declared, d.field.before, d.field.after) for d in preview.drift}
    assert reported == {("spec.replicas", True, 2, 7), ("metadata.annotations[x/y]", False, None, "z")}
    world.apply([wanted])
    assert world.live(DEPLOYMENT, "apps/v1")["spec"]["replicas"] == 2
    assert world.live(DEPLOYMENT, "apps/v1")["metadata"]["annotations"]["x/y"] == "z"
    assert is_settled(world, wanted)


def test_drift_and_a_new_configuration_in_one_update(world: World, folder: Path) -> None:
    world.apply([declare(deployment("api"))])
    change_as_foreign_manager(folder, Address.parse(DEPLOYMENT), {"spec.replicas": 7}, "night-shift")
    wanted = declare(deployment("api", image="registry.test/api:2"))
    look = world.look([wanted])
    assert not look.preview(DEPLOYMENT).drifted
    assert [(f[0], f[4]) for f in look.fields(DEPLOYMENT)] == [
        ("spec.replicas", "night-shift"),
        ("spec.template.spec.containers[name=api].image", ""),
    ]
    world.apply([wanted])
    assert is_settled(world, wanted)


def test_a_field_removed_by_somebody_comes_back(world: World, folder: Path) -> None:
    wanted = declare(config("c", {"a": "1", "b": "2"}))
    world.apply([wanted])
    change_as_foreign_manager(folder, Address.parse(CONFIG), {"data.b": None}, "somebody")
    look = world.look([wanted])
    assert look.fields(CONFIG) == [("data.b", "add", None, "2", "")]
    assert look.preview(CONFIG).drifted
    [drift] = look.preview(CONFIG).drift
    assert (str(drift.field.op), drift.field.before) == ("remove", "2")


def test_a_file_edited_by_hand_is_drift(world: World, folder: Path) -> None:
    wanted = declare(config("c", {"a": "1"}))
    world.apply([wanted])
    path = folder / "cluster/demo/ConfigMap/c.yaml"
    path.write_text(path.read_text().replace("a: '1'", "a: 'edited by hand'"))
    look = world.look([wanted])
    assert look.fields(CONFIG) == [("data.a", "change", "edited by hand", "1", "")]
    assert look.preview(CONFIG).drifted


def test_the_bookkeeping_of_controllers_is_no_drift(world: World, folder: Path) -> None:
    wanted = declare(deployment("api"))
    world.apply([wanted])
    address = Address.parse(DEPLOYMENT)
    change_as_foreign_manager(
        folder, address, {"metadata.annotations[deployment.kubernetes.io/revision]": "3"}, "some-controller"
    )
    change_as_foreign_manager(folder, address, {"metadata.labels[by/system]": "x"}, "kube-controller-manager")
    change_as_foreign_manager(folder, address, {"metadata.labels[by/person]": "x"}, "kubectl-edit")
    drift = world.look([wanted]).preview(DEPLOYMENT).drift
    assert [render_path(item.field.path) for item in drift] == ["metadata.labels[by/person]"]


def test_what_moves_between_read_and_dry_run_is_another_plan_unless_it_is_status(world: World, folder: Path) -> None:
    world.apply([declare(deployment("api"))])
    wanted = declare(deployment("api", replicas=3))
    read = world.provider.read([wanted], set(), [])
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    live = copy.deepcopy(world.live(DEPLOYMENT, "apps/v1"))
    live["status"]["readyReplicas"] = 1
    live["metadata"]["resourceVersion"] = "999999"
    cluster._store.put(live)
    preview = world.provider.preview([(wanted, read.observations[wanted.address])])[wanted.address]
    assert (preview.blocked, len(preview.fields)) == ("", 1)
    change_as_foreign_manager(folder, Address.parse(DEPLOYMENT), {"spec.paused": True}, "somebody")
    preview = world.provider.preview([(wanted, read.observations[wanted.address])])[wanted.address]
    assert preview.blocked == "it was changed while the plan was made"


def test_unready_objects_that_need_nothing_say_what_they_wait_for(world: World) -> None:
    wanted = declare(deployment("api"))
    world.apply([wanted])
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    live = copy.deepcopy(world.live(DEPLOYMENT, "apps/v1"))
    live["status"]["availableReplicas"] = 1
    cluster._store.put(live)
    assert world.look([wanted]).preview(DEPLOYMENT).awaiting == "1 of 2 updated replicas available"
    patient = declare(deployment("api"), wait="none")
    assert world.look([patient]).preview(DEPLOYMENT).awaiting == ""


def test_unknown_outputs_are_shown_as_such_and_checked_by_schema(world: World) -> None:
    source = Address.parse("GitHead/source")
    manifest = deployment("api", image=OutputTemplate(("registry.test/api:", OutputRef(source, "short"))))  # type: ignore[arg-type]
    manifest["spec"]["replicas"] = OutputRef(source, "count")
    created = world.look([declare(manifest)]).preview(DEPLOYMENT)
    assert (created.blocked, created.verified, created.expects) == ("", VerifiedBy.SCHEMA, "")
    world.apply([declare(deployment("api"))])
    look = world.look([declare(manifest)])
    assert [(f[0], f[3]) for f in look.fields(DEPLOYMENT)] == [
        ("spec.replicas", OutputRef(source, "count")),
        (
            "spec.template.spec.containers[name=api].image",
            OutputTemplate(("registry.test/api:", OutputRef(source, "short"))),
        ),
    ]
    assert look.preview(DEPLOYMENT).expects == ""


def test_secrets_are_compared_and_shown_by_fingerprint(world: World) -> None:
    wanted = declare(secret("s", {"P": sealed("file:a#P", "first value"), "Q": sealed("file:b#P", "second value")}))
    world.apply([wanted])
    assert is_settled(world, wanted)
    moved = declare(secret("s", {"P": sealed("file:b#P", "second value")}))
    look = world.look([moved])
    first, second = PRINTS.fingerprint(b"first value"), PRINTS.fingerprint(b"second value")
    assert look.fields("Secret/demo/s") == [
        ("data.P", "change", first, second, ""),
        ("data.Q", "remove", second, None, ""),
    ]
    assert all(field.sensitive for field in look.preview("Secret/demo/s").fields)
    world.apply([moved])
    assert world.live("Secret/demo/s")["data"] == {"P": second}
    assert is_settled(world, moved)


def test_a_generated_value_is_made_once_and_kept(world: World) -> None:
    wanted = declare(secret("s", {"P": SealedSecret("generate:24", "")}))
    look = world.look([wanted])
    assert look.fields("Secret/demo/s")[0][:4] == ("data.P", "add", None, "(made at apply)")
    world.apply([wanted])
    made = world.live("Secret/demo/s")["data"]["P"]
    assert is_settled(world, wanted)
    more = declare(secret("s", {"P": SealedSecret("generate:24", ""), "Q": sealed("file:a#P", "first value")}))
    assert [f[0] for f in world.look([more]).fields("Secret/demo/s")] == ["data.Q"]
    world.apply([more])
    assert world.live("Secret/demo/s")["data"]["P"] == made


def test_a_secret_outside_of_a_secret_is_refused(world: World) -> None:
    manifest = config("c", {"a": sealed("file:a#P", "first value")})  # type: ignore[dict-item]
    preview = world.look([declare(manifest)]).preview(CONFIG)
    assert preview.blocked == "data.a holds a secret outside of a Secret's data"


def test_string_data_becomes_data(world: World) -> None:
    manifest = secret("s", {})
    del manifest["data"]
    manifest["stringData"] = {"P": sealed("file:a#P", "first value")}
    wanted = declare(manifest)
    world.apply([wanted])
    assert world.live("Secret/demo/s")["data"] == {"P": PRINTS.fingerprint(b"first value")}
    assert is_settled(world, wanted)


def test_a_preview_writes_nothing(world: World, folder: Path) -> None:
    world.apply([declare(config("c", {"a": "1"}))])

    def state() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(folder.rglob("*.yaml"))}

    before = state()
    world.look([declare(config("c", {"a": "2"})), declare(config("d", {})), declare(namespace("n"))])
    assert state() == before


@pytest.mark.parametrize("number", range(3))
def test_the_same_world_gives_the_same_preview(world: World, folder: Path, number: int) -> None:
    world.apply([declare(deployment("api"))])
    change_as_foreign_manager(
        folder, Address.parse(DEPLOYMENT), {"spec.replicas": 7, "spec.paused": True}, "night-shift"
    )
    wanted = [declare(deployment("api", image="registry.test/api:2")), declare(config("c", {"a": "1"}))]
    assert world.look(wanted).previews == world.look(wanted).previews


def test_paths_of_force_survive_being_written_down(world: World, folder: Path) -> None:
    wanted = declare(deployment("api"))
    world.apply([wanted])
    port = "spec.template.spec.containers[name=api].ports[containerPort=80,protocol=TCP].name"
    change_as_foreign_manager(folder, Address.parse(DEPLOYMENT), {port: "theirs"}, "night-shift")
    manifest = deployment("api")
    manifest["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "name": "ours"}]
    look = world.look([declare(manifest)])
    change = look.change(DEPLOYMENT)
    assert [render_path(path) for path in change.forced] == [port]
    stored = replace(change, forced=tuple(parse_path(render_path(path)) for path in change.forced))
    world.provider.apply(stored, {})
    ports = world.live(DEPLOYMENT, "apps/v1")["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert ports[0]["name"] == "ours"


def filled_in(manifest: JsonObject, image: str) -> Resource:
    """A resource as the application gives it: stamped as declared, with a reference that is filled in by now."""
    declared = copy.deepcopy(manifest)
    declared["spec"]["template"]["spec"]["containers"][0]["image"] = OutputRef(Address.parse("GitHead/s"), "short")
    resource = declare(declared)
    manifest = copy.deepcopy(resource.manifest)
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return replace(resource, manifest=manifest)


@pytest.mark.parametrize("ignored", [False, True])
def test_another_output_is_an_update_though_the_declaration_is_the_same(world: World, ignored: bool) -> None:
    manifest = deployment("api")
    manifest["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1000m"}}
    if ignored:
        manifest["metadata"]["annotations"] = {"hwplan.dev/ignore-fields": "spec.replicas"}
    options = options_of(ignore_fields=["spec.replicas"] if ignored else [])
    first = replace(filled_in(manifest, "registry.test/api:1"), options=options)
    world.apply([first])
    assert is_settled(world, first)
    second = replace(filled_in(manifest, "registry.test/api:2"), options=options)
    look = world.look([second])
    assert [f[0] for f in look.fields(DEPLOYMENT)] == ["spec.template.spec.containers[name=api].image"]
    assert not look.preview(DEPLOYMENT).drifted
    world.apply([second])
    assert is_settled(world, second)


@pytest.mark.parametrize("ignored", [False, True])
def test_nothing_is_left_to_do_after_outputs_came_in_during_the_run(world: World, folder: Path, ignored: bool) -> None:
    manifest = deployment("api")
    if ignored:
        manifest["metadata"]["annotations"] = {"hwplan.dev/ignore-fields": "spec.replicas"}
    options = options_of(ignore_fields=["spec.replicas"] if ignored else [])
    world.apply([replace(filled_in(manifest, "registry.test/api:1"), options=options)])
    if ignored:
        change_as_foreign_manager(folder, Address.parse(DEPLOYMENT), {"spec.replicas": 9}, "autoscaler")
    declared = copy.deepcopy(manifest)
    ref = OutputRef(Address.parse("GitHead/s"), "short")
    declared["spec"]["template"]["spec"]["containers"][0]["image"] = ref
    [change] = world.look([replace(declare(declared), options=options)]).changes
    known = substitute_outputs(change.desired or {}, lambda _: "registry.test/api:2")
    world.provider.apply(replace(change, desired=known), {})
    assert is_settled(world, replace(filled_in(manifest, "registry.test/api:2"), options=options))


def test_a_later_round_knows_what_an_earlier_one_brings(world: World) -> None:
    first = [declare(namespace("fresh")), declare(widget_crd())]
    second = [declare(config("c", {"a": "1"}, namespace="fresh")), declare(widget("w", 1, namespace="fresh"))]
    read = world.provider.read([*first, *second], set(), [])
    rounds = [[(r, read.observations[r.address]) for r in part] for part in (first, second)]
    previews = {**world.provider.preview(rounds[0]), **world.provider.preview(rounds[1])}
    assert {str(address): preview.blocked for address, preview in previews.items() if preview.blocked} == {}
    world.provider.read(second, set(), [])
    assert all(preview.blocked for preview in world.provider.preview(rounds[1]).values())
