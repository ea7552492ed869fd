"""A saved cluster, and a simulated one that several processes and threads use at the same time."""

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

from planner.errors import PermanentError
from planner.values import JsonObject
from providers.cluster_interface import KubernetesListScope
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot, save_cluster_objects
from providers.kubernetes.snapshot.folder_layout import ObjectIdentity, write_atomic
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster, open_snapshot
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from tests.unit.kubernetes.snapshot_world import apply
from tests.unit.kubernetes.world import (
    PRINTS,
    World,
    config,
    declare,
    deployment,
    sealed,
    secret,
    widget,
    widget_crd,
)


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
    places = [KubernetesListScope(kind, "demo" if kind.namespaced else "") for kind in kinds if kind]
    target = tmp_path / name
    assert save_cluster_objects(world.cluster, target, PRINTS, places) == 6  # two namespaces as well
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

        def list(self, places: list[KubernetesListScope]) -> object:
            document = secret("s", {})
            document["data"] = {"P": "cGxhbnRlZC1jYW5hcnk="}
            document["metadata"]["annotations"] = {
                "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"P":"cGxhbnRlZC1jYW5hcnk="}}'
            }
            return {place: (document,) if place.kind.kind == "Secret" else () for place in places}

    create_empty_snapshot(tmp_path, name="x", namespaces=["demo"])
    inner = open_snapshot(tmp_path)
    kind = inner.kind("v1", "Secret")
    assert kind is not None
    target = tmp_path / "saved.json"
    save_cluster_objects(Live(inner), target, PRINTS, [KubernetesListScope(kind, "demo")])  # type: ignore[arg-type]
    text = target.read_text()
    assert "cGxhbnRlZC1jYW5hcnk" not in text and "planted" not in text
    saved = json.loads(text)["objects"][0]
    assert saved["data"] == {"P": PRINTS.fingerprint(b"planted-canary")}


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
    found = open_snapshot(folder).list([KubernetesListScope(open_snapshot(folder).kinds()[0], "demo")])
    assert sum(len(objects) for objects in found.values() if isinstance(objects, tuple)) == 16


def test_two_writers_of_one_object_take_turns(folder: Path) -> None:
    apply(open_snapshot(folder), config("c", {"n": "0"}))
    target = ObjectIdentity("", "ConfigMap", "demo", "c")

    def more(live: JsonObject, types: MergeTypeTable) -> JsonObject:
        new = {**live, "data": {"n": str(int(live["data"]["n"]) + 1)}}
        return merge.merge_plain_update(live, new, manager="counter", types=types, now="2026-01-01T00:00:00Z")

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
        from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
        cluster = open_snapshot(Path(sys.argv[1]))
        kind = cluster.kind("v1", "ConfigMap")
        for n in range(100000):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{n % 7}", "namespace": "demo"}}
            cluster.apply(kind, {**body, "data": {"n": str(n), "pad": "x" * 2000}}, force=True)
            if not n:
                print("ready", flush=True)
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
        place = KubernetesListScope(next(kind for kind in cluster.kinds() if kind.kind == "ConfigMap"), "demo")
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
    place = KubernetesListScope(next(kind for kind in again.kinds() if kind.kind == "ConfigMap"), "demo")
    objects = again.list([place])[place]
    spent = time.perf_counter() - began
    assert isinstance(objects, tuple) and len(objects) == 200
    assert spent < 0.15 * (5 if os.environ.get("PYTEST_XDIST_WORKER") else 2)
