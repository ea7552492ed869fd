"""Writes of the live cluster against the real API server: ownership, preconditions, refusals, warnings."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest

from providers.cluster_interface import KubernetesListScope, ServedKubernetesKind
from providers.kubernetes import errors
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.readiness import deletion_readiness, object_readiness
from tests.integration.live_cluster_world import (
    CONFIG_MAP,
    DEPLOYMENT,
    SECRET,
    bound,
    config_map,
    deployment,
    eventually,
    objects_in,
)
from tests.testbed.cluster import TestCluster

NAMESPACE = ServedKubernetesKind("v1", "Namespace", "namespaces", False)
CRD = ServedKubernetesKind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False)
NOBODY = "00000000-0000-0000-0000-000000000000"


def test_apply_is_ours_and_idempotent(server: LiveCluster, api_namespace: str) -> None:
    made = server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="v"))
    again = server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="v"))
    assert again["metadata"] == made["metadata"]
    entry = made["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["operation"]) == ("hwplan", "Apply")


def test_a_dry_run_writes_nothing(server: LiveCluster, api_namespace: str) -> None:
    assert server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="v"), dry_run=True)["data"] == {"k": "v"}
    assert server.get(CONFIG_MAP, api_namespace, "a") is None


def test_conflicts_name_the_other_manager_until_forced(
    server: LiveCluster, api_server: TestCluster, api_namespace: str
) -> None:
    path = f"/api/v1/namespaces/{api_namespace}/configmaps/a"
    api_server.api().apply(path, config_map(api_namespace, "a", k="theirs", other="x"), manager="editor")
    with pytest.raises(errors.ApplyConflict) as caught:
        server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="ours"))
    assert [(cause.path, cause.manager) for cause in caught.value.causes] == [("data.k", "editor")]
    assert caught.value.where == f"ConfigMap/{api_namespace}/a"
    assert server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="ours"), force=True)["data"]["k"] == "ours"


def test_a_stale_resource_version_is_refused(server: LiveCluster, api_namespace: str) -> None:
    first = server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="1"))
    version, uid = first["metadata"]["resourceVersion"], first["metadata"]["uid"]
    server.apply(CONFIG_MAP, bound(config_map(api_namespace, "a", k="2"), uid=uid, resourceVersion=version))
    with pytest.raises(errors.ResourceVersionConflict):
        server.apply(CONFIG_MAP, bound(config_map(api_namespace, "a", k="3"), uid=uid, resourceVersion=version))
    found = server.get(CONFIG_MAP, api_namespace, "a")
    assert found is not None and found["data"] == {"k": "2"}


def test_create_only(server: LiveCluster, api_namespace: str) -> None:
    body = bound(config_map(api_namespace, "a", k="1"), resourceVersion="1")
    assert server.apply(CONFIG_MAP, body)["data"] == {"k": "1"}
    with pytest.raises(errors.ResourceVersionConflict):
        server.apply(CONFIG_MAP, body)


def test_another_uid_is_refused_on_an_object_and_on_none(server: LiveCluster, api_namespace: str) -> None:
    with pytest.raises(errors.UidMismatch):
        server.apply(CONFIG_MAP, bound(config_map(api_namespace, "a", k="1"), uid=NOBODY))
    assert server.get(CONFIG_MAP, api_namespace, "a") is None
    server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="1"))
    with pytest.raises(errors.UidMismatch):
        server.apply(CONFIG_MAP, bound(config_map(api_namespace, "a", k="2"), uid=NOBODY))


def test_strict_validation_keeps_values_to_itself(server: LiveCluster, api_namespace: str) -> None:
    wrong = deployment(api_namespace, "d")
    wrong["spec"] |= {"replicaz": 3, "paused": "hunter2"}
    with pytest.raises(errors.Invalid) as caught:
        server.apply(DEPLOYMENT, wrong)
    # The server stops at an unknown field, and walks maps in random order.
    assert "spec.replicaz" in {cause.field for cause in caught.value.causes} <= {"spec.replicaz", "spec.paused"}
    assert "hunter2" not in str(caught.value) + repr(caught.value.causes)
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": api_namespace}}
    with pytest.raises(errors.Invalid) as caught:
        server.apply(SECRET, body | {"data": {"k": "hunter2 is not base64"}})
    assert "hunter2" not in str(caught.value) + repr(caught.value.causes)


def test_immutable_fields(server: LiveCluster, api_namespace: str) -> None:
    server.apply(DEPLOYMENT, deployment(api_namespace, "d"))
    other = deployment(api_namespace, "d")
    other["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    with pytest.raises(errors.Invalid) as caught:
        server.apply(DEPLOYMENT, other)
    assert caught.value.immutable and caught.value.causes[0].field == "spec.selector"


def test_a_missing_namespace_is_named(server: LiveCluster) -> None:
    for dry_run in (True, False):
        with pytest.raises(errors.NamespaceMissing) as caught:
            server.apply(CONFIG_MAP, config_map("no-such-namespace", "a"), dry_run=dry_run)
        assert caught.value.namespace == "no-such-namespace"


def test_a_terminating_namespace_takes_nothing(server: LiveCluster, api_server: TestCluster) -> None:
    name = f"dying-{uuid.uuid4().hex[:8]}"
    made = server.apply(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    metadata = made["metadata"]
    server.delete(NAMESPACE, "", name, uid=metadata["uid"], resource_version=metadata["resourceVersion"])
    with pytest.raises(errors.NamespaceTerminating):  # no controllers here: it stays like this
        server.apply(CONFIG_MAP, config_map(name, "a"))
    found = server.get(NAMESPACE, "", name)
    assert not object_readiness(found).done and not deletion_readiness(found, uid=metadata["uid"]).done


def test_a_namespaced_kind_needs_a_namespace(server: LiveCluster) -> None:
    with pytest.raises(errors.BadRequest, match="namespace"):
        server.apply(CONFIG_MAP, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})


def test_names_cannot_leave_their_place_in_the_path(server: LiveCluster, api_namespace: str) -> None:
    outside = ("", ".", "..", "../../kube-system", "a/status", "%2e%2e", "a%2Fstatus")
    for name in outside:
        with pytest.raises(errors.BadRequest):
            server.get(CONFIG_MAP, api_namespace, name)
        with pytest.raises(errors.BadRequest):
            server.delete(CONFIG_MAP, api_namespace, name, uid=NOBODY, resource_version="")
        with pytest.raises(errors.BadRequest):
            server.delete(CONFIG_MAP, name, "a", uid=NOBODY, resource_version="")
    assert server.stats.requests == 0
    for name in ("a?dryRun=All", "a b", "ä", "a\r\nX-Evil: 1"):
        with pytest.raises(errors.Invalid):
            server.apply(CONFIG_MAP, config_map(api_namespace, name))
        assert server.get(CONFIG_MAP, api_namespace, name) is None


def test_delete_with_preconditions(server: LiveCluster, api_namespace: str) -> None:
    made = server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="1"))["metadata"]
    server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="2"))
    with pytest.raises(errors.UidMismatch):
        server.delete(CONFIG_MAP, api_namespace, "a", uid=NOBODY, resource_version="")
    with pytest.raises(errors.ResourceVersionConflict):
        server.delete(CONFIG_MAP, api_namespace, "a", uid=made["uid"], resource_version=made["resourceVersion"])
    found = server.get(CONFIG_MAP, api_namespace, "a")
    assert found is not None
    for _ in range(2):  # gone already is no error
        server.delete(
            CONFIG_MAP, api_namespace, "a", uid=made["uid"], resource_version=found["metadata"]["resourceVersion"]
        )
    assert server.get(CONFIG_MAP, api_namespace, "a") is None


def test_patch_is_the_operators(server: LiveCluster, api_namespace: str) -> None:
    made = server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="1"))["metadata"]
    version = {"op": "replace", "path": "/metadata/resourceVersion", "value": made["resourceVersion"]}
    change = {"op": "add", "path": "/metadata/annotations", "value": {"x/y": "z"}}
    patched = server.patch(CONFIG_MAP, api_namespace, "a", [version, change])
    assert {entry["manager"] for entry in patched["metadata"]["managedFields"]} == {"hwplan", "hwplan-op"}
    with pytest.raises(errors.ResourceVersionConflict):
        server.patch(CONFIG_MAP, api_namespace, "a", [version, change])
    with pytest.raises(errors.ResourceVersionConflict):
        test = {"op": "test", "path": "/data/k", "value": "other"}
        server.patch(CONFIG_MAP, api_namespace, "a", [test, change])


def test_warnings_of_the_server(server: LiveCluster, api_namespace: str) -> None:
    body = deployment(api_namespace, "a")
    body["spec"]["template"]["spec"]["nodeSelector"] = {"beta.kubernetes.io/os": "linux"}
    server.apply(DEPLOYMENT, body)
    elsewhere: list[tuple[str, ...]] = []
    thread = threading.Thread(target=lambda: elsewhere.append(server.drain_warnings()))
    thread.start()
    thread.join()
    warnings = server.drain_warnings()
    assert elsewhere == [()]
    assert len(warnings) == 1 and warnings[0].startswith(f"Deployment.apps/{api_namespace}/a: ")
    assert "beta.kubernetes.io/os" in warnings[0]
    assert server.drain_warnings() == ()


def test_reads_leave_no_warning_for_the_next_write(server: LiveCluster, api_namespace: str) -> None:
    """A list of Endpoints is warned of; a plan said so of whatever object its thread asked about next."""
    endpoints = ServedKubernetesKind("v1", "Endpoints", "endpoints", True)
    server.list([KubernetesListScope(endpoints, api_namespace)])
    server.get(endpoints, api_namespace, "a")
    server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="1"), dry_run=True)
    assert server.drain_warnings(f"ConfigMap/{api_namespace}/a") == ()
    server.apply(
        endpoints, {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "a", "namespace": api_namespace}}
    )
    (said,) = server.drain_warnings(f"Endpoints/{api_namespace}/a")
    assert said.startswith("v1 Endpoints is deprecated")


def crd(group: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": "things", "singular": "thing", "kind": "Thing"}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": versions}
    metadata = {"name": f"things.{group}"}
    return {"apiVersion": CRD.api_version, "kind": CRD.kind, "metadata": metadata, "spec": spec}


def test_an_object_right_after_its_crd(server: LiveCluster, api_namespace: str) -> None:
    group = f"t{uuid.uuid4().hex[:8]}.example.com"
    assert server.kind(f"{group}/v1", "Thing") is None
    made = server.apply(CRD, crd(group))
    info = server.kind(f"{group}/v1", "Thing")
    assert info is not None and info.namespaced
    metadata = {"name": "a", "namespace": api_namespace}
    server.apply(info, {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": metadata, "x": 1})
    assert (
        len(
            objects_in(
                server.list([KubernetesListScope(info, api_namespace)])[KubernetesListScope(info, api_namespace)]
            )
        )
        == 1
    )
    eventually(lambda: object_readiness(server.get(CRD, "", f"things.{group}")).ok)
    server.forget()
    assert server.kind(f"{group}/v1", "Thing") == info
    server.delete(CRD, "", f"things.{group}", uid=made["metadata"]["uid"], resource_version="")
    assert server.stats.retries == 0
