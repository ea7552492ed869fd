"""Warnings in the words of a server; the oracle is tests/integration/test_server_warnings.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planner.values import JsonObject
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.server_warnings import server_warnings

TYPES = MergeTypeTable.builtin()
PORTS = [{"containerPort": 80, "protocol": "TCP"}]
TWICE = [{"name": "a", "ports": PORTS}, {"name": "b", "ports": PORTS}]
SELECTED = {"nodeSelector": {"beta.kubernetes.io/os": "linux"}}
GIVEN: list[tuple[str, str, JsonObject, list[str]]] = [
    ("v1", "Endpoints", {}, ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]),
    (
        "apps/v1",
        "Deployment",
        {"spec": {"template": {"spec": {"containers": TWICE}}}},
        ["spec.template.spec.containers[1].ports[0]: duplicate port definition with "
         "spec.template.spec.containers[0].ports[0]"],
    ),
    (
        "batch/v1",
        "CronJob",
        {"spec": {"jobTemplate": {"spec": {"template": {"spec": SELECTED}}}}},
        ["spec.jobTemplate.spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "
         '"kubernetes.io/os" instead'],
    ),
    ("v1", "Pod", {"spec": {"containers": [{"name": "a", "env": [
        {"name": "X", "value": "a"}, {"name": "X", "value": "b"}, {"name": "X", "value": "$(X)c"}]}]}},
     ['spec.containers[0].env[1]: hides previous definition of "X", which may be dropped when using apply']),
    ("v1", "Service", {"spec": {"externalIPs": ["2001:DB8::1"]}},
     ['spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      "spec.externalIPs is deprecated and may no longer be implemented in some clusters"]),
    ("v1", "ConfigMap", {"data": {"a": "b"}}, []),
]  # fmt: skip


def named(api_version: str, kind: str, **rest: Any) -> JsonObject:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **rest}


@pytest.mark.parametrize(("api_version", "kind", "rest", "words"), GIVEN)
def test_what_is_warned_of(api_version: str, kind: str, rest: JsonObject, words: list[str]) -> None:
    assert server_warnings(named(api_version, kind, **rest), None, TYPES) == tuple(sorted(words))


def test_an_update_warns_of_its_template_only_where_it_changes_the_spec() -> None:
    live = named("apps/v1", "Deployment", spec={"replicas": 1, "template": {"spec": SELECTED}})
    labelled = {**live, "metadata": {"name": "x", "labels": {"a": "b"}}}
    scaled = {**live, "spec": {**live["spec"], "replicas": 2}}
    assert [len(server_warnings(after, live, TYPES)) for after in (live, labelled, scaled)] == [0, 0, 1]


def test_a_sandbox_says_each_warning_once_to_who_caused_it(tmp_path: Path) -> None:
    create_empty_snapshot(tmp_path, name="sandbox")
    cluster = open_snapshot(tmp_path)
    kind = cluster.kind("v1", "Endpoints")
    assert kind is not None
    document = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "x", "namespace": "default"}}
    cluster.apply(kind, document, dry_run=True)
    cluster.apply(kind, document)
    said = GIVEN[0][3][0]
    assert cluster.drain_warnings("Endpoints/default/x") == (said,)
    assert cluster.drain_warnings("Endpoints/default/x") == ()
    cluster.apply(kind, document)
    assert cluster.drain_warnings() == (f"Endpoints/default/x: {said}",)
