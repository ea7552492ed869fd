"""Defaults of built-in kinds that depend on other fields, as a server of 1.36 fills them in."""

from __future__ import annotations

from typing import Any

import pytest

from planner.values import JsonObject
from providers.kubernetes.ssa import builtin_values, merge
from providers.kubernetes.ssa.default_image_pull_policy import default_image_pull_policy
from providers.kubernetes.ssa.merge_types import MergeTypeTable

TYPES = MergeTypeTable.builtin()
DIGEST = f"sha256:{'0' * 64}"
BAD = {"labels": {"not valid!": "v v"}, "annotations": {"not valid!": ""}, "finalizers": ["not valid!"]}
POD = {"containers": [{"name": "c", "image": "i"}]}
WORKLOAD = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD}}


def stored(api_version: str, kind: str, **rest: Any) -> JsonObject:
    document = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **rest}
    made = merge.merge_server_side_apply(None, document, manager="m", types=TYPES, now="2024-01-01T00:00:00Z")
    return made.object


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1", "IfNotPresent"),
        ("registry.example.com:5000/a/b", "Always"),
        ("registry.example.com:5000/a/b:2", "IfNotPresent"),
        (f"nginx@{DIGEST}", "IfNotPresent"),
        (f"nginx:latest@{DIGEST}", "Always"),
        ("ko://knative.dev/serving/cmd/activator", "IfNotPresent"),
        ("<YOUR-CONTAINER>", "IfNotPresent"),
        ("UPPER", "IfNotPresent"),
        ("Upper/case", "Always"),  # the first part is a host then
        ("a b", "IfNotPresent"),
        ("0" * 64, "IfNotPresent"),
        ("x" * 255, "Always"),
        ("x" * 256, "IfNotPresent"),
    ],
)
def test_the_policy_of_an_image_whose_name_may_not_be_one(image: str, policy: str) -> None:
    assert default_image_pull_policy(image) == policy


def test_a_replication_controller_takes_labels_and_selector_of_its_template() -> None:
    found = stored("v1", "ReplicationController", spec={"template": {"metadata": {"labels": {"a": "b"}}, "spec": POD}})
    assert (found["metadata"]["labels"], found["spec"]["selector"]) == ({"a": "b"}, {"a": "b"})


@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "Thing"])
def test_the_two_fields_of_a_data_source_say_the_same(kind: str) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}}
    source = {"apiGroup": None, "kind": kind, "name": "other"}  # a pointer that is always written
    by_old = stored("v1", "PersistentVolumeClaim", spec={**claim, "dataSource": source})["spec"]
    assert by_old.get("dataSourceRef") == (source if kind == "PersistentVolumeClaim" else None)
    assert by_old.get("dataSource") == by_old.get("dataSourceRef")
    by_new = stored("v1", "PersistentVolumeClaim", spec={**claim, "dataSourceRef": source})["spec"]
    assert by_new["dataSource"] == by_new["dataSourceRef"] == source


@pytest.mark.parametrize(
    ("given", "kept"),
    [(2**31 - 1, 2**31 - 1), (2**31, -(2**31)), (2**32 + 1, 1), (-(2**31) - 1, 2**31 - 1), (2**63, 0), (1e3, 1000)],
)
def test_an_integer_of_32_bits_holds_the_lowest_bits_of_what_is_given(given: float, kept: int) -> None:
    assert stored("apps/v1", "Deployment", spec={**WORKLOAD, "replicas": given})["spec"]["replicas"] == kept


def test_an_integer_of_64_bits_holds_what_fits() -> None:
    spec = stored("v1", "Pod", spec={**POD, "activeDeadlineSeconds": 2**40})["spec"]
    assert spec["activeDeadlineSeconds"] == 2**40


def test_a_grace_below_zero_is_one_in_a_pod_alone() -> None:
    assert stored("v1", "Pod", spec={**POD, "terminationGracePeriodSeconds": -5})["spec"][
        "terminationGracePeriodSeconds"] == 1  # fmt: skip


def test_an_item_without_a_name_has_the_empty_one_where_that_is_the_default() -> None:
    assert stored("v1", "Pod", spec={**POD, "imagePullSecrets": [{}]})["spec"]["imagePullSecrets"] == [{}]


@pytest.mark.parametrize(
    ("given", "kept"),
    [({}, ("ExactCount", 1)), ({"count": 3}, ("ExactCount", 3)), ({"allocationMode": "All"}, ("All", None))],
)
def test_a_request_for_a_device_is_for_one(given: JsonObject, kept: tuple[str, int | None]) -> None:
    request = {"name": "r", "exactly": {"deviceClassName": "c", **given}}
    spec = stored("resource.k8s.io/v1", "ResourceClaim", spec={"devices": {"requests": [request]}})["spec"]
    found = spec["devices"]["requests"][0]["exactly"]
    assert (found["allocationMode"], found.get("count")) == kept


def test_amounts_finer_than_a_thousandth_are_rounded_up() -> None:
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "100u", "memory": "1Mi"}}}
    spec = stored("v1", "Pod", spec={"containers": [container]})["spec"]
    assert spec["containers"][0]["resources"]["requests"] == {"cpu": "1m", "memory": "1Mi"}


@pytest.mark.parametrize(
    ("api_version", "kind", "spec", "paths"),
    [
        ("batch/v1", "CronJob", {"schedule": "* * * * *", "jobTemplate": {
            "metadata": BAD, "spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}}}, []),
        ("apps/v1", "StatefulSet", {**WORKLOAD, "volumeClaimTemplates": [{
            "metadata": {"name": "c", **BAD}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {
                "requests": {"storage": "1"}}}}]}, []),
        ("apps/v1", "Deployment", {**WORKLOAD, "template": {"spec": POD, "metadata": {
            "labels": {"a": "b", "c": "v v"}, "finalizers": ["not valid!"]}}}, [("metadata", "labels")]),
        ("apps/v1", "Deployment", {**WORKLOAD, "template": {"spec": POD, "metadata": {
            "labels": {"a": "b"}, "annotations": {"not valid!": ""}}}}, [("metadata", "annotations")]),
    ],
)  # fmt: skip
def test_metadata_in_a_template_are_judged_where_the_server_does(
    api_version: str, kind: str, spec: JsonObject, paths: list[tuple[str, str]]
) -> None:
    found = builtin_values.builtin_value_errors(TYPES.type_of(api_version, kind), stored(api_version, kind, spec=spec))
    assert [path[-2:] for path, _ in found] == paths
