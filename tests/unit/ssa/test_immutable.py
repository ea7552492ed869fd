"""Immutable fields: the table and its few rules."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from planner.field_path import render_path
from providers.kubernetes.ssa.immutable_fields import immutable_changes
from providers.kubernetes.ssa.merge_types import MergeTypeTable

Doc = dict[str, Any]


def changed(document: Doc, path: str, value: Any) -> list[str]:
    after = copy.deepcopy(document)
    node = after
    *parents, last = path.split(".")
    for name in parents:
        node = node.setdefault(name, {})
    node[last] = value
    return [render_path(found) for found, _ in immutable_changes(document, after)]


def thing(api_version: str, kind: str, **rest: Any) -> Doc:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **rest}


STATEFUL = thing("apps/v1", "StatefulSet", spec={"replicas": 1, "serviceName": "a", "template": {}})
CLAIM = thing("v1", "PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}})
BOUND = {**CLAIM, "status": {"phase": "Bound"}}
SERVICE = thing("v1", "Service", spec={"clusterIP": "10.0.0.1", "type": "ClusterIP"})
FROZEN = thing("v1", "ConfigMap", data={"a": "1"}, immutable=True)
JOB = thing("batch/v1", "Job", spec={"template": {"a": 1}, "parallelism": 1, "completions": 1})
CRD = thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec={"group": "g", "scope": "Cluster"})
POD = thing("v1", "Pod", spec={"containers": [{"name": "c", "image": "a"}], "nodeName": "n"})


@pytest.mark.parametrize(
    ("document", "path", "value", "found"),
    [
        (thing("apps/v1", "Deployment", spec={"selector": {"a": "b"}}), "spec.selector", {"a": "c"}, ["spec.selector"]),
        (thing("apps/v1", "Deployment", spec={"replicas": 1}), "spec.replicas", 2, []),
        (STATEFUL, "spec.replicas", 3, []),
        (STATEFUL, "spec.serviceName", "b", ["spec.serviceName"]),
        (JOB, "spec.template", {"a": 2}, ["spec.template"]),
        (JOB, "spec.completions", 2, ["spec.completions"]),
        (JOB, "spec.parallelism", 2, []),
        (CLAIM, "spec.resources.requests.storage", "2Gi", ["spec.resources"]),
        (BOUND, "spec.resources.requests.storage", "2Gi", []),
        (BOUND, "spec.storageClassName", "x", ["spec.storageClassName"]),
        (SERVICE, "spec.clusterIP", "10.0.0.2", ["spec.clusterIP"]),
        (SERVICE, "spec.type", "NodePort", []),
        (thing("v1", "Secret", type="Opaque"), "type", "x/y", ["type"]),
        (FROZEN, "data", {"a": "2"}, ["data"]),
        (FROZEN, "immutable", False, ["immutable"]),
        (FROZEN, "metadata.labels", {"a": "b"}, []),
        (thing("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={"name": "a"}), "roleRef.name", "b", ["roleRef"]),
        (thing("storage.k8s.io/v1", "StorageClass", provisioner="a"), "provisioner", "b", ["provisioner"]),
        (CRD, "spec.group", "h", ["spec.group"]),
        (CRD, "spec.scope", "Namespaced", []),
        (POD, "spec.containers", [{"name": "c", "image": "b"}], []),
        (POD, "spec.nodeName", "m", ["spec.nodeName"]),
    ],
)
def test_table(document: Doc, path: str, value: Any, found: list[str]) -> None:
    assert changed(document, path, value) == found


def test_scope_is_frozen_once_established() -> None:
    live = {**CRD, "status": {"conditions": [{"type": "Established", "status": "True"}]}}
    assert changed(live, "spec.scope", "Namespaced") == ["spec.scope"]


def test_transition_rules_of_custom_kinds() -> None:
    rule = {"rule": "self == oldSelf", "message": "project cannot move"}
    spec = {"type": "object", "properties": {"project": {"type": "string", "x-kubernetes-validations": [rule]}}}
    version = {
        "name": "v1",
        "served": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    crd = {"spec": {"group": "x.io", "names": {"kind": "App", "plural": "apps"}, "versions": [version]}}
    types = MergeTypeTable.builtin().with_crds([crd])
    live = thing("x.io/v1", "App", spec={"project": "a"})
    after = thing("x.io/v1", "App", spec={"project": "b"})
    assert immutable_changes(live, after, types) == ((("spec", "project"), "project cannot move"),)
    assert immutable_changes(live, thing("x.io/v1", "App", spec={}), types) == ()
