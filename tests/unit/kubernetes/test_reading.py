"""Reading in bulk: what is absent, what is unreadable, what is a stray."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.errors import ProviderError
from planner.ports import AbsentObject, Fingerprinter, PresentObject, UnreadableObject
from planner.values import JsonObject, SealedSecret
from providers.cluster_interface import Keep, KubernetesListScope, Listing, ServedKubernetesKind
from providers.kubernetes import read_observations
from providers.kubernetes.errors import Forbidden
from providers.kubernetes.read_observations import digest_of_sealed_content
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster, open_snapshot
from tests.unit.kubernetes.world import PRINTS, SET, World, config, declare, namespace, sealed, secret, widget


class Watched:
    """A cluster that counts requests, and refuses some lists."""

    def __init__(self, inner: SnapshotCluster, refuse: Sequence[tuple[str, str]] = ()) -> None:
        self._inner = inner
        self.refuse = set(refuse)
        self.listed: list[tuple[str, str]] = []
        self.others: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def list(self, places: Sequence[KubernetesListScope], keep: Keep | None = None) -> Listing:
        self.listed += [(place.kind.kind, place.namespace) for place in places]
        answers: dict[KubernetesListScope, tuple[JsonObject, ...] | ProviderError] = dict(
            self._inner.list(places, keep)
        )
        for place in places:
            if (place.kind.kind, place.namespace) in self.refuse:
                answers[place] = Forbidden("not for you")
        return answers

    def get(self, kind: ServedKubernetesKind, namespace: str, name: str) -> JsonObject | None:
        self.others.append(f"get {kind.kind}")
        return self._inner.get(kind, namespace, name)

    def apply(
        self, kind: ServedKubernetesKind, body: JsonObject, *, force: bool = False, dry_run: bool = False
    ) -> JsonObject:
        self.others.append(f"apply {kind.kind}")
        return self._inner.apply(kind, body, force=force, dry_run=dry_run)


def watched(world: World, *refuse: tuple[str, str]) -> tuple[World, Watched]:
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    spy = Watched(cluster, refuse)
    return World(spy, world.vault), spy  # type: ignore[arg-type]  # the rest of the protocol is passed on


def test_one_list_for_each_kind_and_namespace_and_nothing_else_when_all_is_as_declared(world: World) -> None:
    wanted = [declare(config(f"c{n}", {"n": str(n)})) for n in range(20)]
    wanted += [declare(secret(f"s{n}", {"P": sealed("file:a#P", "first value")})) for n in range(5)]
    world.apply(wanted)
    seen, spy = watched(world)
    look = seen.look(wanted)
    assert set(look.effects.values()) == {"none"}
    assert sorted(spy.listed) == [("ConfigMap", "demo"), ("Secret", "demo")]
    assert spy.others == []


def test_no_digest_is_made_of_what_stays_as_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def digest(document: JsonObject, fingerprinter: Fingerprinter) -> str:
        made.append(document["metadata"]["name"])
        return digest_of_sealed_content(document, fingerprinter)

    wanted = [declare(config(f"c{n}", {"n": str(n)})) for n in range(20)]
    world.apply(wanted)
    monkeypatch.setattr(read_observations, "digest_of_sealed_content", digest)
    assert set(world.look(wanted).effects.values()) == {"none"}
    assert made == []
    seen = world.look(wanted).read.observations[wanted[3].address]
    assert isinstance(seen, PresentObject)
    assert seen.precondition.content.startswith("sha256:")
    assert made == ["c3"]


def test_a_kind_in_many_namespaces_is_listed_once(tmp_path: Path) -> None:
    names = [f"n{n}" for n in range(9)]
    create_empty_snapshot(tmp_path, name="many", namespaces=[*names, "other"])
    world = World(open_snapshot(tmp_path))
    wanted = [declare(config("c", {"a": "1"}, namespace=name)) for name in names]
    world.apply(wanted)
    world.apply([declare(config("elsewhere", {}, namespace="other"))])
    seen, spy = watched(world)
    look = seen.look(wanted)
    assert spy.listed == [("ConfigMap", "")]
    assert set(look.effects.values()) == {"none"}
    assert look.read.strays == ()  # nobody asked for that namespace


def test_a_refused_cluster_wide_list_is_tried_namespace_by_namespace(tmp_path: Path) -> None:
    names = [f"n{n}" for n in range(9)]
    create_empty_snapshot(tmp_path, name="many", namespaces=names)
    world = World(open_snapshot(tmp_path))
    wanted = [declare(config("c", {"a": "1"}, namespace=name)) for name in names]
    world.apply(wanted)
    seen, spy = watched(world, ("ConfigMap", ""), ("ConfigMap", "n3"))
    look = seen.look(wanted)
    assert len(spy.listed) == 10
    unreadable = [a for a, o in look.read.observations.items() if isinstance(o, UnreadableObject)]
    assert [address.namespace for address in unreadable] == ["n3"]
    assert [u.address.namespace for u in look.read.unlisted] == ["n3"]


def test_an_error_is_never_absence(world: World) -> None:
    seen, _ = watched(world, ("ConfigMap", "demo"))
    resource = declare(config("c", {"a": "1"}))
    look = seen.look([resource], [KindInNamespace("", "v1", "ConfigMap", "demo")])
    observed = look.read.observations[resource.address]
    assert observed == UnreadableObject(resource.address, "not for you")
    assert resource.address not in look.previews
    assert [u.address.local for u in look.read.unlisted] == ["ConfigMap/demo/*"]


def test_absent_for_a_kind_that_is_not_served_and_for_a_namespace_that_is_not_there(world: World) -> None:
    wanted = [declare(widget("w", 1)), declare(config("c", {}, namespace="nowhere"))]
    read = world.look(wanted).read
    assert all(isinstance(seen, AbsentObject) for seen in read.observations.values())


def test_a_namespaced_object_without_namespace_stands_in_the_default_one(world: World) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    resource = declare(manifest)
    world.apply([resource])
    assert world.is_there("ConfigMap/default/c")
    look = world.look([resource])
    assert look.effects == {"ConfigMap/c": "none"}
    assert isinstance(look.read.observations[Address.parse("ConfigMap/c")], PresentObject)
    assert look.read.strays == ()


def test_a_namespace_on_a_cluster_scoped_object_means_nothing(world: World) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "demo:reader", "namespace": "demo"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }
    resource = declare(role)
    world.apply([resource])
    assert world.look([resource]).effects == {str(resource.address): "none"}


def test_strays_are_ours_unwanted_free_and_not_on_their_way_out(world: World) -> None:
    retained, gone = declare(config("retained", {})), declare(config("gone", {}))
    other = declare(config("other", {}), owned_by="another.set")
    world.apply([retained, gone, other])
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    child = config("child", {}, labels={"hwplan.dev/set": SET})
    child["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u-1", "controller": True}
    ]
    cluster.add(child, manager="some-controller")
    cluster.add(config("copy", {}, labels={"hwplan.dev/set": SET}), manager="kubectl-create")
    look = world.look([retained])
    assert [stray.address.local for stray in look.read.strays] == ["ConfigMap/demo/gone"]
    assert look.read.strays[0].owned_by == SET
    assert look.read.warnings == ("ConfigMap/demo/copy carries our label but was not applied by hwplan: left alone",)


def test_strays_are_found_where_something_was_applied_before(world: World) -> None:
    world.apply(
        [declare(namespace("old"), node_lane="D1/v1"), declare(config("c", {}, namespace="old"), node_lane="D1/v1")]
    )
    wanted = declare(config("here", {}), node_lane="D1/v1")
    places = [
        KindInNamespace("D1/v1", "v1", "ConfigMap", "old"),
        KindInNamespace("D1/v1", "gone.test/v1", "Gadget", "old"),
    ]
    read = world.look([wanted], places).read
    assert [str(stray.address) for stray in read.strays] == ["D1/v1:ConfigMap/old/c"]


def test_options_of_live_objects_and_outputs_are_read(world: World) -> None:
    manifest = namespace("retained")
    manifest["metadata"]["annotations"] = {"hwplan.dev/protect": "true", "hwplan.dev/on-delete": "orphan"}
    manifest["metadata"]["annotations"]["hwplan.dev/scope"] = "infra"
    resource = declare(manifest)
    world.apply([resource])
    seen = world.look([resource]).read.observations[resource.address]
    assert isinstance(seen, PresentObject)
    assert (seen.protected, seen.orphan_on_delete, seen.scope) == (True, "on-delete: orphan", "infra")
    assert seen.outputs["status.phase"] == "Active"
    assert seen.outputs["uid"] == seen.uid
    assert seen.outputs["metadata.name"] == "retained"


def test_secrets_are_sealed_before_anybody_sees_them(world: World) -> None:
    resource = declare(secret("s", {"P": sealed("file:a#P", "first value")}))
    world.apply([resource])
    seen = world.look([resource]).read.observations[resource.address]
    assert isinstance(seen, PresentObject) and seen.value is not None
    assert seen.value["data"] == {"P": SealedSecret("live:P", PRINTS.fingerprint(b"first value"))}
