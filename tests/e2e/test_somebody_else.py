"""What others do to our objects: shown with manager and time, put back, or respected."""

from __future__ import annotations

import pytest

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.testbed.cluster import TestCluster


@pytest.fixture
def applied(real: Hwplan, unique: str) -> tuple[str, ...]:
    """Words of an application that is live on the real API server."""
    file = manifests.write(real.folder, "app.yaml", manifests.APP.format(ns=unique))
    words = ("-f", file, "--name", unique)
    real("apply", *words, "--confirm")
    return words


def _patch(api_server: TestCluster, unique: str, what: str, patch: str) -> None:
    done = api_server.run_kubectl("-n", unique, "patch", *what.split("/"), "--type=merge", "-p", patch)
    assert done.returncode == 0, done.stderr


def test_a_changed_field_is_shown_with_manager_and_time_and_put_back(
    real: Hwplan, api_server: TestCluster, unique: str, applied: tuple[str, ...]
) -> None:
    _patch(api_server, unique, "configmap/settings", '{"data":{"level":"debug"}}')
    plan = real.plan(*applied)
    address = f"ConfigMap/{unique}/settings"
    assert changes(plan) == {address: "update"}
    (field,) = change_of(plan, address)["fields"]
    assert (field["path"], field["before"], field["after"]) == ("data.level", "debug", "info")
    assert field["manager"] == "kubectl-patch" and field["time"].endswith("Z")
    assert change_of(plan, address)["reason"] == "drifted"
    assert real("drift", *applied, code=2).out.count("kubectl-patch") >= 1
    real("apply", *applied, "--confirm")
    live = api_server.api().get(f"/api/v1/namespaces/{unique}/configmaps/settings")
    assert live["data"]["level"] == "info"
    real.empty(*applied)


def test_a_deleted_object_an_added_label_and_a_custom_resource(
    real: Hwplan, api_server: TestCluster, unique: str, applied: tuple[str, ...]
) -> None:
    api_server.run_kubectl("-n", unique, "delete", "secret", "login")
    api_server.run_kubectl("-n", unique, "label", "configmap", "settings", "team=blue")
    plan = real.plan(*applied)
    assert changes(plan) == {f"Secret/{unique}/login": "create"}, "an undeclared label is no change of ours"
    (drift,) = plan["drift"]
    assert drift["address"] == f"ConfigMap/{unique}/settings" and not drift["declared"]
    assert drift["fields"][0]["path"] == "metadata.labels.team"
    report = real("drift", *applied, "--json", code=2).json
    states = {row["address"]: row["state"] for row in report["objects"]}
    assert states[f"Secret/{unique}/login"] == "drifted"


def test_a_foreign_object_blocks_with_its_manager_until_the_field_is_named(
    real: Hwplan, api_server: TestCluster, unique: str
) -> None:
    api_server.run_kubectl("create", "namespace", unique)
    api_server.run_kubectl("-n", unique, "create", "configmap", "settings", "--from-literal=level=theirs")
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: {unique}\n"
    text = head + "%sdata: {level: ours}\n"
    file = manifests.write(real.folder, "c.yaml", text % "")
    (blocked,) = real.plan("-f", file, "--name", unique)["blocked"]
    assert (
        "kubectl-create" in blocked["reason"] + blocked["evidence"]
        and "data.level" in blocked["reason"] + blocked["evidence"]
    )
    assert "hwplan.dev/adopt-fields" in blocked["remedy"]
    manifests.write(real.folder, "c.yaml", text % "  annotations: {hwplan.dev/adopt-fields: data.level}\n")
    assert changes(real.plan("-f", file, "--name", unique)) == {f"ConfigMap/{unique}/settings": "adopt"}
    real("apply", "-f", file, "--name", unique, "--confirm")
    real.empty("-f", file, "--name", unique)


def test_client_side_apply_is_taken_over_with_its_removals(real: Hwplan, api_server: TestCluster, unique: str) -> None:
    api_server.run_kubectl("create", "namespace", unique)
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: {unique}}}\n"
    old = head + "data: {keep: a, drop: b}\n"
    assert api_server.run_kubectl("apply", "-f", "-", stdin=old).returncode == 0
    new = old.replace(", drop: b", "")
    file = manifests.write(real.folder, "c.yaml", new)
    plan = real.plan("-f", file, "--name", unique)
    fields = {field["path"]: field["op"] for field in change_of(plan, f"ConfigMap/{unique}/settings")["fields"]}
    assert fields["data.drop"] == "remove"
    real("apply", "-f", file, "--name", unique, "--confirm")
    live = api_server.api().get(f"/api/v1/namespaces/{unique}/configmaps/settings")
    assert live["data"] == {"keep": "a"}
    real.empty("-f", file, "--name", unique)


def test_unreadable_is_never_absent(
    real: Hwplan, api_server: TestCluster, unique: str, applied: tuple[str, ...]
) -> None:
    blind = Hwplan(
        real.folder,
        ("--kubeconfig", str(api_server.kubeconfig_of(unique)), "--state", str(real.folder / "state.db")),
    )
    api = api_server.api()
    rules = [{"apiGroups": ["", "apps"], "resources": ["configmaps", "namespaces", "deployments"], "verbs": ["*"]}]
    api.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", {"metadata": {"name": unique}, "rules": rules})
    api.create(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        {
            "metadata": {"name": unique},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": unique},
            "subjects": [{"kind": "User", "name": unique, "apiGroup": "rbac.authorization.k8s.io"}],
        },
    )
    plan = blind.plan(*applied)
    assert [blocked["address"] for blocked in plan["blocked"]] == [f"Secret/{unique}/login"]
    assert plan["changes"] == []
    report = blind("drift", *applied, "--json", code=1).json
    assert {row["address"]: row["state"] for row in report["objects"]}[f"Secret/{unique}/login"] == "incomplete"
