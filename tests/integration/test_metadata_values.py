"""Metadata that an API server refuses is refused in a sandbox, of built-in and of custom kinds: its dry run is the
oracle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.errors import ProviderError
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.errors import Invalid
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.fidelity.__main__ import wait_served
from tests.fidelity.server import APPLY, Server
from tests.testbed.cluster import TestCluster
from tests.testbed.definitions import definition_of

OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "x"}
METADATA: list[dict[str, Any]] = [
    {"labels": {"a": "b"}},
    {"labels": {"a": "made-by-"}},  # a published Workflow has it
    {"labels": {"-a": "x"}},
    {"labels": {"a": "x" * 64}},
    {"labels": {"a/b/c": "x"}},
    {"labels": {"A.b/c": "x"}},
    {"annotations": {"-a": "x"}},
    {"annotations": {"A/x": "y"}},
    {"annotations": {"a": "x" * (256 << 10)}},
    {"annotations": {"a": "ä" * ((256 << 9) - 1)}},
    {"finalizers": ["abc"]},
    {"finalizers": ["-a/b"]},
    {"finalizers": ["a.b/c"]},
    {"finalizers": ["foregroundDeletion", "orphan"]},
    {"ownerReferences": [OWNER]},
    {"ownerReferences": [{**OWNER, "uid": ""}]},
    {"ownerReferences": [{**OWNER, "name": ""}]},
    {"ownerReferences": [{**OWNER, "kind": ""}]},
    {"ownerReferences": [{**OWNER, "apiVersion": ""}]},
    {"ownerReferences": [{**OWNER, "apiVersion": "a/b/c"}]},
    {"ownerReferences": [{**OWNER, "kind": "Event"}]},
    {"ownerReferences": [{**OWNER, "controller": True}, {**OWNER, "uid": "y", "controller": True}]},
    {"generateName": "_x"},
    {"generateName": "x-"},
    {"name": "A_b"},
    {"name": "a.b"},
]
PLAIN: dict[str, Any] = {"type": "object", "properties": {"spec": {"type": "object"}}}
CRD = definition_of("metadata.example.org", "Plain", "plains", PLAIN)
KINDS = [
    ServedKubernetesKind("v1", "ConfigMap", "configmaps", True),
    ServedKubernetesKind("networking.k8s.io/v1", "IngressClass", "ingressclasses", False),
    ServedKubernetesKind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False),
    ServedKubernetesKind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", True),
    ServedKubernetesKind("coordination.k8s.io/v1", "Lease", "leases", True),
    ServedKubernetesKind("metadata.example.org/v1", "Plain", "plains", True),
]


@pytest.fixture(scope="module")
def server(api_server: TestCluster) -> Iterator[Server]:
    name = CRD["metadata"]["name"]
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    with Server(api_server.server, api_server.token, api_server.ca) as client:
        assert client.request("PATCH", f"{path}?fieldManager=f&force=true", CRD, APPLY).ok
        wait_served(client, "metadata.example.org/v1", "plains")
        yield client
        client.request("DELETE", path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_metadata_is_refused_as_by_the_server(server: Server, tmp_path: Path, kind: ServedKubernetesKind) -> None:
    create_empty_snapshot(tmp_path, name="sandbox")
    sandbox = open_snapshot(tmp_path)
    crds = sandbox.kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert crds is not None
    sandbox.apply(crds, CRD)
    answers = [(case, _refused_by(server, kind, case), _refused_in(sandbox, kind, case)) for case in METADATA]
    assert [(case, theirs, ours) for case, theirs, ours in answers if theirs != ours] == []
    assert 3 < sum(theirs for _, theirs, _ in answers) < len(METADATA)


def _document(kind: ServedKubernetesKind, metadata: dict[str, Any]) -> dict[str, Any]:
    place = {"namespace": "default"} if kind.namespaced else {}
    spec = {"spec": {"controller": "a/b"}} if kind.kind == "IngressClass" else {}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "x", **place, **metadata}, **spec}


def _refused_by(server: Server, kind: ServedKubernetesKind, metadata: dict[str, Any]) -> bool:
    root = "/api" if "/" not in kind.api_version else "/apis"
    place = "/namespaces/default" if kind.namespaced else ""
    path = f"{root}/{kind.api_version}{place}/{kind.plural}/{metadata.get('name', 'x')}"
    answer = server.request("PATCH", f"{path}?fieldManager=f&force=true&dryRun=All", _document(kind, metadata), APPLY)
    assert answer.ok or answer.code == 422, answer
    return not answer.ok


def _refused_in(sandbox: Any, kind: ServedKubernetesKind, metadata: dict[str, Any]) -> bool:
    served = sandbox.kind(kind.api_version, kind.kind)
    try:
        sandbox.apply(served, _document(kind, metadata), dry_run=True)
    except Invalid:
        return True
    except ProviderError as error:
        raise AssertionError(error) from error
    return False
