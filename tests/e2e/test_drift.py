"""A drift report of a thousand objects with everything wrong at once: all of it reported, nothing aborted."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bench import objects
from tests.e2e.hwplan import Hwplan
from tests.testbed.cluster import TestCluster

COUNT = 1000
_TURNS, _MOST_TURNS = 3, 10
MANAGERS = ("night-shift", "kubectl-edit", "autoscaler")
ACCOUNT = """\
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: robot, namespace: {ns}}}
"""


def _applied(real: Hwplan, name: str) -> tuple[str, ...]:
    """Words of an application of a thousand objects and two, live on the real API server."""
    path = real.folder / f"{name}.yaml"
    objects.write(path, COUNT, name)
    head = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n---\n"
    path.write_text(head + path.read_text() + ACCOUNT.format(ns=name))
    found = ("-f", path.name, "--name", name)
    real("apply", *found, "--confirm", "--no-wait", "-q")
    return found


@pytest.fixture
def words(real: Hwplan, unique: str) -> tuple[str, ...]:
    """The application that everything happens to."""
    return _applied(real, unique)


@pytest.fixture
def untouched(real: Hwplan, unique: str) -> tuple[str, ...]:
    """Another one just like it, that nobody touches: what a clean plan takes is measured in turn with the report."""
    return _applied(real, f"{unique}-b")


def _allowed(api_server: TestCluster, user: str) -> Path:
    """The kubeconfig of a user who may do everything with every kind of the application but service accounts."""
    api = api_server.api()
    rules = [
        {"apiGroups": [""], "resources": ["configmaps", "namespaces", "secrets", "services"], "verbs": ["*"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]},
    ]
    root = "/apis/rbac.authorization.k8s.io/v1"
    api.create(f"{root}/clusterroles", {"metadata": {"name": user}, "rules": rules})
    binding = {
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user},
        "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
    }
    api.create(f"{root}/clusterrolebindings", binding)
    return api_server.kubeconfig_of(user)


def _dead_webhook(unique: str) -> dict[str, Any]:
    """A webhook that nobody answers, for one object of this namespace."""
    hook = {
        "name": "dead.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 1,
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": unique}},
        "objectSelector": {"matchLabels": {"webhook": "dead"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["configmaps"]}],
    }
    return {"metadata": {"name": unique}, "webhooks": [hook]}


def _change(api_server: TestCluster, unique: str, manager: str, plural: str, name: str, body: dict[str, Any]) -> None:
    group = "/apis/apps/v1" if plural == "deployments" else "/api/v1"
    path = f"{group}/namespaces/{unique}/{plural}/{name}?fieldManager={manager}"
    api_server.api().merge(path, body)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _in_turn(one: Callable[[], object], other: Callable[[], object], *, ratio: float) -> tuple[float, float]:
    """The shortest times of both, measured in turn (A B A B): as often as it takes to get below `ratio`, to a limit."""
    first, second = [_seconds(one)], [_seconds(other)]
    while len(first) < _MOST_TURNS and (len(first) < _TURNS or min(first) >= ratio * min(second)):
        first.append(_seconds(one))
        second.append(_seconds(other))
    return min(first), min(second)


def test_everything_at_once(
    real: Hwplan,
    api_server: TestCluster,
    unique: str,
    words: tuple[str, ...],
    untouched: tuple[str, ...],
    record_property: Callable[..., None],
) -> None:
    changed = {f"ConfigMap/{unique}/config-{n:05d}": MANAGERS[n % 3] for n in range(15)}
    changed |= {f"Deployment.apps/{unique}/app-{n:05d}": MANAGERS[n % 3] for n in range(15)}
    deleted = {f"Service/{unique}/app-{n:05d}" for n in range(100, 105)}
    added = {f"ConfigMap/{unique}/config-{n:05d}" for n in range(200, 205)}

    def disturb(what: tuple[str, str, str, dict[str, Any]]) -> None:
        _change(api_server, unique, *what)

    work: list[tuple[str, str, str, dict[str, Any]]] = []
    for n in range(15):
        work.append((MANAGERS[n % 3], "configmaps", f"config-{n:05d}", {"data": {"key": "by-hand"}}))
        work.append((MANAGERS[n % 3], "deployments", f"app-{n:05d}", {"spec": {"replicas": 3}}))
    work += [("intruder", "configmaps", f"config-{n:05d}", {"data": {"extra": "1"}}) for n in range(200, 205)]
    dead = {"metadata": {"labels": {"webhook": "dead"}}, "data": {"key": "by-hand"}}
    work.append(("night-shift", "configmaps", "config-00240", dead))
    api = api_server.api()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(disturb, work))
        list(pool.map(lambda n: api.delete(f"/api/v1/namespaces/{unique}/services/app-{n:05d}"), range(100, 105)))
    watcher = Hwplan(real.folder, ("--kubeconfig", str(_allowed(api_server, unique)), "--state", real.where[-1]))
    hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    api.create(hooks, _dead_webhook(unique))
    try:
        _until_dead(api_server, unique)
        ran = watcher("drift", *words, "--json", code=1)
        text = watcher("drift", *words, code=1).out
        report, plan = ("drift", *words, "--json"), ("plan", *untouched, "--detailed-exitcode")
        took, clean = _in_turn(lambda: watcher(*report, code=1), lambda: real(*plan), ratio=2)
    finally:
        api.delete(f"{hooks}/{unique}")

    rows = {row["address"]: row for row in ran.json["objects"]}
    assert len(rows) == COUNT + 2
    _check(rows, changed, deleted, added, unique)
    assert ran.json["summary"]["drifted"] == 40 and ran.json["summary"]["incomplete"] == 2
    assert ran.json["summary"]["in sync"] == COUNT + 2 - 42
    assert text.startswith(f"40 of {COUNT + 2} objects drifted, 2 unreadable")
    assert took < 2 * clean, f"drift {took:.2f} s, clean plan {clean:.2f} s"
    print(f"drift {took:.2f} s, clean plan {clean:.2f} s: {took / clean:.2f}x")
    record_property("drift_ratio", round(took / clean, 2))


def _until_dead(api_server: TestCluster, unique: str) -> None:
    """Wait until the API server knows the webhook."""
    deadline = time.monotonic() + 60
    path = f"/api/v1/namespaces/{unique}/configmaps/config-00240?dryRun=All"
    while time.monotonic() < deadline:
        code, _ = api_server.api().raw(
            "PATCH", path, json.dumps({"data": {"probe": "1"}}).encode(), "application/merge-patch+json"
        )
        if code >= 500:
            return
        time.sleep(0.2)
    raise AssertionError("the webhook is not called")


def _check(rows: dict[str, Any], changed: dict[str, str], deleted: set[str], added: set[str], unique: str) -> None:
    for address, manager in changed.items():
        row = rows[address]
        (field,) = row["fields"]
        reported = ("data.key", "by-hand") if row["kind"] == "ConfigMap" else ("spec.replicas", 3)
        assert (row["state"], field["path"], field["after"], field["manager"]) == ("drifted", *reported, manager)
        assert field["time"].endswith("Z") and not row["undeclared"]
    for address in deleted:
        assert rows[address]["state"] == "drifted" and rows[address]["reason"].startswith("deleted since run")
    for address in added:
        (field,) = rows[address]["undeclared"]
        assert (field["path"], field["after"], field["manager"]) == ("data.extra", "1", "intruder")
        assert rows[address]["state"] == "drifted" and not rows[address]["fields"]
    broken = rows[f"ConfigMap/{unique}/config-00240"]
    assert broken["state"] == "incomplete" and "dead.example.com" in broken["reason"]
    forbidden = rows[f"ServiceAccount/{unique}/robot"]
    assert forbidden["state"] == "incomplete" and "cannot list resource" in forbidden["reason"]
    odd = set(changed) | deleted | added | {broken["address"], forbidden["address"]}
    assert Counter(row["state"] for address, row in rows.items() if address not in odd).keys() == {"in sync"}


GROUP_DOWN = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {ns}}}
data: {{level: info}}
---
apiVersion: {ns}.example.com/v1
kind: Widget
metadata: {{name: first, namespace: {ns}}}
spec: {{size: 3}}
"""


def test_an_api_group_whose_server_is_down_takes_nothing_else_with_it(
    real: Hwplan, api_server: TestCluster, unique: str
) -> None:
    text = GROUP_DOWN.format(ns=unique)
    (real.folder / "app.yaml").write_text(text)
    (real.folder / "part.yaml").write_text(text.rpartition("---\n")[0])
    real("apply", "-f", "part.yaml", "--name", unique, "--confirm", "--no-wait")
    services = "/apis/apiregistration.k8s.io/v1/apiservices"
    name = f"v1.{unique}.example.com"
    spec = {
        "group": f"{unique}.example.com",
        "version": "v1",
        "groupPriorityMinimum": 1000,
        "versionPriority": 15,
        "insecureSkipTLSVerify": True,
        "service": {"name": "gone", "namespace": unique},
    }
    api_server.api().create(services, {"metadata": {"name": name}, "spec": spec})
    try:
        ran = real("drift", "-f", "app.yaml", "--name", unique, "--json", code=1)
    finally:
        api_server.api().delete(f"{services}/{name}")
    states = {row["kind"]: row["state"] for row in ran.json["objects"]}
    assert states == {"Namespace": "in sync", "ConfigMap": "in sync", "Widget": "incomplete"}
