"""The live cluster against a real API server: what it refuses, how it is read whole, and what a bad network does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from providers.cluster_interface import KubernetesListScope, ServedKubernetesKind
from providers.kubernetes import errors
from providers.kubernetes.client.kubeconfig import Credentials, resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.parallel_map import ParallelMap
from providers.kubernetes.readiness import object_readiness
from tests.integration.live_cluster_world import (
    CONFIG_MAP,
    DEPLOYMENT,
    SECRET,
    config_map,
    connection_with,
    deployment,
    eventually,
    live,
    objects_in,
)
from tests.testbed import audit
from tests.testbed.cluster import TestCluster
from tests.testbed.http_proxy import HttpFaultProxy, Rule


def test_identity(server: LiveCluster, api_server: TestCluster) -> None:
    expected = api_server.api().get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    assert (server.identity().uid, server.identity().simulated) == (expected, False)
    assert server.identity().server == api_server.server.removeprefix("https://")


def test_discovery_takes_two_requests_and_knows_every_kind(server: LiveCluster, api_server: TestCluster) -> None:
    known = {(info.api_version, info.plural): info for info in server.kinds()}
    assert server.stats.requests == 2
    for path, api_version in (("/api/v1", "v1"), ("/apis/apps/v1", "apps/v1"), ("/apis/batch/v1", "batch/v1")):
        for resource in api_server.api().get(path)["resources"]:
            if "/" not in resource["name"]:
                info = known[api_version, resource["name"]]
                assert (info.kind, info.namespaced) == (resource["kind"], resource["namespaced"])
                assert info.verbs == set(resource["verbs"])
    assert server.kind("v1", "Nope") is None
    assert server.stats.requests == 2


def test_lists_in_parallel_fill_in_what_items_lack(server: LiveCluster, api_namespace: str) -> None:
    server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="v"))
    server.apply(DEPLOYMENT, deployment(api_namespace, "b"))
    places = [
        KubernetesListScope(CONFIG_MAP, api_namespace),
        KubernetesListScope(DEPLOYMENT, api_namespace),
        KubernetesListScope(CONFIG_MAP, "no-such-namespace"),
    ]
    found = server.list([*places, places[0]])
    assert list(found) == places
    maps, deployments, nothing = found.values()
    assert isinstance(maps, tuple) and isinstance(deployments, tuple) and nothing == ()
    assert [(o["apiVersion"], o["kind"], o["metadata"]["name"]) for o in maps] == [("v1", "ConfigMap", "a")]
    assert [(o["apiVersion"], o["kind"]) for o in deployments] == [("apps/v1", "Deployment")]


def test_get(server: LiveCluster, api_namespace: str) -> None:
    assert server.get(CONFIG_MAP, api_namespace, "a") is None
    assert server.get(CONFIG_MAP, "no-such-namespace", "a") is None
    server.apply(CONFIG_MAP, config_map(api_namespace, "a", k="v"))
    found = server.get(CONFIG_MAP, api_namespace, "a")
    assert found is not None and (found["kind"], found["data"]) == ("ConfigMap", {"k": "v"})
    with pytest.raises(errors.NotServed):
        server.get(ServedKubernetesKind("example.com/v1", "Thing", "things", True), api_namespace, "a")


def test_a_long_list_is_read_in_pages(server: LiveCluster, api_server: TestCluster, api_namespace: str) -> None:
    path = f"/api/v1/namespaces/{api_namespace}/configmaps"
    names = [f"c-{number:04}" for number in range(1200)]
    ParallelMap(8).map(lambda name: server.apply(CONFIG_MAP, config_map(api_namespace, name)), names)
    before = audit.mark(api_server)
    requests = server.stats.requests
    found = server.list([KubernetesListScope(CONFIG_MAP, api_namespace)])[
        KubernetesListScope(CONFIG_MAP, api_namespace)
    ]
    assert isinstance(found, tuple)
    assert [item["metadata"]["name"] for item in found] == names
    assert server.stats.requests - requests == 3
    seen = [request for request in audit.requests(api_server, before) if request.uri.startswith(path)]
    assert [("continue=" in request.uri, "limit=500" in request.uri) for request in seen] == [
        (False, True),
        (True, True),
        (True, True),
    ]


def test_a_list_that_expires_starts_again(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    for number in range(3):
        live(api_server).apply(CONFIG_MAP, config_map(api_namespace, f"c-{number}"))
    found = live(api_server.through(http_faults.port))
    rule = Rule("status", code=410, reason="Expired", matches=lambda _method, path: "limit=" in path)
    http_faults.rules = [rule]
    place = KubernetesListScope(CONFIG_MAP, api_namespace)
    assert len(objects_in(found.list([place])[place])) == 3
    rule.times = 99
    assert isinstance(found.list([place])[place], errors.ContinueExpired)


def test_a_place_that_may_not_be_listed_is_an_error_and_the_others_are_read(
    api_server: TestCluster, api_namespace: str
) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    _grant(api_server, api_namespace, "bob", rules)
    bob = live(_as(api_server, "bob"))
    secrets, maps = KubernetesListScope(SECRET, api_namespace), KubernetesListScope(CONFIG_MAP, api_namespace)
    eventually(lambda: isinstance(bob.list([maps])[maps], tuple))
    found = bob.list([secrets, maps, KubernetesListScope(CONFIG_MAP, "")])
    assert found[maps] == ()
    for place in (secrets, KubernetesListScope(CONFIG_MAP, "")):
        assert isinstance(found[place], errors.Forbidden)
    assert 'User "bob" cannot list resource "secrets"' in str(found[secrets])
    with pytest.raises(errors.Forbidden, match="cannot patch"):
        bob.apply(CONFIG_MAP, config_map(api_namespace, "a"))
    with pytest.raises(errors.Forbidden, match="namespaces"):
        bob.identity()


def _as(cluster: TestCluster, user: str) -> TestCluster:
    from dataclasses import replace

    return replace(cluster, kubeconfig=cluster.kubeconfig_of(user))


def _grant(cluster: TestCluster, namespace: str, user: str, rules: list[dict[str, Any]]) -> None:
    root = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    group = "rbac.authorization.k8s.io"
    cluster.api().create(f"{root}/roles", {"metadata": {"name": "r"}, "rules": rules})
    subject = {"kind": "User", "name": user, "apiGroup": group}
    role = {"kind": "Role", "name": "r", "apiGroup": group}
    cluster.api().create(f"{root}/rolebindings", {"metadata": {"name": "r"}, "roleRef": role, "subjects": [subject]})


def test_every_way_to_log_in(api_server: TestCluster, tmp_path: Path) -> None:
    by_certificate = resolve_connection_settings(str(api_server.kubeconfig_of("erin", ["system:masters"])), environ={})
    assert LiveCluster(by_certificate).identity().uid
    with pytest.raises(errors.Unauthorized):
        LiveCluster(connection_with(api_server, Credentials("Bearer wrong"))).identity()
    with pytest.raises(errors.Unauthorized):
        LiveCluster(connection_with(api_server, Credentials())).identity()
    file = tmp_path / "token"
    file.write_text("wrong")
    rotated = LiveCluster(connection_with(api_server, Credentials(token_file=str(file))))
    with pytest.raises(errors.Unauthorized):
        rotated.identity()
    file.write_text(api_server.token + "\n")
    assert rotated.identity().uid
    acting = Credentials(f"Bearer {api_server.token}", impersonate=(("Impersonate-User", "carol"),))
    with pytest.raises(errors.Forbidden, match="carol"):
        LiveCluster(connection_with(api_server, acting)).identity()


def test_expired_credentials_are_renewed_once(api_server: TestCluster) -> None:
    renewals: list[str] = []

    def renew() -> Credentials:
        renewals.append("")
        return Credentials(f"Bearer {api_server.token}")

    assert LiveCluster(connection_with(api_server, Credentials("Bearer old"), renew=renew)).identity().uid
    assert len(renewals) == 1

    def useless() -> Credentials:
        renewals.append("")
        return Credentials("Bearer older")

    with pytest.raises(errors.Unauthorized):
        LiveCluster(connection_with(api_server, Credentials("Bearer old"), renew=useless)).identity()
    assert len(renewals) == 2


def test_many_threads_renew_expired_credentials_once(api_server: TestCluster) -> None:
    renewals: list[str] = []

    def renew() -> Credentials:
        renewals.append("")
        time.sleep(0.1)
        return Credentials(f"Bearer {api_server.token}")

    found = LiveCluster(connection_with(api_server, Credentials("Bearer old"), renew=renew))
    maps = [KubernetesListScope(CONFIG_MAP, f"n-{number}") for number in range(12)]
    assert all(result == () for result in found.list(maps).values())
    assert len(renewals) == 1


def test_workloads_become_ready_and_say_what_is_awaited(cluster: TestCluster, namespace: str) -> None:
    found = live(cluster)
    metadata = {"namespace": namespace}
    template = {
        "metadata": {"labels": {"app": "x"}},
        "spec": {"containers": [{"name": "main", "image": "example/app:1"}]},
    }
    stateful = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "s", **metadata},
        "spec": {"replicas": 2, "serviceName": "s", "selector": {"matchLabels": {"app": "x"}}, "template": template},
    }
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example/app:1"}]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", **metadata},
        "spec": {"template": {"spec": pod}},
    }
    bodies: list[Any] = [deployment(namespace, "d"), stateful, job]
    for body in bodies:
        info = found.kind(body["apiVersion"], body["kind"])
        assert info is not None
        seen = [object_readiness(found.apply(info, body))]
        assert not seen[0].done and seen[0].message

        def done(info: ServedKubernetesKind = info, body: Any = body, seen: Any = seen) -> bool:
            seen.append(object_readiness(found.get(info, namespace, body["metadata"]["name"])))
            return bool(seen[-1].done)

        eventually(done, 60)
        assert seen[-1].ok, seen[-1].message


def test_a_rollout_that_hangs_is_awaited_not_failed(cluster: TestCluster, namespace: str) -> None:
    found = live(cluster)
    body = deployment(namespace, "d", **{"testbed.hwplan/pod": "image-pull-backoff"})
    found.apply(DEPLOYMENT, body)
    eventually(lambda: "available" in object_readiness(found.get(DEPLOYMENT, namespace, "d")).message, 30)
    result = object_readiness(found.get(DEPLOYMENT, namespace, "d"))
    assert (result.done, result.message) == (False, "0 of 2 updated replicas available")


def test_a_job_that_fails(cluster: TestCluster, namespace: str) -> None:
    found = live(cluster)
    template = {
        "metadata": {"labels": {"testbed.hwplan/pod": "fail"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example/app:1"}]},
    }
    info = ServedKubernetesKind("batch/v1", "Job", "jobs", True)
    metadata = {"name": "j", "namespace": namespace}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"backoffLimit": 0, "template": template},
    }
    found.apply(info, body)
    eventually(lambda: object_readiness(found.get(info, namespace, "j")).done, 60)
    result = object_readiness(found.get(info, namespace, "j"))
    assert not result.ok and result.message.startswith("BackoffLimitExceeded")


def test_importing_it_loads_no_client_library() -> None:
    code = "import sys, json, providers.kubernetes.client.live_cluster; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"kubernetes", "urllib3", "ruamel.yaml", "asyncio", "concurrent.futures", "logging", "tempfile"}
