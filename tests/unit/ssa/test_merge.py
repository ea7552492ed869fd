"""The merge, rule by rule. That it agrees with the real server is shown by tests/fidelity; here stand the rules."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from planner.errors import PermanentError
from planner.field_path import render_path
from providers.kubernetes.ssa.merge import (
    ApplyOutcome,
    comparable_document,
    merge_plain_update,
    merge_server_side_apply,
)
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from tests.fidelity.crds import CRDS, GROUP

Doc = dict[str, Any]
TYPES = MergeTypeTable.builtin().with_crds(CRDS)
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def config_map(**data: str) -> Doc:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}, "data": data}


def widget(**spec: Any) -> Doc:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "n"}, "spec": spec}


def applied(
    live: Doc | None, desired: Doc, manager: str = "us", *, force: bool = False, now: str = NOW
) -> ApplyOutcome:
    return merge_server_side_apply(live, desired, manager=manager, types=TYPES, force=force, now=now)


def owners(document: Doc) -> dict[str, Doc]:
    return {f"{e['manager']}/{e['operation']}": e["fieldsV1"] for e in document["metadata"].get("managedFields", ())}


def test_create_owns_what_is_declared() -> None:
    made = applied(None, config_map(a="1")).object
    assert owners(made) == {"us/Apply": {"f:data": {"f:a": {}}}}
    assert made["metadata"]["managedFields"][0]["time"] == NOW


def test_the_same_again_changes_nothing() -> None:
    made = applied(None, config_map(a="1")).object
    assert applied(made, config_map(a="1"), now=LATER).object == made


def test_inputs_are_left_alone() -> None:
    made = applied(None, config_map(a="1")).object
    live, desired = copy.deepcopy(made), config_map(b="2")
    applied(live, desired, now=LATER)
    assert live == made
    assert desired == config_map(b="2")


def test_fields_no_longer_declared_go() -> None:
    made = applied(None, config_map(a="1", b="2")).object
    after = applied(made, config_map(a="1"), now=LATER).object
    assert after["data"] == {"a": "1"}
    assert after["metadata"]["managedFields"][0]["time"] == LATER


def test_shared_fields_stay_when_one_owner_lets_go() -> None:
    made = applied(None, config_map(a="1", b="2")).object
    shared = applied(made, config_map(b="2"), "other").object
    after = applied(shared, config_map(a="1"), now=LATER).object
    assert after["data"] == {"a": "1", "b": "2"}
    assert owners(after) == {"us/Apply": {"f:data": {"f:a": {}}}, "other/Apply": {"f:data": {"f:b": {}}}}


def test_sharing_without_a_change_has_no_time() -> None:
    made = applied(None, config_map(a="1")).object
    entry = applied(made, config_map(a="1"), "other", now=LATER).object["metadata"]["managedFields"][0]
    assert entry["manager"] == "other"
    assert "time" not in entry


def test_conflict_is_by_value_and_force_takes_the_field() -> None:
    made = applied(None, config_map(a="1")).object
    result = applied(made, config_map(a="2"), "other")
    assert [(render_path(c.path), c.manager, c.operation) for c in result.conflicts] == [("data.a", "us", "Apply")]
    forced = applied(made, config_map(a="2"), "other", force=True)
    assert forced.conflicts == ()
    assert owners(forced.object) == {"other/Apply": {"f:data": {"f:a": {}}}}


def test_plain_writers_own_what_they_change_and_conflict_too() -> None:
    made = applied(None, config_map(a="1", b="2")).object
    edited = copy.deepcopy(made)
    edited["data"]["a"] = "9"
    live = merge_plain_update(made, edited, manager="editor", types=TYPES, now=LATER)
    assert owners(live) == {"us/Apply": {"f:data": {"f:b": {}}}, "editor/Update": {"f:data": {"f:a": {}}}}
    conflict = applied(live, config_map(a="1", b="2")).conflicts[0]
    assert (conflict.manager, conflict.operation, conflict.time) == ("editor", "Update", LATER)


def test_an_object_without_managers_gets_before_first_apply() -> None:
    live = config_map(a="1") | {"metadata": {"name": "c", "namespace": "n", "uid": "u"}}
    assert set(owners(applied(live, config_map(b="2")).object)) == {"us/Apply", "before-first-apply/Update"}


def test_at_most_ten_plain_writers() -> None:
    live = applied(None, config_map(a="1")).object
    for number in range(12):
        edited = copy.deepcopy(live)
        edited["data"][f"k{number}"] = "x"
        live = merge_plain_update(
            live, edited, manager=f"m{number:02}", types=TYPES, now=f"2026-01-01T00:00:{number:02}Z"
        )
    names = [entry["manager"] for entry in live["metadata"]["managedFields"] if entry["operation"] == "Update"]
    assert len(names) == 10
    assert names[0] == "ancient-changes"


def test_status_belongs_to_its_subresource() -> None:
    made = applied(None, widget(text="x")).object
    live = merge_plain_update(
        made, {**made, "status": {"seen": 1}}, manager="ctl", types=TYPES, now=LATER, subresource="status"
    )
    assert live["status"] == {"seen": 1}
    assert live["metadata"]["managedFields"][-1]["subresource"] == "status"
    after = applied(live, {**widget(text="x"), "status": {"seen": 5}}, now=LATER).object
    assert after["status"] == {"seen": 1}


def test_items_of_keyed_lists_merge_in_place() -> None:
    made = applied(None, widget(parts=[{"name": "a", "size": 1}, {"name": "b"}])).object
    after = applied(made, widget(parts=[{"name": "c"}, {"name": "a", "labels": {"x": "y"}}]), "other").object
    assert [part["name"] for part in after["spec"]["parts"]] == ["c", "a", "b"]
    assert after["spec"]["parts"][1] == {"name": "a", "size": 1, "labels": {"x": "y"}}


def test_sets_union_and_atomic_lists_are_taken_whole() -> None:
    made = applied(None, widget(letters=["a", "b"], steps=[{"name": "x"}])).object
    after = applied(made, widget(letters=["c", "b"], steps=[{"name": "y"}]), "other", force=True).object
    assert after["spec"]["letters"] == ["a", "c", "b"]
    assert [step["name"] for step in after["spec"]["steps"]] == ["y"]


def test_defaults_of_key_fields_make_the_key() -> None:
    made = applied(None, widget(ports=[{"port": 1}])).object
    fields = made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:ports"]
    assert list(fields) == ['k:{"port":1,"protocol":"TCP"}']
    assert made["spec"]["ports"] == [{"port": 1, "protocol": "TCP"}]


def test_nulls_are_not_there() -> None:
    made = applied(None, config_map(a="1") | {"binaryData": None}).object
    assert owners(made) == {"us/Apply": {"f:data": {"f:a": {}}}}


@pytest.mark.parametrize(
    ("desired", "message"),
    [
        (config_map(a="1") | {"nonsense": {}}, "field not declared in schema"),
        (config_map(a=1), "expected string"),  # type: ignore[arg-type]
        (widget(parts=[{"name": "a"}, {"name": "a"}]), "duplicate entries"),
    ],
)
def test_what_the_server_cannot_type_is_refused(desired: Doc, message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        applied(None, desired)


def test_fields_managed_at_another_version_of_a_built_in_kind_are_unsure() -> None:
    made = applied(None, config_map(a="1")).object
    made["metadata"]["managedFields"].append(
        {**made["metadata"]["managedFields"][0], "manager": "x", "apiVersion": "v0"}
    )
    assert applied(made, config_map(a="2")).unsure


def test_a_new_claim_without_a_class_is_unsure() -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c", "namespace": "n"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    result = applied(None, claim)
    assert result.unsure == ("a default StorageClass may be filled in",)
    assert result.object["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_a_deployment_is_stored_with_its_defaults() -> None:
    container = {
        "name": "c",
        "image": "nginx",
        "ports": [{"containerPort": 80}],
        "resources": {"limits": {"cpu": "1000m"}},
    }
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container], "serviceAccountName": "s"}}
    desired = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n"},
        "spec": {"replicas": 0, "minReadySeconds": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    spec = applied(None, desired).object["spec"]
    assert spec["replicas"] == 0  # a pointer: an explicit zero is retained
    assert "minReadySeconds" not in spec  # no pointer: zero is not stored
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": "25%"}
    pod = spec["template"]["spec"]
    assert pod["serviceAccount"] == "s"
    assert pod["containers"][0]["imagePullPolicy"] == "Always"
    assert pod["containers"][0]["resources"] == {"limits": {"cpu": "1"}}
    assert pod["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


def test_comparable_drops_what_only_a_server_knows() -> None:
    service = {
        "kind": "Service",
        "metadata": {"name": "s", "uid": "u", "resourceVersion": "1"},
        "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30000}], "type": "NodePort"},
    }
    assert comparable_document(service) == {
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80}], "type": "NodePort"},
    }
    headless = {"kind": "Service", "metadata": {}, "spec": {"clusterIP": "None"}}
    assert comparable_document(headless)["spec"] == {"clusterIP": "None"}
