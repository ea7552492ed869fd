"""The simulated cluster itself: its files, its refusals, its counters, and who else may touch it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.address import Address
from planner.errors import PermanentError
from planner.values import JsonObject
from providers.kubernetes.cluster import KindInfo, Place
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
from providers.kubernetes.snapshot.cluster import SnapshotCluster, open_snapshot
from providers.kubernetes.snapshot.creating import create_empty, save
from providers.kubernetes.snapshot.layout import Identity, parse_yaml, path_of, write_atomic, yaml_text
from providers.kubernetes.snapshot.playing import play, remove
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.schema import TypeTable
from tests.unit.kubernetes.world import (
    PRINTS,
    World,
    config,
    declare,
    deployment,
    namespace,
    sealed,
    secret,
    widget,
    widget_crd,
)


def apply(cluster: SnapshotCluster, document: JsonObject, *, force: bool = False, **metadata: str) -> JsonObject:
    kind = cluster.kind(document["apiVersion"], document["kind"])
    assert kind is not None
    body = {**document, "metadata": {**document["metadata"], **metadata}}
    return cluster.apply(kind, body, force=force)


@pytest.fixture
def cluster(folder: Path) -> SnapshotCluster:
    return open_snapshot(folder)


# --- identity and files --------------------------------------------------------------------------------------------


def test_two_sandboxes_are_two_clusters(tmp_path: Path) -> None:
    create_empty(tmp_path / "one", name="one")
    create_empty(tmp_path / "two", name="two")
    one, two = open_snapshot(tmp_path / "one").identity(), open_snapshot(tmp_path / "two").identity()
    assert one.uid != two.uid
    assert (one.server, one.simulated) == ("one", True)


def test_an_existing_cluster_is_never_overwritten(folder: Path) -> None:
    with pytest.raises(PermanentError, match="already"):
        create_empty(folder, name="again")


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
    path = path_of(Identity("rbac.authorization.k8s.io", "ClusterRole", "", name))
    assert path.parts[:2] == ("_cluster", "ClusterRole.rbac.authorization.k8s.io")
    assert len(path.parts) == 3
    assert len(path.name.encode()) < 250 and not path.name.startswith(".")
    other = path_of(Identity("rbac.authorization.k8s.io", "ClusterRole", "", name + "-"))
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
    assert parse_yaml(yaml_text(document), "x") == document


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
    before = open_snapshot(folder).list([Place(cluster.kinds()[0], "demo")])
    cache = folder / "cluster/.cache.jsonl"
    cache.write_bytes(cache.read_bytes()[:-7])
    assert open_snapshot(folder).list([Place(cluster.kinds()[0], "demo")]) == before
    cache.unlink()
    assert open_snapshot(folder).list([Place(cluster.kinds()[0], "demo")]) == before


# --- refusals ------------------------------------------------------------------------------------------------------


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
        apply(cluster, config("c", {}, place="nowhere"))
    with pytest.raises(Invalid, match=r"data\.a"):
        apply(cluster, config("c", {"a": 1}))  # type: ignore[dict-item]
    with pytest.raises(Invalid, match=r"metadata\.name"):
        apply(cluster, config("Not_A_Name", {}))
    with pytest.raises(BadRequest):
        apply(cluster, config("", {}))
    alien = {"apiVersion": "x.test/v1", "kind": "X", "metadata": {"name": "x", "namespace": "demo"}}
    with pytest.raises(NotServed):
        cluster.apply(KindInfo("x.test/v1", "X", "xs", True), alien)
    assert apply(cluster, config("c", {"a": "1"}), uid=uid, resourceVersion=version) == made
    assert apply(cluster, config("new", {}), resourceVersion="1")["metadata"]["uid"]


def test_conflicts_and_force(cluster: SnapshotCluster, folder: Path) -> None:
    apply(cluster, config("c", {"a": "1"}))
    play(folder, Address.parse("ConfigMap/demo/c"), {"data.a": "theirs"}, "somebody")
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
    world.apply([declare(widget_crd()), declare(namespace("n")), declare(widget("w", 1, place="n"))])
    owner = world.live("Widget.example.test/n/w", "example.test/v1")["metadata"]["uid"]
    child = config("child", {}, place="n")
    child["metadata"]["ownerReferences"] = [{"apiVersion": "x/v1", "kind": "Widget", "name": "w", "uid": owner}]
    cluster.add(child, manager="controller")
    cluster.drop(Identity("example.test", "Widget", "n", "w"))
    assert not world.is_there("ConfigMap/n/child")
    world.apply([declare(widget("w", 1, place="n"))])
    cluster.drop(Identity("apiextensions.k8s.io", "CustomResourceDefinition", "", "widgets.example.test"))
    assert cluster.kind("example.test/v1", "Widget") is None
    cluster.drop(Identity("", "Namespace", "", "n"))
    assert not world.is_there("Namespace/n")


def test_some_namespaces_stay(folder: Path) -> None:
    with pytest.raises(Forbidden):
        remove(folder, Address.parse("Namespace/kube-system"))


def test_what_is_simulated_is_marked(cluster: SnapshotCluster) -> None:
    made = apply(cluster, deployment("api"))
    assert {c["message"] for c in made["status"]["conditions"]} == {"simulated: nothing runs in a snapshot"}
    managers = {e["manager"] for e in made["metadata"]["managedFields"] if e.get("subresource") == "status"}
    assert managers == {"simulated-controllers"}


# --- playing somebody else -----------------------------------------------------------------------------------------


def test_play_sets_removes_and_adds(cluster: SnapshotCluster, folder: Path) -> None:
    apply(cluster, deployment("api"))
    env = "spec.template.spec.containers[name=api].env[name=B]"
    values = {f"{env}.value": "new", "metadata.labels[team/x]": "a", "spec.revisionHistoryLimit": None}
    made = play(folder, Address.parse("Deployment.apps/demo/api"), values, "somebody")
    container = made["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "B", "value": "new"} in container["env"]
    assert made["metadata"]["labels"] == {"team/x": "a"}
    assert "somebody" in {entry["manager"] for entry in made["metadata"]["managedFields"]}


def test_play_refuses_what_is_not_there(folder: Path) -> None:
    with pytest.raises(PermanentError, match="no such object"):
        play(folder, Address.parse("ConfigMap/demo/none"), {"data.a": "1"}, "somebody")
    with pytest.raises(PermanentError, match="not a field path"):
        play(folder, Address.parse("Namespace/demo"), {"data..": "1"}, "somebody")


# --- saving --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["saved", "saved.json", "saved.yaml"])
def test_a_saved_cluster_plans_like_the_one_it_was_saved_from(world: World, tmp_path: Path, name: str) -> None:
    wanted = [
        declare(widget_crd()),
        declare(widget("w", 1)),
        declare(deployment("api")),
        declare(secret("s", {"P": sealed("file:a#P", "first value")})),
    ]
    world.apply(wanted)
    kinds = [world.cluster.kind(r.api_version, r.address.kind) for r in wanted]
    places = [Place(kind, "demo" if kind.namespaced else "") for kind in kinds if kind]
    target = tmp_path / name
    assert save(world.cluster, target, PRINTS, places) == 6  # two namespaces as well
    again = World(open_snapshot(target))
    assert again.cluster.identity().uid == world.cluster.identity().uid
    assert set(again.look(wanted).effects.values()) == {"none"}
    changed = [declare(deployment("api", replicas=9))]
    assert again.look(changed).fields("Deployment.apps/demo/api") == world.look(changed).fields(
        "Deployment.apps/demo/api"
    )
    if target.is_file():
        with pytest.raises(PermanentError, match="cannot be changed"):
            apply(open_snapshot(target), deployment("other"))


def test_values_of_a_live_secret_are_not_saved(tmp_path: Path) -> None:
    class Live:
        simulated = False

        def __init__(self, inner: SnapshotCluster) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

        def list(self, places: list[Place]) -> object:
            document = secret("s", {})
            document["data"] = {"P": "cGxhbnRlZC1jYW5hcnk="}
            document["metadata"]["annotations"] = {
                "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"P":"cGxhbnRlZC1jYW5hcnk="}}'
            }
            return {place: (document,) if place.kind.kind == "Secret" else () for place in places}

    create_empty(tmp_path, name="x", namespaces=["demo"])
    inner = open_snapshot(tmp_path)
    kind = inner.kind("v1", "Secret")
    assert kind is not None
    target = tmp_path / "saved.json"
    save(Live(inner), target, PRINTS, [Place(kind, "demo")])  # type: ignore[arg-type]
    text = target.read_text()
    assert "cGxhbnRlZC1jYW5hcnk" not in text and "planted" not in text
    saved = json.loads(text)["objects"][0]
    assert saved["data"] == {"P": PRINTS.fingerprint(b"planted-canary")}


# --- several at once, and kills ------------------------------------------------------------------------------------


def test_two_threads_lose_nothing(folder: Path) -> None:
    def work(who: str) -> None:
        looking = open_snapshot(folder)
        for number in range(8):
            apply(looking, config(f"{who}{number}", {"n": str(number)}))

    threads = [threading.Thread(target=work, args=(who,)) for who in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = open_snapshot(folder).list([Place(open_snapshot(folder).kinds()[0], "demo")])
    assert sum(len(objects) for objects in found.values() if isinstance(objects, tuple)) == 16


def test_two_writers_of_one_object_take_turns(folder: Path) -> None:
    apply(open_snapshot(folder), config("c", {"n": "0"}))
    target = Identity("", "ConfigMap", "demo", "c")

    def more(live: JsonObject, types: TypeTable) -> JsonObject:
        new = {**live, "data": {"n": str(int(live["data"]["n"]) + 1)}}
        return merge.update(live, new, manager="counter", types=types, now="2026-01-01T00:00:00Z")

    def work() -> None:
        cluster = open_snapshot(folder)
        for _ in range(25):
            cluster.change(target, more)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    info = open_snapshot(folder).kind("v1", "ConfigMap")
    assert info is not None
    found = open_snapshot(folder).get(info, "demo", "c")
    assert found is not None and found["data"] == {"n": "75"}


def test_a_reader_of_the_old_file_keeps_the_old_text(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    write_atomic(path, "old text, whole\n")
    with path.open() as reader:
        write_atomic(path, "new\n")
        assert reader.read() == "old text, whole\n"
    assert path.read_text() == "new\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.yaml"]


def test_a_kill_at_any_point_leaves_whole_objects(folder: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from providers.kubernetes.snapshot.cluster import open_snapshot
        cluster = open_snapshot(Path(sys.argv[1]))
        kind = cluster.kind("v1", "ConfigMap")
        print("ready", flush=True)
        for n in range(100000):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{n % 7}", "namespace": "demo"}}
            cluster.apply(kind, {**body, "data": {"n": str(n), "pad": "x" * 2000}}, force=True)
        """
    )
    for attempt in range(4):
        process = subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(0.05 + 0.037 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        cluster = open_snapshot(folder)
        place = Place(next(kind for kind in cluster.kinds() if kind.kind == "ConfigMap"), "demo")
        objects = cluster.list([place])[place]
        assert isinstance(objects, tuple) and objects
        assert all(len(document["data"]["pad"]) == 2000 for document in objects)
        versions = [document["metadata"]["resourceVersion"] for document in objects]
        assert len(set(versions)) == len(versions)


def test_reading_two_hundred_objects_is_fast(folder: Path) -> None:
    cluster = open_snapshot(folder)
    for number in range(200):
        apply(cluster, config(f"c{number}", {f"k{n}": "some text" for n in range(10)}))
    began = time.perf_counter()
    again = open_snapshot(folder)
    place = Place(next(kind for kind in again.kinds() if kind.kind == "ConfigMap"), "demo")
    objects = again.list([place])[place]
    spent = time.perf_counter() - began
    assert isinstance(objects, tuple) and len(objects) == 200
    assert spent < 0.15 * (5 if os.environ.get("PYTEST_XDIST_WORKER") else 2)
