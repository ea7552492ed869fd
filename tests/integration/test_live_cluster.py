"""The live cluster against a real API server: what it refuses, how it is read whole, and what a bad network does."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from planner.errors import OutcomeUnknown, ProviderError
from providers.kubernetes import errors
from providers.kubernetes.cluster import KindInfo, Place
from providers.kubernetes.kubeconfig import Connection, Credentials, connect
from providers.kubernetes.live import LiveCluster
from providers.kubernetes.parallel import Parallel
from providers.kubernetes.readiness import gone, readiness
from providers.kubernetes.transport import Patience, Transport
from providers.kubernetes.wire import Limits, Request
from tests.testbed import audit
from tests.testbed.cluster import RunningCluster, TestCluster
from tests.testbed.http_proxy import HttpFaultProxy, Rule
from tests.testbed.proxy import FaultProxy, Faults

CONFIG_MAP = KindInfo("v1", "ConfigMap", "configmaps", True)
SECRET = KindInfo("v1", "Secret", "secrets", True)
NAMESPACE = KindInfo("v1", "Namespace", "namespaces", False)
DEPLOYMENT = KindInfo("apps/v1", "Deployment", "deployments", True)
CRD = KindInfo("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False)
NOBODY = "00000000-0000-0000-0000-000000000000"
SHORT = Patience(total=10.0, busy=3.0, unreachable=0.3)


def live(cluster: TestCluster, **patience: Any) -> LiveCluster:
    connection = connect(str(cluster.kubeconfig), environ={})
    return LiveCluster(connection, transport=Transport(connection, **patience))


def config_map(namespace: str, name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def bound(body: dict[str, Any], **metadata: str) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], **metadata}}


def deployment(namespace: str, name: str, **labels: str) -> dict[str, Any]:
    labels = {"app": name, **labels}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "example/app:1"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


@pytest.fixture
def server(api_server: TestCluster) -> Iterator[LiveCluster]:
    found = live(api_server)
    yield found
    found.close()


@pytest.fixture
def http_faults(api_server: TestCluster, tmp_path: Path) -> Iterator[HttpFaultProxy]:
    pair = api_server.authority.server(tmp_path, "proxy")
    with HttpFaultProxy(api_server.server, pair, api_server.ca) as proxy:
        yield proxy


# --- reading -------------------------------------------------------------------------------------------------------


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
        Place(CONFIG_MAP, api_namespace),
        Place(DEPLOYMENT, api_namespace),
        Place(CONFIG_MAP, "no-such-namespace"),
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
        server.get(KindInfo("example.com/v1", "Thing", "things", True), api_namespace, "a")


def test_a_long_list_is_read_in_pages(server: LiveCluster, api_server: TestCluster, api_namespace: str) -> None:
    path = f"/api/v1/namespaces/{api_namespace}/configmaps"
    names = [f"c-{number:04}" for number in range(1200)]
    Parallel(8).map(lambda name: server.apply(CONFIG_MAP, config_map(api_namespace, name)), names)
    before = audit.mark(api_server)
    requests = server.stats.requests
    found = server.list([Place(CONFIG_MAP, api_namespace)])[Place(CONFIG_MAP, api_namespace)]
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
    place = Place(CONFIG_MAP, api_namespace)
    assert len(_objects(found.list([place])[place])) == 3
    rule.times = 99
    assert isinstance(found.list([place])[place], errors.ContinueExpired)


def _objects(found: tuple[dict[str, Any], ...] | ProviderError) -> tuple[dict[str, Any], ...]:
    assert isinstance(found, tuple), found
    return found


def test_a_place_that_may_not_be_listed_is_an_error_and_the_others_are_read(
    api_server: TestCluster, api_namespace: str
) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    _grant(api_server, api_namespace, "bob", rules)
    bob = live(_as(api_server, "bob"))
    secrets, maps = Place(SECRET, api_namespace), Place(CONFIG_MAP, api_namespace)
    _eventually(lambda: isinstance(bob.list([maps])[maps], tuple))
    found = bob.list([secrets, maps, Place(CONFIG_MAP, "")])
    assert found[maps] == ()
    for place in (secrets, Place(CONFIG_MAP, "")):
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


def _eventually(holds: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.1)


def test_every_way_to_log_in(api_server: TestCluster, tmp_path: Path) -> None:
    by_certificate = connect(str(api_server.kubeconfig_of("erin", ["system:masters"])), environ={})
    assert LiveCluster(by_certificate).identity().uid
    with pytest.raises(errors.Unauthorized):
        LiveCluster(_with(api_server, Credentials("Bearer wrong"))).identity()
    with pytest.raises(errors.Unauthorized):
        LiveCluster(_with(api_server, Credentials())).identity()
    file = tmp_path / "token"
    file.write_text("wrong")
    rotated = LiveCluster(_with(api_server, Credentials(token_file=str(file))))
    with pytest.raises(errors.Unauthorized):
        rotated.identity()
    file.write_text(api_server.token + "\n")
    assert rotated.identity().uid
    acting = Credentials(f"Bearer {api_server.token}", impersonate=(("Impersonate-User", "carol"),))
    with pytest.raises(errors.Forbidden, match="carol"):
        LiveCluster(_with(api_server, acting)).identity()


def test_expired_credentials_are_renewed_once(api_server: TestCluster) -> None:
    renewals: list[str] = []

    def renew() -> Credentials:
        renewals.append("")
        return Credentials(f"Bearer {api_server.token}")

    assert LiveCluster(_with(api_server, Credentials("Bearer old"), renew=renew)).identity().uid
    assert len(renewals) == 1

    def useless() -> Credentials:
        renewals.append("")
        return Credentials("Bearer older")

    with pytest.raises(errors.Unauthorized):
        LiveCluster(_with(api_server, Credentials("Bearer old"), renew=useless)).identity()
    assert len(renewals) == 2


def test_many_threads_renew_expired_credentials_once(api_server: TestCluster) -> None:
    renewals: list[str] = []

    def renew() -> Credentials:
        renewals.append("")
        time.sleep(0.1)
        return Credentials(f"Bearer {api_server.token}")

    found = LiveCluster(_with(api_server, Credentials("Bearer old"), renew=renew))
    maps = [Place(CONFIG_MAP, f"n-{number}") for number in range(12)]
    assert all(result == () for result in found.list(maps).values())
    assert len(renewals) == 1


def _with(cluster: TestCluster, credentials: Credentials, **more: Any) -> Connection:
    return Connection(cluster.server, cluster.ca.read_bytes(), credentials, **more)


# --- writing -------------------------------------------------------------------------------------------------------


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
    assert not readiness(found).done and not gone(found, uid=metadata["uid"]).done


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
    assert len(_objects(server.list([Place(info, api_namespace)])[Place(info, api_namespace)])) == 1
    _eventually(lambda: readiness(server.get(CRD, "", f"things.{group}")).ok)
    server.forget()
    assert server.kind(f"{group}/v1", "Thing") == info
    server.delete(CRD, "", f"things.{group}", uid=made["metadata"]["uid"], resource_version="")
    assert server.stats.retries == 0


# --- the network ---------------------------------------------------------------------------------------------------


def test_a_list_that_breaks_in_the_middle_is_read_again(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    for number in range(20):
        live(api_server).apply(CONFIG_MAP, config_map(api_namespace, f"c-{number:02}", k="v" * 1000))
    found, place = live(api_server.through(http_faults.port)), Place(CONFIG_MAP, api_namespace)
    for action in ("cut-answer", "lose-answer", "lose-request"):
        http_faults.rules = [Rule(action, times=2)]
        assert len(_objects(found.list([place])[place])) == 20
    assert found.stats.retries >= 3


@pytest.mark.parametrize("cut", [0, 1, 100, 3000, 5000])
def test_a_connection_that_is_cut_at_any_byte(
    fault_proxy: FaultProxy, api_server: TestCluster, api_namespace: str, cut: int
) -> None:
    live(api_server).apply(CONFIG_MAP, config_map(api_namespace, "a", k="v" * 4000))
    for faults in (Faults(cut_after=cut, count=1), Faults(reset_after=cut, count=1)):
        with FaultProxy.before(api_server.server, faults) as proxy:
            found = live(api_server.through(proxy.port)).get(CONFIG_MAP, api_namespace, "a")
        assert found is not None and found["data"] == {"k": "v" * 4000}


def test_an_apply_whose_answer_is_lost_is_sent_again(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    http_faults.rules = [Rule("lose-answer", times=2)]
    assert found.apply(CONFIG_MAP, config_map(api_namespace, "a", k="1"))["data"] == {"k": "1"}


def test_a_bound_apply_whose_answer_is_lost_is_unknown(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    http_faults.rules = [Rule("lose-answer")]
    with pytest.raises(OutcomeUnknown):  # created by the first, refused to the second
        found.apply(CONFIG_MAP, bound(config_map(api_namespace, "a", k="1"), resourceVersion="1"))
    assert found.get(CONFIG_MAP, api_namespace, "a") is not None


def test_an_apply_whose_request_is_lost_is_not_unknown(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    http_faults.rules = [Rule("lose-request")]
    assert found.apply(CONFIG_MAP, bound(config_map(api_namespace, "a", k="1"), resourceVersion="1"))


def test_a_write_that_may_not_be_repeated_is_sent_once(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    found.apply(CONFIG_MAP, config_map(api_namespace, "a", k="1"))
    http_faults.rules = [Rule("lose-answer", matches=lambda method, _path: method == "PATCH")]
    count = len(http_faults.requests)
    with pytest.raises(OutcomeUnknown) as caught:
        found.patch(CONFIG_MAP, api_namespace, "a", [{"op": "add", "path": "/data/n", "value": "1"}])
    assert len(http_faults.requests) == count + 1
    assert caught.value.where == f"ConfigMap/{api_namespace}/a" and caught.value.remedy


def test_a_delete_whose_answer_is_lost_ends_well(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    made = found.apply(CONFIG_MAP, config_map(api_namespace, "a"))["metadata"]
    http_faults.rules = [Rule("lose-answer")]
    found.delete(CONFIG_MAP, api_namespace, "a", uid=made["uid"], resource_version=made["resourceVersion"])
    assert found.get(CONFIG_MAP, api_namespace, "a") is None


def test_answers_that_stay_lost_are_unknown_for_writes_and_unreachable_for_reads(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port), patience=SHORT)
    http_faults.rules = [Rule("lose-answer", times=99)]
    with pytest.raises(OutcomeUnknown):
        found.apply(CONFIG_MAP, config_map(api_namespace, "a"))
    with pytest.raises(errors.Unreachable):
        found.apply(CONFIG_MAP, config_map(api_namespace, "a"), dry_run=True)
    with pytest.raises(errors.Unreachable):
        found.get(CONFIG_MAP, api_namespace, "a")


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str, code: int
) -> None:
    found = live(api_server.through(http_faults.port))
    http_faults.rules = [Rule("status", times=1, code=code, retry_after=1), Rule("status", times=2, code=code)]
    started = time.monotonic()
    assert found.apply(CONFIG_MAP, config_map(api_namespace, "a"))
    assert time.monotonic() - started >= 1.0
    assert found.stats.retries == 3


def test_a_server_that_stays_busy_is_given_up(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port), patience=SHORT)
    http_faults.rules = [Rule("status", times=99, code=429)]
    with pytest.raises(errors.ServerBusy):
        found.apply(CONFIG_MAP, config_map(api_namespace, "a"))
    assert len(http_faults.requests) <= 10
    http_faults.rules = [Rule("status", times=99, code=429, retry_after=3600)]
    started = time.monotonic()
    with pytest.raises(errors.ServerBusy) as caught:
        found.get(CONFIG_MAP, api_namespace, "a")
    assert time.monotonic() - started < 1 and caught.value.retry_after == 3600
    http_faults.rules = [Rule("status", times=99, code=504, reason="Timeout")]
    with pytest.raises(OutcomeUnknown):  # a time-out of the server leaves open whether it wrote
        found.apply(CONFIG_MAP, config_map(api_namespace, "a"))


def test_connections_are_kept_and_stale_ones_are_noticed(
    fault_proxy: FaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(fault_proxy.port))
    for number in range(10):
        found.apply(CONFIG_MAP, config_map(api_namespace, f"c-{number}"))
    assert (found.stats.connections, fault_proxy.traffic.connections) == (1, 1)
    for _ in range(5):
        fault_proxy.drop_connections()
        test = [{"op": "test", "path": "/metadata/name", "value": "c-0"}]
        assert found.patch(CONFIG_MAP, api_namespace, "c-0", test)  # a write that is never repeated
    assert found.stats.connections == 6


def test_a_server_that_is_gone_is_unreachable_quickly_and_is_found_again(own_api_server: RunningCluster) -> None:
    found = live(own_api_server.value)
    assert found.identity().uid
    own_api_server.stop_api_server(crash=True)
    started = time.monotonic()
    with pytest.raises(errors.Unreachable) as caught:
        found.get(CONFIG_MAP, "default", "a")
    assert time.monotonic() - started < 3
    assert caught.value.where == found.identity().server and "Connection refused" in caught.value.message
    place = Place(CONFIG_MAP, "default")
    assert isinstance(found.list([place])[place], errors.Unreachable)
    own_api_server.start_api_server()
    assert isinstance(found.list([place])[place], tuple)


def test_no_traceback_and_no_hang_at_a_black_hole(fault_proxy: FaultProxy, api_server: TestCluster) -> None:
    fault_proxy.faults = Faults(black_hole=True)
    limits = Limits(connect=0.5, read=1.0)
    found = live(api_server.through(fault_proxy.port), limits=limits, patience=SHORT)
    started = time.monotonic()
    with pytest.raises(errors.Unreachable):
        found.identity()
    assert time.monotonic() - started < 5


def test_names_and_certificates_that_are_wrong(api_server: TestCluster) -> None:
    token = Credentials(f"Bearer {api_server.token}")
    with pytest.raises(errors.Untrusted, match="certificate is not trusted"):
        LiveCluster(Connection(api_server.server, b"", token)).identity()
    with pytest.raises(errors.Untrusted, match="certificate is not trusted"):
        LiveCluster(_with(api_server, token, tls_server_name="elsewhere.example")).identity()
    assert LiveCluster(Connection(api_server.server, b"", token, insecure=True)).identity().uid
    assert LiveCluster(_with(api_server, token, tls_server_name="kubernetes.default.svc")).identity().uid
    unknown = Connection("https://no-such-host.invalid:6443", credentials=token)
    with pytest.raises(errors.Unreachable, match="name is not known"):
        Transport(unknown, patience=SHORT).send(Request("GET", "/api"))


# --- servers that misbehave ------------------------------------------------------------------------------------------


@contextmanager
def scripted(*answers: bytes, pause: float = 0.0, piece: int = 1 << 20) -> Iterator[tuple[str, list[bytes]]]:
    """A plain HTTP server that gives these bytes, one after the other, whatever it is asked; and what it was asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                asked.append(sock.recv(1 << 16))
                try:
                    for start in range(0, len(answer), piece):
                        sock.sendall(answer[start : start + piece])
                        time.sleep(pause)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.close()


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_what_is_sent() -> None:
    with scripted(answer(b"{}")) as (server, asked):
        transport = Transport(Connection(server, credentials=Credentials("Bearer abc")))
        transport.send(Request("PATCH", "/api/x", b"{1}", "application/apply-patch+yaml", effect=True))
    head, _, body = asked[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "PATCH /api/x HTTP/1.1" and body == b"{1}"
    assert lines[1] == "Host: " + server.removeprefix("http://")
    assert "Authorization: Bearer abc" in lines and "Content-Length: 3" in lines
    assert any(line.startswith("User-Agent: hwplan/") for line in lines)
    assert transport.stats.sent == 3 and transport.stats.received == 2


def test_a_path_in_front_of_the_server_is_kept() -> None:
    with scripted(answer(b"{}")) as (server, asked):
        Transport(Connection(server + "/k8s/clusters/c-1")).send(Request("GET", "/api"))
    assert asked[0].startswith(b"GET /k8s/clusters/c-1/api HTTP/1.1\r\n")


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    with scripted(answer(b"{}"), answer(b"{}")) as (server, asked):
        transport = Transport(Connection(server))
        once = Request("PATCH", "/x", b"{}", effect=True, repeatable=False)
        transport.send(once)
        time.sleep(0.1)
        transport.send(once)
    assert len(asked) == transport.stats.connections == 2 and transport.stats.retries == 0


def test_redirects_are_not_followed() -> None:
    with scripted() as (other, asked), scripted(answer(b"", f"Location: {other}/", status="302 Found")) as (server, _):
        with pytest.raises(errors.ServerFault, match="redirects are not followed"):
            Transport(Connection(server, credentials=Credentials("Bearer abc"))).send(Request("GET", "/api"))
        assert asked == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with scripted(answer(b"{}")) as (server, _):
        assert Transport(Connection(server)).send(Request("GET", "/api")).status == 200


def test_the_proxy_of_the_kubeconfig_is_used(api_server: TestCluster) -> None:
    with _connect_proxy() as (proxy, asked):
        token = Credentials(f"Bearer {api_server.token}")
        found = LiveCluster(_with(api_server, token, proxy=proxy.replace("http://", "http://u%40:p%20@")))
        assert found.identity().uid
    host = api_server.server.removeprefix("https://")
    assert asked[0].startswith(f"CONNECT {host} HTTP/1.".encode())
    assert b"Proxy-Authorization: Basic dUA6cCA=" in asked[0] and api_server.token.encode() not in asked[0]


@contextmanager
def _connect_proxy() -> Iterator[tuple[str, list[bytes]]]:
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve() -> None:
        near, _ = listener.accept()
        asked.append(near.recv(1 << 16))
        host, port = asked[0].split()[1].decode().split(":")
        far = socket.create_connection((host, int(port)))
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join()
        near.close()
        far.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.close()


def test_a_proxy_that_refuses() -> None:
    with scripted(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n" * 1) as (proxy, _):
        connection = Connection("https://k8s.example:6443", proxy=proxy)
        with pytest.raises(errors.Unreachable, match="the proxy refused"):
            Transport(connection, patience=Patience(unreachable=0)).send(Request("GET", "/api"))


def test_packed_answers_are_unpacked_and_bombs_are_not() -> None:
    import gzip

    limits = Limits(answer=1 << 20)
    good, bomb = gzip.compress(b'{"a": 1}'), gzip.compress(bytes(64 << 20))
    with scripted(answer(good, "Content-Encoding: gzip")) as (server, _):
        assert Transport(Connection(server)).send(Request("GET", "/")).body == b'{"a": 1}'
    with scripted(answer(bomb, "Content-Encoding: gzip")) as (server, _), pytest.raises(errors.TooLarge):
        Transport(Connection(server), limits=limits).send(Request("GET", "/"))
    with scripted(answer(bytes(2 << 20))) as (server, _), pytest.raises(errors.TooLarge):
        Transport(Connection(server), limits=limits).send(Request("GET", "/"))


def test_a_server_that_drips_is_left_at_the_deadline() -> None:
    patience = Patience(total=1.0, busy=0.5, unreachable=0.1)
    for start in (0, 40):
        slow = answer(b" " * 200)
        with scripted(slow[:start] or b"H", slow[max(start, 1) :], pause=0.05, piece=1) as (server, _):
            started = time.monotonic()
            with pytest.raises(errors.Unreachable):
                Transport(Connection(server), limits=Limits(read=0.5), patience=patience).send(Request("GET", "/"))
            assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00\xff" * 100,
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_garbage_is_a_broken_connection(garbage: bytes) -> None:
    patience = Patience(total=1.0, busy=0.0, unreachable=0.0)
    with scripted(garbage, garbage) as (server, _):
        transport = Transport(Connection(server), limits=Limits(read=0.5), patience=patience)
        with pytest.raises(errors.Unreachable, match="the connection broke"):
            transport.send(Request("GET", "/"))
        with pytest.raises(OutcomeUnknown):
            transport.send(Request("PATCH", "/", b"{}", effect=True))


def test_a_server_that_is_no_api_server() -> None:
    with scripted(answer(b"<html>"), answer(b"<html>")) as (server, _), pytest.raises(errors.ServerFault):
        LiveCluster(Connection(server)).kinds()
    with scripted(answer(b"[1]")) as (server, _), pytest.raises(errors.ServerFault):
        LiveCluster(Connection(server)).get(CONFIG_MAP, "a", "b")


# --- readiness of real workloads -------------------------------------------------------------------------------------


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
        seen = [readiness(found.apply(info, body))]
        assert not seen[0].done and seen[0].message

        def done(info: KindInfo = info, body: Any = body, seen: Any = seen) -> bool:
            seen.append(readiness(found.get(info, namespace, body["metadata"]["name"])))
            return bool(seen[-1].done)

        _eventually(done, 60)
        assert seen[-1].ok, seen[-1].message


def test_a_rollout_that_hangs_is_awaited_not_failed(cluster: TestCluster, namespace: str) -> None:
    found = live(cluster)
    body = deployment(namespace, "d", **{"testbed.hwplan/pod": "image-pull-backoff"})
    found.apply(DEPLOYMENT, body)
    _eventually(lambda: "available" in readiness(found.get(DEPLOYMENT, namespace, "d")).message, 30)
    result = readiness(found.get(DEPLOYMENT, namespace, "d"))
    assert (result.done, result.message) == (False, "0 of 2 updated replicas available")


def test_a_job_that_fails(cluster: TestCluster, namespace: str) -> None:
    found = live(cluster)
    template = {
        "metadata": {"labels": {"testbed.hwplan/pod": "fail"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example/app:1"}]},
    }
    info = KindInfo("batch/v1", "Job", "jobs", True)
    metadata = {"name": "j", "namespace": namespace}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"backoffLimit": 0, "template": template},
    }
    found.apply(info, body)
    _eventually(lambda: readiness(found.get(info, namespace, "j")).done, 60)
    result = readiness(found.get(info, namespace, "j"))
    assert not result.ok and result.message.startswith("BackoffLimitExceeded")


# --- cost ----------------------------------------------------------------------------------------------------------


def test_importing_it_loads_no_client_library() -> None:
    code = "import sys, json, providers.kubernetes.live; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"kubernetes", "urllib3", "ruamel.yaml", "asyncio", "concurrent.futures", "logging", "tempfile"}
