"""Applying and deleting: preconditions, resuming after a kill, what the server changed, secrets. Simulated cluster."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from planner.address import Address
from planner.errors import PermanentError, PreconditionError
from planner.plan import Action, Change
from planner.ports import PresentObject
from planner.resource import Resource
from planner.values import JsonObject, OutputRef, SealedSecret, SecretValue
from providers.kubernetes.errors import ApplyConflict, ResourceVersionConflict
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager, delete_as_foreign_manager
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from tests.unit.kubernetes.world import World, config, declare, deletion, deployment, sealed, secret, widget_crd

CONFIG = "ConfigMap/demo/c"
DEPLOYMENT = "Deployment.apps/demo/api"


def planned(world: World, resource: Resource) -> Change:
    [change] = world.look([resource]).changes
    return change


def seen(world: World, resource: Resource) -> PresentObject:
    observation = world.look([resource]).read.observations[resource.address]
    assert isinstance(observation, PresentObject)
    return observation


# --- doing it twice ------------------------------------------------------------------------------------------------


def test_a_create_that_was_made_already_is_recognised(world: World) -> None:
    change = planned(world, declare(config("c", {"a": "1"})))
    first = world.provider.apply(change, {})
    version = world.live(CONFIG)["metadata"]["resourceVersion"]
    second = world.provider.apply(change, {})
    assert (first.already, second.already) == (False, True)
    assert first.uid == second.uid
    assert world.live(CONFIG)["metadata"]["resourceVersion"] == version


@pytest.mark.parametrize("expects", [True, False])
def test_an_update_that_was_made_already_is_recognised(world: World, expects: bool) -> None:
    world.apply([declare(config("c", {"a": "1", "b": "1"}))])
    change = planned(world, declare(config("c", {"a": "2"})))
    change = change if expects else replace(change, expects="")
    assert not world.provider.apply(change, {}).already
    assert world.provider.apply(change, {}).already


def test_a_secret_with_a_generated_value_is_recognised(world: World) -> None:
    change = planned(
        world, declare(secret("s", {"P": SealedSecret("generate:9", ""), "Q": sealed("file:a#P", "first value")}))
    )
    world.provider.apply(change, world.vault)
    assert world.provider.apply(change, world.vault).already


# --- the world moved -----------------------------------------------------------------------------------------------


def test_a_create_refuses_what_stands_there_now(world: World) -> None:
    change = planned(world, declare(config("c", {"a": "1"})))
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    cluster.add(config("c", {"a": "theirs"}), manager="somebody")
    with pytest.raises(PreconditionError, match="it was created since the plan was made"):
        world.provider.apply(change, {})
    assert world.live(CONFIG)["data"] == {"a": "theirs"}


def test_an_update_refuses_a_moved_object_and_names_the_writer(world: World, folder: Path) -> None:
    world.apply([declare(config("c", {"a": "1"}))])
    change = planned(world, declare(config("c", {"a": "2"})))
    change_as_foreign_manager(folder, Address.parse(CONFIG), {"data.x": "y"}, "somebody")
    with pytest.raises(PreconditionError, match=r"it was changed since the plan was made \(last written by somebody"):
        world.provider.apply(change, {})
    assert world.live(CONFIG)["data"] == {"a": "1", "x": "y"}


def test_an_update_refuses_a_deleted_and_a_recreated_object(world: World, folder: Path) -> None:
    wanted = declare(config("c", {"a": "1"}))
    world.apply([wanted])
    change = planned(world, declare(config("c", {"a": "2"})))
    delete_as_foreign_manager(folder, Address.parse(CONFIG))
    with pytest.raises(PreconditionError, match="deleted since"):
        world.provider.apply(change, {})
    world.apply([wanted])
    with pytest.raises(PreconditionError, match="deleted and created anew"):
        world.provider.apply(change, {})


def test_a_status_that_moves_does_not_make_a_plan_stale(world: World) -> None:
    world.apply([declare(deployment("api"))])
    change = planned(world, declare(deployment("api", replicas=3)))
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    live = copy.deepcopy(world.live(DEPLOYMENT, "apps/v1"))
    live["status"]["readyReplicas"] = 1
    live["metadata"]["resourceVersion"] = "999999"
    cluster._store.put(live)
    assert not world.provider.apply(change, {}).already
    assert world.live(DEPLOYMENT, "apps/v1")["spec"]["replicas"] == 3


class Restless:
    """A cluster in which the version moves between a read and the first writes."""

    def __init__(self, inner: SnapshotCluster, times: int) -> None:
        self._inner, self.left = inner, times

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def apply(self, *args: object, **kwargs: object) -> JsonObject:
        if self.left and not kwargs.get("dry_run"):
            self.left -= 1
            raise ResourceVersionConflict("it was changed by somebody else")
        return self._inner.apply(*args, **kwargs)  # type: ignore[arg-type]


def test_a_version_that_moves_between_read_and_write_is_tried_again(world: World) -> None:
    world.apply([declare(config("c", {"a": "1"}))])
    assert isinstance(world.cluster, SnapshotCluster)
    restless = World(Restless(world.cluster, 3))  # type: ignore[arg-type]
    change = planned(world, declare(config("c", {"a": "2"})))
    assert not restless.provider.apply(change, {}).already
    assert world.live(CONFIG)["data"] == {"a": "2"}


class Hasty:
    """A cluster in which somebody creates the object after we have looked and before we write."""

    def __init__(self, inner: SnapshotCluster) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def apply(self, *args: object, **kwargs: object) -> JsonObject:
        if not world_has(self._inner):
            self._inner.add(config("c", {"a": "theirs"}), manager="hasty")
        return self._inner.apply(*args, **kwargs)  # type: ignore[arg-type]


def world_has(cluster: SnapshotCluster) -> bool:
    return World(cluster).is_there(CONFIG)


def test_a_create_never_changes_what_was_created_meanwhile(world: World) -> None:
    change = planned(world, declare(config("c", {"b": "ours"})))
    assert isinstance(world.cluster, SnapshotCluster)
    with pytest.raises(PreconditionError, match="created since"):
        World(Hasty(world.cluster)).provider.apply(change, {})  # type: ignore[arg-type]
    assert world.live(CONFIG)["data"] == {"a": "theirs"}


def test_force_takes_only_planned_fields(world: World, folder: Path) -> None:
    wanted = declare(deployment("api"))
    world.apply([wanted])
    image = "spec.template.spec.containers[name=api].image"
    change_as_foreign_manager(folder, Address.parse(DEPLOYMENT), {"spec.replicas": 7, image: "theirs"}, "night-shift")
    change = planned(world, wanted)
    with pytest.raises(ApplyConflict, match="image"):
        world.provider.apply(replace(change, forced=(("spec", "replicas"),)), {})
    with pytest.raises(ApplyConflict):
        world.provider.apply(replace(change, forced=()), {})
    assert world.live(DEPLOYMENT, "apps/v1")["spec"]["replicas"] == 7


def test_an_object_that_is_not_as_predicted_is_an_error_that_names_the_field(world: World) -> None:
    world.apply([declare(config("c", {"a": "1"}))])
    change = planned(world, declare(config("c", {"a": "2"})))
    other = replace(change.fields[0], after="predicted otherwise")
    change = replace(change, expects="sha256:something-else", fields=(other, *change.fields[1:]))
    with pytest.raises(PermanentError, match=r"the server changed data\.a"):
        world.provider.apply(change, {})


def test_an_output_that_nobody_filled_in_is_refused(world: World) -> None:
    change = planned(world, declare(config("c", {"a": OutputRef(Address.parse("GitHead/source"), "short")})))  # type: ignore[dict-item]
    with pytest.raises(PermanentError, match="an output that is not known"):
        world.provider.apply(change, {})
    assert not world.is_there(CONFIG)


# --- secrets -------------------------------------------------------------------------------------------------------


def test_a_secret_whose_source_changed_is_refused(world: World) -> None:
    change = planned(world, declare(secret("s", {"P": sealed("file:a#P", "first value")})))
    moved = {"file:a#P": SecretValue(b"rotated since")}
    with pytest.raises(PreconditionError) as caught:
        world.provider.apply(change, moved)
    assert "file:a#P" in caught.value.message and "rotated" not in caught.value.message
    assert not world.is_there("Secret/demo/s")


def test_a_secret_without_a_source_is_refused(world: World) -> None:
    change = planned(world, declare(secret("s", {"P": sealed("file:a#P", "first value")})))
    with pytest.raises(PermanentError, match="nobody can read the secret file:a#P"):
        world.provider.apply(change, {})


# --- replacing -----------------------------------------------------------------------------------------------------


def replacement(world: World) -> Change:
    world.apply([declare(deployment("api"))])
    manifest = deployment("api")
    manifest["spec"]["selector"]["matchLabels"] = {"app": "other"}
    manifest["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    return planned(world, declare(manifest, replace_allowed=True))


def test_a_replace_that_was_killed_after_its_delete_goes_on(world: World, folder: Path) -> None:
    change = replacement(world)
    assert change.action is Action.REPLACE
    delete_as_foreign_manager(folder, Address.parse(DEPLOYMENT))
    assert not world.provider.apply(change, {}).already
    assert world.provider.apply(change, {}).already
    assert world.live(DEPLOYMENT, "apps/v1")["spec"]["selector"]["matchLabels"] == {"app": "other"}


def test_a_replace_refuses_a_stranger_and_a_moved_object(world: World, folder: Path) -> None:
    change = replacement(world)
    change_as_foreign_manager(folder, Address.parse(DEPLOYMENT), {"spec.paused": True}, "somebody")
    with pytest.raises(PreconditionError, match="changed since"):
        world.provider.apply(change, {})
    delete_as_foreign_manager(folder, Address.parse(DEPLOYMENT))
    world.apply([declare(deployment("api"))])
    with pytest.raises(PreconditionError, match="created anew"):
        world.provider.apply(change, {})


def test_a_protected_object_is_never_replaced(world: World) -> None:
    manifest = deployment("api")
    manifest["metadata"]["annotations"] = {"hwplan.dev/protect": "true"}
    world.apply([declare(manifest)])
    changed = copy.deepcopy(manifest)
    changed["spec"]["selector"]["matchLabels"] = {"app": "other"}
    changed["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    change = planned(world, declare(changed, replace_allowed=True))
    with pytest.raises(PermanentError, match="protected"):
        world.provider.apply(change, {})
    assert world.is_there(DEPLOYMENT, "apps/v1")


# --- deleting ------------------------------------------------------------------------------------------------------


def test_delete_and_delete_again(world: World) -> None:
    wanted = declare(config("c", {"a": "1"}))
    world.apply([wanted])
    change = deletion(seen(world, wanted))
    assert not world.provider.readiness([change])[change.address].done
    assert not world.provider.delete(change).already
    assert not world.is_there(CONFIG)
    assert world.provider.delete(change).already
    assert world.provider.readiness([change])[change.address].done


def test_delete_refuses_a_moved_object_and_leaves_a_new_one_alone(world: World, folder: Path) -> None:
    wanted = declare(config("c", {"a": "1"}))
    world.apply([wanted])
    change = deletion(seen(world, wanted))
    change_as_foreign_manager(folder, Address.parse(CONFIG), {"data.x": "y"}, "somebody")
    with pytest.raises(PreconditionError, match="changed since"):
        world.provider.delete(change)
    delete_as_foreign_manager(folder, Address.parse(CONFIG))
    world.apply([wanted])
    assert world.provider.delete(change).already
    assert world.is_there(CONFIG)
    assert world.provider.readiness([change])[change.address].done


def test_delete_refuses_what_became_protected(world: World) -> None:
    manifest = config("c", {"a": "1"}, annotations={"hwplan.dev/protect": "true"})
    wanted = declare(manifest)
    world.apply([wanted])
    with pytest.raises(PermanentError, match="protected"):
        world.provider.delete(deletion(seen(world, wanted)))


def test_deleting_an_object_whose_kind_is_gone(world: World) -> None:
    wanted = declare(config("c", {"a": "1"}))
    world.apply([wanted])
    change = replace(
        deletion(seen(world, wanted)), api_version="gone.test/v1", address=Address.parse("X.gone.test/d/c")
    )
    assert world.provider.delete(change).already
    assert world.provider.readiness([change])[change.address].done


# --- readiness -----------------------------------------------------------------------------------------------------


def test_readiness_of_many_in_one_call_with_outputs(world: World) -> None:
    wanted = [declare(widget_crd()), declare(deployment("api")), declare(config("c", {"a": "1"}))]
    changes = world.look(wanted).changes
    for change in changes:
        world.provider.apply(change, {})
    states = world.provider.readiness(changes)
    assert all(state.done and state.ok for state in states.values())
    outputs = states[Address.parse(DEPLOYMENT)].outputs
    assert outputs["status.readyReplicas"] == 2
    assert outputs["status.conditions[0].type"] == "Available"


def test_what_vanished_while_it_is_waited_for_is_reported_at_once(world: World) -> None:
    change = planned(world, declare(config("c", {"a": "1"})))
    state = world.provider.readiness([change])[change.address]
    assert (state.done, state.ok) == (True, False)
    assert state.message == "it is not there any more: somebody deleted it while it was waited for"


def test_a_job_that_deletes_itself_has_ended_when_it_is_gone(world: World) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "demo"},
        "spec": {"ttlSecondsAfterFinished": 0, "template": {"spec": {"containers": []}}},
    }
    change = replace(planned(world, declare(config("c", {"a": "1"}))), desired=job)
    state = world.provider.readiness([change])[change.address]
    assert state.done and state.ok and "ttlSecondsAfterFinished" in state.warnings[0]
