"""Rules between fields of built-in kinds, each with what the server takes beside it."""

from __future__ import annotations

from typing import Any

import pytest

from planner.field_path import render_path
from planner.values import JsonObject
from providers.kubernetes.ssa import builtin_values, merge
from providers.kubernetes.ssa.builtin_value_formats import builtin_value_format_error
from providers.kubernetes.ssa.immutable_fields import immutable_changes
from providers.kubernetes.ssa.merge_types import MergeTypeTable

TYPES = MergeTypeTable.builtin()


def refused(api_version: str, kind: str, metadata: JsonObject | None = None, **rest: Any) -> list[str]:
    document = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", **(metadata or {})}, **rest}
    stored = merge.merge_server_side_apply(None, document, manager="m", types=TYPES, now="2024-01-01T00:00:00Z").object
    return [
        render_path(path) for path, _ in builtin_values.builtin_value_errors(TYPES.type_of(api_version, kind), stored)
    ]


def workload(pod: JsonObject, container: JsonObject | None = None, **spec: Any) -> JsonObject:
    containers = [{"name": "c", "image": "i", **(container or {})}]
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers, **pod}}
    return {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}


POD = "spec.template.spec"
PORT = {"ports": [{"containerPort": 80, "hostPort": 81}]}
NAMESERVER = {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.1"]}}


@pytest.mark.parametrize(
    ("kind", "spec", "path"),
    [
        ("Deployment", workload({"hostNetwork": True}, PORT), f"{POD}.containers[0].ports[0].hostPort"),
        ("Deployment", workload({}, PORT), ""),
        ("Deployment", workload({"hostNetwork": True}, {"ports": [{"containerPort": 80}]}), ""),
        ("Deployment", workload({"dnsPolicy": "None"}), f"{POD}.dnsConfig"),
        ("Deployment", workload({"dnsPolicy": "None", "dnsConfig": {"searches": ["a"]}}),
         f"{POD}.dnsConfig.nameservers"),
        ("Deployment", workload(NAMESERVER), ""),
        ("Deployment", workload({}, {"resources": {"limits": {"a.b/gpu": "0.5"}}}),
         f"{POD}.containers[name=c].resources.limits[a.b/gpu]"),
        ("Deployment", workload({}, {"resources": {"limits": {"a.b/gpu": "2", "cpu": "0.5"}}}), ""),
        ("Deployment", workload({"activeDeadlineSeconds": 10}), f"{POD}.activeDeadlineSeconds"),
        ("Deployment", workload({}, {"securityContext": {"allowPrivilegeEscalation": False, "privileged": True}}),
         f"{POD}.containers[name=c].securityContext"),
        ("Deployment", workload({}, {"securityContext": {"allowPrivilegeEscalation": False}}), ""),
        ("Deployment", workload({}, minReadySeconds=700), "spec.progressDeadlineSeconds"),
        ("Deployment", workload({}, minReadySeconds=599), ""),
        ("DaemonSet", workload({}, updateStrategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}),
         "spec.updateStrategy.rollingUpdate.maxSurge"),
        ("DaemonSet", workload({}, updateStrategy={"rollingUpdate": {"maxSurge": "10%", "maxUnavailable": 0}}), ""),
        ("DaemonSet", workload({}), ""),
    ],
)  # fmt: skip
def test_workloads(kind: str, spec: JsonObject, path: str) -> None:
    assert refused("apps/v1", kind, spec=spec) == ([path] if path else [])


def policy(**port: Any) -> JsonObject:
    return {"podSelector": {}, "ingress": [{"ports": [port]}]}


@pytest.mark.parametrize(
    ("api_version", "kind", "rest", "path"),
    [
        ("networking.k8s.io/v1", "NetworkPolicy", {"spec": policy(port="http", endPort=90)},
         "spec.ingress[0].ports[0].endPort"),
        ("networking.k8s.io/v1", "NetworkPolicy", {"spec": policy(port=80, endPort=79)},
         "spec.ingress[0].ports[0].endPort"),
        ("networking.k8s.io/v1", "NetworkPolicy", {"spec": policy(port=80, endPort=90)}, ""),
        ("v1", "Endpoints", {"subsets": [{"addresses": [{"ip": "nope"}], "ports": [{"port": 80}]}]},
         "subsets[0].addresses[0].ip"),
        ("policy/v1", "PodDisruptionBudget", {"spec": {"minAvailable": "150%"}}, "spec.minAvailable"),
        ("policy/v1", "PodDisruptionBudget", {"spec": {"maxUnavailable": "100%"}}, ""),
        ("v1", "ConfigMap", {"binaryData": {"a": "no base64!"}}, "binaryData.a"),
        ("v1", "ConfigMap", {"binaryData": {"a": "eA=\n="}}, ""),
        ("v1", "ConfigMap", {"metadata": {"annotations": {"a b": "x"}}}, "metadata.annotations"),
        ("v1", "ConfigMap", {"metadata": {"annotations": {"Foo.Example.com/x": "x"}}}, ""),
        ("v1", "ConfigMap", {"metadata": {"finalizers": ["nope"]}}, "metadata.finalizers[0]"),
        ("v1", "ConfigMap", {"metadata": {"finalizers": ["orphan", "a.b/c"]}}, ""),
    ],
)  # fmt: skip
def test_others(api_version: str, kind: str, rest: JsonObject, path: str) -> None:
    assert refused(api_version, kind, **rest) == ([path] if path else [])


@pytest.mark.parametrize(
    ("form", "text", "fits"),
    [
        ("cidr", "10.0.0.0/24", True),
        ("cidr", "10.0.0.1/24", False),
        ("cidr", "2001:db8::/64", True),
        ("cidr", "10.0.0.1/33", False),
        ("cidr", "10.0.0.0/255.0.0.0", False),
        ("cidr", "10.0.0.1", False),
        ("timezone", "Europe/Berlin", True),
        ("timezone", "America/Argentina/Salta", True),
        ("timezone", "UTC", True),
        ("timezone", "Mars/X", False),
        ("timezone", "Local", False),
    ],
)
def test_forms(form: str, text: str, fits: bool) -> None:
    assert (not builtin_value_format_error(form, text)) is fits


@pytest.mark.parametrize(("size", "has", "fits"), [("1Gi", "2Gi", False), ("3Gi", "2Gi", True), ("9Gi", "2Gi", True)])
def test_a_claim_does_not_shrink(size: str, has: str, fits: bool) -> None:
    def claim(asked: str) -> JsonObject:
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "x"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": asked}}},
            "status": {"phase": "Bound", "capacity": {"storage": has}},
        }

    found = tuple(immutable_changes(claim("5Gi"), claim(size), TYPES))
    assert [render_path(path) for path, _ in found] == ([] if fits else ["spec.resources.requests.storage"])
