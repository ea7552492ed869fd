"""Every write carries the uid and the resourceVersion of the moment, as the cluster gets it (providers.kubernetes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from planner.address import Address
from planner.plan import Action, Change
from planner.ports import PresentObject
from planner.resource import Resource
from planner.values import JsonObject
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from tests.unit.kubernetes.world import World, config, declare, deletion

CONFIG = "ConfigMap/demo/c"
WANTED = declare(config("c", {"a": "2"}))


@dataclass
class Recording:
    """A cluster that passes everything on, and notes what each write carries."""

    to: Cluster
    sent: list[tuple[str, JsonObject]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.to, name)

    def apply(
        self, kind: ServedKubernetesKind, body: JsonObject, *, force: bool = False, dry_run: bool = False
    ) -> JsonObject:
        if not dry_run:
            self.sent.append(("apply", body["metadata"]))
        return self.to.apply(kind, body, force=force, dry_run=dry_run)

    def patch(
        self, kind: ServedKubernetesKind, namespace: str, name: str, patch: Sequence[JsonObject], **how: Any
    ) -> JsonObject:
        fields = {"/metadata/uid": "uid", "/metadata/resourceVersion": "resourceVersion"}
        carried = {fields[one["path"]]: one["value"] for one in patch if one["path"] in fields}
        if not how.get("dry_run"):
            self.sent.append(("patch", carried))
        return self.to.patch(kind, namespace, name, patch, **how)

    def delete(
        self, kind: ServedKubernetesKind, namespace: str, name: str, *, uid: str, resource_version: str, **how: Any
    ) -> None:
        self.sent.append(("delete", {"uid": uid, "resourceVersion": resource_version}))
        self.to.delete(kind, namespace, name, uid=uid, resource_version=resource_version, **how)


def change_of(world: World, resource: Resource, **how: Any) -> Change:
    [change] = world.look([resource]).changes
    return replace(change, **how)


def seen(world: World) -> PresentObject:
    found = world.look([WANTED]).read.observations[Address.parse(CONFIG)]
    assert isinstance(found, PresentObject)
    return found


def _taken(world: World, folder: Path) -> Change:
    change_as_foreign_manager(folder, Address.parse(CONFIG), {"data.a": "theirs"}, "somebody")
    return change_of(world, declare(config("c", {"a": "2"}), adopt_fields=["data.a"]))


WRITES: Mapping[str, Callable[[World, Path], Change]] = {
    "an update": lambda world, _: change_of(world, WANTED),
    "fields taken from others": _taken,
    "a replace": lambda world, _: change_of(world, WANTED, action=Action.REPLACE),
    "a delete": lambda world, _: deletion(seen(world)),
    "an object given up": lambda world, _: replace(deletion(seen(world)), action=Action.FORGET),
}


@pytest.mark.parametrize("case", WRITES)
def test_each_write_is_bound_to_the_version_that_was_read(world: World, folder: Path, case: str) -> None:
    world.apply([declare(config("c", {"a": "1"}))])
    change = WRITES[case](world, folder)
    metadata = world.live(CONFIG)["metadata"]
    read = (metadata["uid"], metadata["resourceVersion"])
    recording = Recording(world.cluster, [])
    provider = World(recording).provider
    if change.action in (Action.DELETE, Action.FORGET):
        provider.delete(change)
    else:
        provider.apply(change, {})
    (_, first), *more = recording.sent
    assert (first["uid"], first["resourceVersion"]) == read
    assert [carried["resourceVersion"] for _, carried in more] in ([], ["1"]), "what follows a delete is create-only"


def test_a_create_makes_nothing_but_new_objects(world: World) -> None:
    recording = Recording(world.cluster, [])
    World(recording).provider.apply(change_of(world, WANTED), {})
    ((call, carried),) = recording.sent
    assert call == "apply" and carried["resourceVersion"] == "1" and "uid" not in carried
