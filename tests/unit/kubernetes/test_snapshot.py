"""The simulated cluster itself: its files, its refusals, its counters, and who else may touch it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.address import Address
from planner.errors import PermanentError
from providers.cluster_interface import KubernetesListScope, ServedKubernetesKind
from providers.kubernetes.errors import (
    ApplyConflict,
    BadRequest,
    Forbidden,
    Invalid,
    NamespaceMissing,
    NotServed,
    ResourceVersionConflict,
    UidMismatch,
)
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.folder_layout import (
    ObjectIdentity,
    object_file_path,
    parse_object_yaml,
    render_object_yaml,
)
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager, delete_as_foreign_manager
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster, open_snapshot
from tests.unit.kubernetes.snapshot_world import apply
from tests.unit.kubernetes.world import (
    World,
    config,
    declare,
    deployment,
    namespace,
    widget,
    widget_crd,
)


@pytest.fixture
def cluster(folder: Path) -> SnapshotCluster:
    return open_snapshot(folder)


def test_two_sandboxes_are_two_clusters(tmp_path: Path) -> None:
    create_empty_snapshot(tmp_path / "one", name="one")
    create_empty_snapshot(tmp_path / "two", name="two")
    one, two = open_snapshot(tmp_path / "one").identity(), open_snapshot(tmp_path / "two").identity()
    assert one.uid != two.uid
    assert (one.server, one.simulated) == ("one", True)


def test_an_existing_cluster_is_never_overwritten(folder: Path) -> None:
    with pytest.raises(PermanentError, match="already"):
        create_empty_snapshot(folder, name="again")


def test_nothing_there_is_said_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(PermanentError) as caught:
        open_snapshot(tmp_path)
    assert caught.value.remedy


def test_a_file_is_where_and_how_a_person_expects_it(cluster: SnapshotCluster, folder: Path) -> None:
    apply(cluster, config("c", {"script": "one\ntwo\n"}))
    text = (folder / "cluster/demo/ConfigMap/c.yaml").read_text()
    assert text.startswith("apiVersion: v1\nkind: ConfigMap\nmetadata:\n")
    assert "script: |\n    one\n    two\n" in text


@pytest.mark.parametrize(
    "name", ["system:node", "a.b-c", "%2e", "..", ".hidden", "x" * 253, "y" * 252 + ":", "Käse", "a/../b"]
)
def test_names_become_file_names_that_stay_inside(name: str) -> None:
    path = object_file_path(ObjectIdentity("rbac.authorization.k8s.io", "ClusterRole", "", name))
    assert path.parts[:2] == ("_cluster", "ClusterRole.rbac.authorization.k8s.io")
    assert len(path.parts) == 3
    assert len(path.name.encode()) < 250 and not path.name.startswith(".")
    other = object_file_path(ObjectIdentity("rbac.authorization.k8s.io", "ClusterRole", "", name + "-"))
    assert other != path


_scalars = st.one_of(st.text(max_size=40), st.integers(-(2**53), 2**53), st.booleans(), st.none())
_texts = st.sampled_from(
    ["on", "no", "1e3", "0x1f", "010", "2020-01-01", "~", "null", "a: b", "- x", "\ta\n", "x\r\ny"]
)
_trees = st.recursive(
    st.one_of(_scalars, _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(_trees)
def test_documents_survive_their_text(tree: object) -> None:
    document = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": tree}
    assert parse_object_yaml(render_object_yaml(document), "x") == document


def test_hand_edits_are_seen_at_once_and_by_others(cluster: SnapshotCluster, folder: Path) -> None:
    apply(cluster, config("c", {"a": "1"}))
    path = folder / "cluster/demo/ConfigMap/c.yaml"
    path.write_text(path.read_text().replace("a: '1'", "a: edited"))
    info = cluster.kind("v1", "ConfigMap")
    assert info is not None
    for looking in (cluster, open_snapshot(folder)):
        found = looking.get(info, "demo", "c")
        assert found is not None and found["data"] == {"a": "edited"}
    path.unlink()
    assert cluster.get(info, "demo", "c") is None


def test_a_file_written_by_hand_needs_no_bookkeeping(cluster: SnapshotCluster, folder: Path) -> None:
    path = folder / "cluster/demo/ConfigMap/mine.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine, namespace: demo}\ndata: {a: b}\n")
    info = cluster.kind("v1", "ConfigMap")
    assert info is not None
    found, again = cluster.get(info, "demo", "mine"), open_snapshot(folder).get(info, "demo", "mine")
    assert found is not None and found["metadata"]["uid"] and found == again
    apply(cluster, config("mine", {"a": "b"}))


def test_damaged_files_are_named_and_never_absent(folder: Path) -> None:
    path = folder / "cluster/demo/ConfigMap/bad.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a: [secret-looking-content\n")
    with pytest.raises(PermanentError) as caught:
        open_snapshot(folder).kinds()
    assert "bad.yaml" in caught.value.where and "secret-looking" not in str(caught.value)


def test_the_cache_may_be_torn_or_lost(cluster: SnapshotCluster, folder: Path) -> None:
    for number in range(5):
        apply(cluster, config(f"c{number}", {"n": str(number)}))
    before = open_snapshot(folder).list([KubernetesListScope(cluster.kinds()[0], "demo")])
    cache = folder / "cluster/.cache.jsonl"
    cache.write_bytes(cache.read_bytes()[:-7])
    assert open_snapshot(folder).list([KubernetesListScope(cluster.kinds()[0], "demo")]) == before
    cache.unlink()
    assert open_snapshot(folder).list([KubernetesListScope(cluster.kinds()[0], "demo")]) == before


def test_refusals_have_the_classes_of_a_server(cluster: SnapshotCluster) -> None:
    made = apply(cluster, config("c", {"a": "1"}))
    version, uid = made["metadata"]["resourceVersion"], made["metadata"]["uid"]
    with pytest.raises(ResourceVersionConflict):
        apply(cluster, config("c", {"a": "2"}), resourceVersion="1")
    with pytest.raises(UidMismatch):
        apply(cluster, config("c", {"a": "2"}), uid="another")
    with pytest.raises(UidMismatch):
        apply(cluster, config("absent", {"a": "2"}), uid=uid)
    with pytest.raises(NamespaceMissing):
        apply(cluster, config("c", {}, namespace="nowhere"))
    with pytest.raises(Invalid, match=r"data\.a"):
        apply(cluster, config("c", {"a": 1}))  # type: ignore[dict-item]
    with pytest.raises(Invalid, match=r"metadata\.name"):
        apply(cluster, config("Not_A_Name", {}))
    with pytest.raises(BadRequest):
        apply(cluster, config("", {}))
    alien = {"apiVersion": "x.test/v1", "kind": "X", "metadata": {"name": "x", "namespace": "demo"}}
    with pytest.raises(NotServed):
        cluster.apply(ServedKubernetesKind("x.test/v1", "X", "xs", True), alien)
    assert apply(cluster, config("c", {"a": "1"}), uid=uid, resourceVersion=version) == made
    assert apply(cluster, config("new", {}), resourceVersion="1")["metadata"]["uid"]


def test_conflicts_and_force(cluster: SnapshotCluster, folder: Path) -> None:
    apply(cluster, config("c", {"a": "1"}))
    change_as_foreign_manager(folder, Address.parse("ConfigMap/demo/c"), {"data.a": "theirs"}, "somebody")
    with pytest.raises(ApplyConflict) as caught:
        apply(cluster, config("c", {"a": "1"}))
    assert [(cause.path, cause.manager) for cause in caught.value.causes] == [("data.a", "somebody")]
    assert apply(cluster, config("c", {"a": "1"}), force=True)["data"] == {"a": "1"}


def test_immutable_fields(cluster: SnapshotCluster) -> None:
    apply(cluster, deployment("api"))
    changed = deployment("api")
    changed["spec"]["selector"]["matchLabels"] = {"app": "x"}
    changed["spec"]["template"]["metadata"]["labels"] = {"app": "x"}
    with pytest.raises(Invalid) as caught:
        apply(cluster, changed)
    assert caught.value.immutable


def test_an_unchanged_apply_writes_nothing(cluster: SnapshotCluster, folder: Path) -> None:
    first = apply(cluster, deployment("api"))
    stamp = (folder / "cluster/demo/Deployment.apps/api.yaml").stat().st_mtime_ns
    assert apply(cluster, deployment("api")) == first
    assert (folder / "cluster/demo/Deployment.apps/api.yaml").stat().st_mtime_ns == stamp


def test_counters(cluster: SnapshotCluster) -> None:
    first = apply(cluster, deployment("api"))
    labelled = deployment("api")
    labelled["metadata"]["labels"] = {"x": "y"}
    second = apply(cluster, labelled)
    third = apply(cluster, {**labelled, "spec": {**labelled["spec"], "replicas": 5}})
    numbers = [int(document["metadata"]["resourceVersion"]) for document in (first, second, third)]
    assert numbers == sorted(set(numbers)) and numbers[0] > 1
    assert [document["metadata"]["generation"] for document in (first, second, third)] == [1, 1, 2]
    assert third["status"]["observedGeneration"] == 2
    assert first["metadata"]["uid"] == third["metadata"]["uid"]
    assert third["metadata"]["creationTimestamp"] == first["metadata"]["creationTimestamp"]


def test_versions_are_never_given_twice_by_two_clusters_on_one_folder(folder: Path) -> None:
    one, two = open_snapshot(folder), open_snapshot(folder)
    versions = []
    for number in range(6):
        for looking in (one, two):
            made = apply(looking, config(f"c{number}", {"who": str(id(looking))}), force=True)
            versions.append(made["metadata"]["resourceVersion"])
    assert len(set(versions)) == len(versions)


def test_deletes_cascade(world: World) -> None:
    cluster = world.cluster
    assert isinstance(cluster, SnapshotCluster)
    world.apply([declare(widget_crd()), declare(namespace("n")), declare(widget("w", 1, namespace="n"))])
    owner = world.live("Widget.example.test/n/w", "example.test/v1")["metadata"]["uid"]
    child = config("child", {}, namespace="n")
    child["metadata"]["ownerReferences"] = [{"apiVersion": "x/v1", "kind": "Widget", "name": "w", "uid": owner}]
    cluster.add(child, manager="controller")
    cluster.drop(ObjectIdentity("example.test", "Widget", "n", "w"))
    assert not world.is_there("ConfigMap/n/child")
    world.apply([declare(widget("w", 1, namespace="n"))])
    cluster.drop(ObjectIdentity("apiextensions.k8s.io", "CustomResourceDefinition", "", "widgets.example.test"))
    assert cluster.kind("example.test/v1", "Widget") is None
    cluster.drop(ObjectIdentity("", "Namespace", "", "n"))
    assert not world.is_there("Namespace/n")


def test_some_namespaces_stay(folder: Path) -> None:
    with pytest.raises(Forbidden):
        delete_as_foreign_manager(folder, Address.parse("Namespace/kube-system"))


def test_what_is_simulated_is_marked(cluster: SnapshotCluster) -> None:
    made = apply(cluster, deployment("api"))
    assert {c["message"] for c in made["status"]["conditions"]} == {"simulated: nothing runs in a snapshot"}
    managers = {e["manager"] for e in made["metadata"]["managedFields"] if e.get("subresource") == "status"}
    assert managers == {"simulated-controllers"}


def test_play_sets_removes_and_adds(cluster: SnapshotCluster, folder: Path) -> None:
    apply(cluster, deployment("api"))
    env = "spec.template.spec.containers[name=api].env[name=B]"
    values = {f"{env}.value": "new", "metadata.labels[team/x]": "a", "spec.revisionHistoryLimit": None}
    made = change_as_foreign_manager(folder, Address.parse("Deployment.apps/demo/api"), values, "somebody")
    container = made["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "B", "value": "new"} in container["env"]
    assert made["metadata"]["labels"] == {"team/x": "a"}
    assert "somebody" in {entry["manager"] for entry in made["metadata"]["managedFields"]}


def test_play_refuses_what_is_not_there(folder: Path) -> None:
    with pytest.raises(PermanentError, match="no such object"):
        change_as_foreign_manager(folder, Address.parse("ConfigMap/demo/none"), {"data.a": "1"}, "somebody")
    with pytest.raises(PermanentError, match="not a field path"):
        change_as_foreign_manager(folder, Address.parse("Namespace/demo"), {"data..": "1"}, "somebody")
