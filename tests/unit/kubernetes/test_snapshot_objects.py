"""The indexes of a snapshot: they say what a walk through all objects would say, and nothing walks through all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.values import JsonObject
from providers.kubernetes.snapshot.folder_layout import ObjectIdentity, identity_of_document
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster, open_snapshot
from providers.kubernetes.snapshot.snapshot_objects import SnapshotObjects, owner_uids
from tests.unit.kubernetes.world import config, widget_crd

_names = st.sampled_from(["a", "b", "c"])
_documents = st.builds(
    lambda kind, namespace, name, uid, owners: {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "uid": f"{kind}-{namespace}-{name}-{uid}",
            **({"namespace": namespace} if namespace else {}),
            **({"ownerReferences": [{"uid": owner} for owner in owners]} if owners else {}),
        },
    },
    st.sampled_from(["ConfigMap", "Pod"]),
    st.sampled_from(["", "x", "y"]),
    _names,
    st.integers(0, 2),
    st.lists(st.sampled_from(["u1", "u2", "u3"]), max_size=2, unique=True),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), _documents), max_size=25))
def test_indexes_agree_with_a_walk_through_all(steps: list[tuple[bool, JsonObject]]) -> None:
    objects, plain = SnapshotObjects(), dict[ObjectIdentity, JsonObject]()
    for put, document in steps:
        identity = identity_of_document(document)
        if put:
            objects.put(identity, document)
            plain[identity] = document
        else:
            objects.drop(identity)
            plain.pop(identity, None)
        assert dict(objects) == plain
        for kind in ("ConfigMap", "Pod"):
            wanted = {key for key in plain if key.kind == kind}
            assert set(objects.identities("", kind)) == wanted
            assert {identity_of_document(one) for one in objects.of_kind("", kind)} == wanted
        for namespace in ("x", "y"):
            assert set(objects.in_namespace(namespace)) == {key for key in plain if key.namespace == namespace}
        for uid in ("u1", "u2", "u3"):
            assert set(objects.owned_by(uid)) == {key for key, one in plain.items() if uid in owner_uids(one)}
        for identity, one in plain.items():
            assert objects.with_uid(one["metadata"]["uid"]) == identity


def test_no_call_about_one_object_walks_through_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = open_snapshot(folder)
    info, crds = cluster.kind("v1", "ConfigMap"), cluster.kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert info is not None and crds is not None

    def walk(_: SnapshotObjects) -> Iterator[ObjectIdentity]:
        raise AssertionError("a walk through all objects")

    monkeypatch.setattr(SnapshotObjects, "__iter__", walk)
    cluster.apply(info, config("one", {"a": "1"}))
    cluster.apply(info, config("one", {"a": "2"}), dry_run=True)
    cluster.apply(crds, widget_crd())
    assert cluster.kind("lab.example.org/v1", "Nothing") is None
    assert cluster.get(info, "demo", "one")
    cluster.delete(info, "demo", "one", uid="", resource_version="")
    assert cluster.holds(ObjectIdentity("", "ConfigMap", "demo", "one")) is False


def _owned(name: str, *owners: JsonObject) -> JsonObject:
    references = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": one["metadata"]["name"], "uid": one["metadata"]["uid"]}
        for one in owners
    ]
    made = config(name, {"a": "1"})
    return {**made, "metadata": {**made["metadata"], "ownerReferences": references}}


def test_an_object_goes_with_the_last_of_its_owners(folder: Path) -> None:
    """As the garbage collector has it: an owner that is gone counts for nothing."""
    cluster: SnapshotCluster = open_snapshot(folder)
    first, second = (cluster.add(config(name, {}), manager="m") for name in ("first", "second"))
    cluster.add(_owned("both", first, second), manager="m")
    both = ObjectIdentity("", "ConfigMap", "demo", "both")
    cluster.drop(identity_of_document(first))
    assert cluster.holds(both)
    cluster.drop(identity_of_document(second))
    assert not cluster.holds(both)


def test_owners_in_a_circle_end(folder: Path) -> None:
    cluster: SnapshotCluster = open_snapshot(folder)
    one = cluster.add(config("one", {}), manager="m")
    two = cluster.add(_owned("two", one), manager="m")
    reference = _owned("one", two)["metadata"]["ownerReferences"]
    cluster.change(
        identity_of_document(one),
        lambda live, _: {**live, "metadata": {**live["metadata"], "ownerReferences": reference}},
    )
    cluster.drop(identity_of_document(one))
    assert not cluster.holds(identity_of_document(one)) and not cluster.holds(identity_of_document(two))


def test_every_workload_that_has_a_readiness_rule_gets_ready() -> None:
    from providers.kubernetes.readiness import RULES, object_readiness
    from providers.kubernetes.snapshot.simulated_controllers import simulated_status

    for group, kind in RULES:
        if kind == "CustomRun":  # of controllers of others
            continue
        live = {
            "apiVersion": f"{group}/v1" if group else "v1",
            "kind": kind,
            "metadata": {"name": "a", "generation": 2},
            "spec": {"replicas": 2},
        }
        status = simulated_status(live, "2026-01-01T00:00:00Z")
        assert status is not None, kind
        assert object_readiness({**live, "status": status}).ok, kind
