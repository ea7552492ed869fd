"""The account that the CronJob's manifests make is enough for a whole drift report, and can change nothing."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan, change_of
from tests.testbed import audit, control_plane
from tests.testbed.cluster import TestCluster

EXTRA = """\
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {ns}}}
spec:
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: 8080}}]
"""


@pytest.fixture
def unique() -> str:
    return f"d-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def admin(api_server: TestCluster, tmp_path: Path) -> Hwplan:
    return Hwplan(tmp_path, ("--kubeconfig", str(api_server.kubeconfig), "--state", str(tmp_path / "state.db")))


@pytest.fixture
def words(admin: Hwplan, unique: str) -> tuple[str, ...]:
    """Words of an application that is live, a custom kind of its own included."""
    group = unique.replace("-", "")
    text = (manifests.APP + EXTRA).format(ns=unique) + "---\n" + manifests.WIDGETS.format(ns=group, size=3)
    file = manifests.write(admin.folder, "app.yaml", text)
    admin("apply", "-f", file, "--name", unique, "--confirm", "--no-wait")
    return ("-f", file, "--name", unique)


def render(admin: Hwplan, unique: str, *words: str) -> str:
    """The manifests of the CronJob, under a name that no other test uses."""
    text = admin("drift", *words, "--format", "cronjob", "--image", "registry.example/hwplan:1", "--run-in", unique).out
    return text.replace('"hwplan-drift', f'"{unique}-drift')


@pytest.fixture
def account(api_server: TestCluster, admin: Hwplan, unique: str, words: tuple[str, ...]) -> Hwplan:
    """The command as the account of the manifests, with the state of the administrator."""
    text = render(admin, unique, *words, "--read-secrets")
    done = api_server.run_kubectl("apply", "--server-side", "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    token = api_server.service_account_token(unique, f"{unique}-drift")
    path = control_plane.write_kubeconfig(
        admin.folder / "kubeconfig-drift", api_server.server, api_server.ca, {"token": token}
    )
    return Hwplan(admin.folder, ("--kubeconfig", str(path), "--state", str(admin.folder / "state.db")))


def patch(api_server: TestCluster, namespace: str, what: str, document: str) -> None:
    done = api_server.run_kubectl("-n", namespace, "patch", *what.split("/"), "--type=merge", "-p", document)
    assert done.returncode == 0, done.stderr


def states(report: Any) -> dict[str, str]:
    """The objects that are not in sync."""
    return {row["address"]: row["state"] for row in report["objects"] if row["state"] != "in sync"}


def test_the_manifests_are_what_a_server_takes(
    api_server: TestCluster, admin: Hwplan, unique: str, words: tuple[str, ...]
) -> None:
    text = render(admin, unique, *words, "--schedule", "*/15 * * * *", "--state-claim", "drift-state", "--read-secrets")
    done = api_server.run_kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("serverside-applied (server dry run)") == 7
    assert "secrets" not in text.split("kind: ClusterRoleBinding")[0], "Secrets are granted by namespace only"
    assert "kind: Role\n" not in render(admin, unique, *words), "and only where that was asked for"


def test_a_whole_report_without_a_right_to_write(
    api_server: TestCluster, account: Hwplan, unique: str, words: tuple[str, ...]
) -> None:
    group = unique.replace("-", "")
    assert account("drift", *words).out.startswith("none of 8 objects drifted")
    patch(api_server, unique, "configmap/settings", '{"data":{"level":"debug"}}')
    patch(api_server, unique, "deployment/web", '{"spec":{"replicas":7}}')
    patch(api_server, unique, "secret/login", '{"stringData":{"password":"other"}}')
    patch(api_server, unique, "service/web", '{"metadata":{"annotations":{"x/y":"1"}}}')
    patch(api_server, group, f"widgets.{group}.example.com/first", '{"spec":{"size":5}}')

    mark = audit.mark(api_server)
    report = account("drift", *words, "--json", code=2).json
    asked = audit.requests(api_server, mark, user_agent="hwplan/")

    assert states(report) == {
        f"ConfigMap/{unique}/settings": "drifted",
        f"Deployment.apps/{unique}/web": "drifted",
        f"Secret/{unique}/login": "drifted",
        f"Service/{unique}/web": "drifted",
        f"Widget.{group}.example.com/{group}/first": "drifted",
    }
    rows = {row["address"]: row for row in report["objects"]}
    (field,) = rows[f"Deployment.apps/{unique}/web"]["fields"]
    assert (field["path"], field["before"], field["after"]) == ("spec.replicas", 1, 7)
    assert field["manager"] == "kubectl-patch" and field["time"].endswith("Z")
    (field,) = rows[f"Widget.{group}.example.com/{group}/first"]["fields"]
    assert (field["path"], field["before"], field["after"]) == ("spec.size", 3, 5)
    assert rows[f"Service/{unique}/web"]["undeclared"][0]["path"] == "metadata.annotations[x/y]"
    assert len(report["warnings"]) == 3, "one for each kind that could not be asked about"
    assert all("not asked of the server" in text and "cannot patch resource" in text for text in report["warnings"])
    writes = [one for one in asked if one.verb not in ("get", "list", "watch")]
    assert writes and all(one.dry_run and one.code == 403 for one in writes)

    api_server.run_kubectl("-n", unique, "delete", "rolebinding", f"{unique}-drift-secrets")
    partial = account("drift", *words, "--json", code=1).json
    assert states(partial) == {**states(report), f"Secret/{unique}/login": "incomplete"}, "and the rest as before"
    (secret,) = [row for row in partial["objects"] if row["kind"] == "Secret"]
    assert "cannot list resource" in secret["reason"]


def test_a_plan_says_who_vouches_for_it(
    api_server: TestCluster, account: Hwplan, admin: Hwplan, unique: str, words: tuple[str, ...]
) -> None:
    patch(api_server, unique, "configmap/settings", '{"data":{"level":"debug"}}')
    api_server.run_kubectl("-n", unique, "delete", "service", "web")
    plan = account.plan(*words)
    assert plan["blocked"] == []
    address = f"ConfigMap/{unique}/settings"
    local, asked = change_of(plan, address), change_of(admin.plan(*words), address)
    assert (local["verified"], asked["verified"]) == ("schema", "server")
    assert local["fields"] == asked["fields"], "and it predicts what the server does"
    assert change_of(plan, f"Service/{unique}/web")["verified"] == "schema"
    assert len(plan["warnings"]) == 2
    assert "not asked of the server" in account("plan", *words).out
    refused = account("apply", *words, "--target", address, "--confirm", code=None)
    assert refused.code not in (0, 2) and "cannot patch resource" in refused.out + refused.err
    live = api_server.api().get(f"/api/v1/namespaces/{unique}/configmaps/settings")
    assert live["data"]["level"] == "debug", "a straight apply knows what it may not do before it begins"
