"""The testbed itself: what it claims to be, it is."""

import http.client
import os
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.testbed import audit, crds, kwok, processes
from tests.testbed.api import Api, ApiError
from tests.testbed.binaries import KUBERNETES_VERSION
from tests.testbed.cluster import RunningCluster, TestCluster
from tests.testbed.http_proxy import HttpFaultProxy, Rule
from tests.testbed.proxy import FaultProxy, Faults
from tests.testbed.tekton_crds import small_tekton_crds


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str, **labels: str) -> dict[str, Any]:
    labels = {"app": name, **labels}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "example/app:1"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def agent(cluster: TestCluster, name: str) -> Api:
    return Api(cluster.server, cluster.ca, cluster.token, user_agent=name)


def pods(cluster: TestCluster, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cluster.api().get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    return found


def test_the_server_is_the_pinned_version(api_server: TestCluster) -> None:
    version = api_server.api().get("/version")
    assert version["gitVersion"] == f"v{KUBERNETES_VERSION}"
    assert f"{version['major']}.{version['minor']}" == KUBERNETES_VERSION.rpartition(".")[0]


def test_kubectl_reaches_the_server_without_a_complaint(api_server: TestCluster) -> None:
    done = api_server.run_kubectl("get", "namespace", "kube-system", "-o", "name")
    assert (done.returncode, done.stdout, done.stderr) == (0, "namespace/kube-system\n", "")


def test_plain_users_have_no_rights_until_a_role_is_bound(api_server: TestCluster, api_namespace: str) -> None:
    path = f"/api/v1/namespaces/{api_namespace}/configmaps"
    with pytest.raises(ApiError, match="403 Forbidden"):
        api_server.api("alice").get(path)
    bound = api_server.run_kubectl(
        "create", "rolebinding", "all", "--clusterrole=cluster-admin", "--user=alice", f"--namespace={api_namespace}"
    )
    assert bound.returncode == 0, bound.stderr
    processes.wait_until("alice may list", lambda: api_server.api("alice").raw("GET", path)[0] == 200, deadline=10)


def test_users_can_be_made_up_by_certificate_and_by_service_account(
    api_server: TestCluster, api_namespace: str
) -> None:
    config = api_server.kubeconfig_of("dave", ["system:masters"])
    who = api_server.run_kubectl(
        f"--kubeconfig={config}", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"
    )
    assert who.stdout == "dave", who.stderr
    token = api_server.service_account_token(api_namespace, "ci")
    review = Api(api_server.server, api_server.ca, token).create(
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
    )
    assert review["status"]["userInfo"]["username"] == f"system:serviceaccount:{api_namespace}:ci"


def test_the_audit_log_counts_requests_by_user_agent(api_server: TestCluster, api_namespace: str) -> None:
    path = f"/api/v1/namespaces/{api_namespace}/configmaps"
    client = agent(api_server, "counted/1")
    client.get(path)
    since = audit.mark(api_server)
    client.apply(f"{path}/a", config_map("a", k="1"))
    client.request(
        "PATCH", f"{path}/a?fieldManager=x&dryRun=All", config_map("a", j="1"), "application/apply-patch+yaml"
    )
    api_server.api().get(path)
    until = audit.mark(api_server)
    client.get(path)
    found = audit.requests(api_server, since, until, "counted/1")
    assert audit.count(found) == {"patch configmaps": 1, "patch configmaps dry-run": 1}
    assert [(r.namespace, r.name, r.code, r.user) for r in found] == [
        (api_namespace, "a", c, "admin") for c in (201, 200)
    ]
    assert audit.count(audit.requests(api_server, until, user_agent="counted/1")) == {"list configmaps": 1}


def test_a_deployment_gets_ready(cluster: TestCluster, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    cluster.api().create(path, deployment("app"))
    processes.wait_until(
        "two ready replicas", lambda: cluster.api().get(f"{path}/app")["status"].get("readyReplicas") == 2, deadline=20
    )
    assert {pod["spec"]["nodeName"] for pod in pods(cluster, namespace)} <= set(kwok.NODES)


def test_a_job_completes(cluster: TestCluster, namespace: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    container = {"name": "main", "image": "example/job:1"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    cluster.api().create(
        path, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, "spec": {"template": template}}
    )
    processes.wait_until(
        "the job has succeeded", lambda: cluster.api().get(f"{path}/job")["status"].get("succeeded") == 1, deadline=20
    )


def run_pod(cluster: TestCluster, namespace: str, **labels: str) -> str:
    """Create a pod and return its path."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    spec = {"containers": [{"name": "main", "image": "example/app:1"}]}
    metadata = {"name": "pod", "labels": labels}
    cluster.api().create(path, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    processes.wait_until(
        "the pod has containers", lambda: "containerStatuses" in cluster.api().get(f"{path}/pod")["status"], deadline=20
    )
    return f"{path}/pod"


def test_exec_and_logs_answer(cluster: TestCluster, namespace: str) -> None:
    run_pod(cluster, namespace)
    where = f"--namespace={namespace}"
    said = cluster.run_kubectl(where, "exec", "pod", "-i", "--", "sh", "-c", "read word; echo $word", stdin="hello\n")
    assert (said.returncode, said.stdout) == (0, "hello\n"), said.stderr
    failed = cluster.run_kubectl(where, "exec", "pod", "--", "sh", "-c", "exit 3")
    assert failed.returncode == 1 and "exit status 3" in failed.stderr
    with cluster.pod_log.open("a") as log:
        log.write(kwok.log_lines("one", "two"))
    assert cluster.run_kubectl(where, "logs", "pod", "--tail=2").stdout == "one\ntwo\n"


@pytest.mark.parametrize(
    ("outcome", "phase", "reason"),
    [
        ("image-pull-backoff", "Pending", "ImagePullBackOff"),
        ("crash-loop", "Running", "CrashLoopBackOff"),
        ("never-ready", "Running", ""),
        ("fail", "Failed", "Error"),
    ],
)
def test_pods_fail_as_their_label_says(
    cluster: TestCluster, namespace: str, outcome: str, phase: str, reason: str
) -> None:
    path = run_pod(cluster, namespace, **{kwok.OUTCOME_LABEL: outcome})
    time.sleep(0.5)
    status = cluster.api().get(path)["status"]
    (state,) = status["containerStatuses"][0]["state"].values()
    assert (status["phase"], state.get("reason", "")) == (phase, reason)
    assert {c["type"]: c["status"] for c in status["conditions"]}["Ready"] == "False"
    cluster.api().request("DELETE", f"{path}?gracePeriodSeconds=0")


def test_an_api_server_keeps_its_objects_over_a_crash(own_api_server: RunningCluster) -> None:
    api = own_api_server.value.api()
    api.create("/api/v1/namespaces/default/configmaps", config_map("kept", k="1"))
    own_api_server.stop_api_server(crash=True)
    with pytest.raises(OSError, match="refused"):
        api.get("/version")
    own_api_server.start_api_server()
    assert api.get("/api/v1/namespaces/default/configmaps/kept")["data"] == {"k": "1"}


TASK_SPEC = {
    "description": "builds",
    "params": [{"name": "ref", "type": "string", "default": "main"}],
    "results": [{"name": "digest", "description": "of the image"}],
    "stepTemplate": {
        "env": [{"name": "HOME", "value": "/tmp"}],
        "securityContext": {"runAsNonRoot": True},
        "computeResources": {"limits": {"cpu": 1}},
    },
    "steps": [{"name": "run", "image": "example/builder:1", "script": "true", "env": [{"name": "A", "value": "b"}]}],
    "sidecars": [{"name": "cache", "image": "example/cache:1", "ports": [{"containerPort": 80}]}],
    "volumes": [{"name": "tmp", "emptyDir": {}}],
    "workspaces": [{"name": "source", "optional": True}],
}
PIPELINE_SPEC = {
    "params": [{"name": "ref", "type": "array", "default": ["a"]}],
    "tasks": [
        {"name": "build", "taskRef": {"name": "build"}, "params": [{"name": "ref", "value": "$(params.ref)"}]},
        {
            "name": "push",
            "runAfter": ["build"],
            "taskSpec": TASK_SPEC,
            "when": [{"input": "a", "operator": "in", "values": ["a"]}],
        },
    ],
    "finally": [{"name": "note", "taskRef": {"name": "note"}}],
    "results": [{"name": "digest", "value": "$(tasks.build.results.digest)"}],
}
POD_TEMPLATE = {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "x"}], "securityContext": {"runAsUser": 1}}
RUN_SPEC = {
    "pipelineRef": {"name": "lane"},
    "params": [{"name": "ref", "value": ["a", "b"]}],
    "timeouts": {"pipeline": "1h0m0s"},
    "taskRunTemplate": {
        "serviceAccountName": "ci",
        "podTemplate": POD_TEMPLATE,
    },
    "workspaces": [{"name": "source", "volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}],
}
TEKTON_CRD_SETS = ["small", *(["published"] if crds.TEKTON_FOLDER_VARIABLE in os.environ else [])]


@pytest.mark.parametrize("crd_set", TEKTON_CRD_SETS)
def test_tekton_crds_default_and_own_the_same_fields(api_server: TestCluster, api_namespace: str, crd_set: str) -> None:
    api = api_server.api()
    crds.install(api, small_tekton_crds() if crd_set == "small" else crds.tekton_crds())
    stored = {}
    for kind, spec in {"Task": TASK_SPEC, "Pipeline": PIPELINE_SPEC, "PipelineRun": RUN_SPEC}.items():
        path = f"/apis/tekton.dev/v1/namespaces/{api_namespace}/{kind.lower()}s/a"
        stored[kind] = api.apply(
            path, {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}
        )
    task, pipeline, run = stored.values()
    (sidecar,) = task["spec"].pop("sidecars")
    assert sidecar["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert task["spec"] == {name: value for name, value in TASK_SPEC.items() if name != "sidecars"}
    assert (pipeline["spec"], run["spec"]) == (PIPELINE_SPEC, RUN_SPEC)
    leaves = {
        kind: owned_leaves(made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]) for kind, made in stored.items()
    }
    step, pod = "stepTemplate.", "taskRunTemplate.podTemplate."
    of_step = [f"{step}computeResources.limits.cpu", f"{step}env", f"{step}securityContext.runAsNonRoot"]
    of_pod = [f"{pod}nodeSelector.a", f"{pod}securityContext.runAsUser", f"{pod}tolerations"]
    assert leaves == {
        "Task": ["description", "params", "results", "sidecars", *of_step, "steps", "volumes", "workspaces"],
        "Pipeline": ["finally", "params", "results", "tasks"],
        "PipelineRun": [
            *("params", "pipelineRef.name", *of_pod),
            *("taskRunTemplate.serviceAccountName", "timeouts.pipeline", "workspaces"),
        ],
    }


def owned_leaves(fields: dict[str, Any], above: str = "") -> list[str]:
    """Return the paths that a managedFields entry owns and that own nothing further down."""
    paths = []
    for name, below in sorted(fields.items()):
        path = f"{above}{name.removeprefix('f:')}"
        paths += owned_leaves(below, f"{path}.") if below else [path]
    return paths


def test_argo_crds_install_and_the_manifest_is_the_official_one(api_server: TestCluster) -> None:
    documents = crds.argo_crds()
    assert [document["spec"]["names"]["kind"] for document in documents] == [
        "Application",
        "ApplicationSet",
        "AppProject",
    ]
    crds.install(
        api_server.api(), [document for document in documents if "Set" not in document["spec"]["names"]["kind"]]
    )
    assert "quay.io/argoproj/argocd:v3.2.11" in crds.argo_install_manifest().read_text()


def test_latency_is_added_both_ways(api_server: TestCluster, fault_proxy: FaultProxy) -> None:
    api = api_server.through(fault_proxy.port).api()
    api.get("/version")
    fault_proxy.faults = Faults(latency=0.1)
    began = time.monotonic()
    api.get("/version")
    assert 0.4 <= time.monotonic() - began < 2.0  # TLS takes one more round trip than the request


@pytest.fixture
def sender() -> Iterator[str]:
    """The URL of a server that sends 100,000 bytes to everyone, then waits for the end of what it is sent."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.sendall(b"x" * 100_000)
                while self.request.recv(1000):
                    pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def accepts_bytes(connection: socket.socket) -> bool:
    """Say whether the other end is still there to be written to."""
    with suppress(OSError):
        for _ in range(10):
            connection.sendall(b"x")
            time.sleep(0.05)
        return True
    return False


def receive(connection: socket.socket) -> tuple[int, str]:
    """Return how many bytes came, and how it ended."""
    received = 0
    while True:
        try:
            data = connection.recv(1000)
        except OSError as error:
            return received, type(error).__name__
        if not data:
            return received, "end"
        received += len(data)


@pytest.mark.parametrize(
    ("faults", "received", "end", "writable"),
    [
        (Faults(refuse=True), 0, "ConnectionResetError", False),
        (Faults(reset_after=3000), 3000, "ConnectionResetError", False),
        (Faults(cut_after=3000), 3000, "end", False),
        (Faults(half_close_after=3000), 3000, "end", True),
        (Faults(black_hole=True), 0, "TimeoutError", True),
        (Faults(refuse=True, count=0), 100_000, "TimeoutError", True),
    ],
    ids=["refuse", "reset", "cut", "half-close", "black-hole", "healthy"],
)
def test_connections_end_at_the_byte(sender: str, faults: Faults, received: int, end: str, writable: bool) -> None:
    with FaultProxy.before(sender, faults) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.settimeout(0.5)
        assert receive(connection) == (received, end)
        assert accepts_bytes(connection) == writable
        assert proxy.traffic.down == received


@pytest.mark.parametrize(
    "faults",
    [Faults(reset_after=3000), Faults(reset_after_up=600), Faults(cut_after=20000), Faults(black_hole=True)],
    ids=["reset", "reset-up", "cut", "black-hole"],
)
def test_requests_break_through_the_proxy(api_server: TestCluster, fault_proxy: FaultProxy, faults: Faults) -> None:
    through = api_server.through(fault_proxy.port)
    api = Api(through.server, through.ca, through.token, timeout=0.5)
    fault_proxy.faults = faults
    with pytest.raises((http.client.IncompleteRead, OSError)):
        api.get("/openapi/v2")
    fault_proxy.faults = Faults()
    assert api.get("/version")["major"] == "1"


def test_requests_fail_by_rule(api_server: TestCluster, api_namespace: str, tmp_path: Path) -> None:
    pair = api_server.authority.server(tmp_path, "proxy")
    path = f"/api/v1/namespaces/{api_namespace}/configmaps"
    with HttpFaultProxy(api_server.server, pair, api_server.ca) as proxy:
        api = api_server.through(proxy.port).api()
        proxy.rules = [
            Rule("status", times=2, code=429, retry_after=1, reason="TooManyRequests"),
            Rule("lose-answer", matches=lambda method, _path: method == "POST"),
            Rule("lose-request", matches=lambda method, _path: method == "DELETE"),
            Rule("cut-answer", matches=lambda method, path: method == "GET" and path.endswith("/a")),
        ]
        for _ in range(2):
            with pytest.raises(ApiError, match="429 TooManyRequests"):
                api.get(path)
        for method, target, body in (
            ("POST", path, config_map("a")),
            ("DELETE", f"{path}/a", None),
            ("GET", f"{path}/a", None),
        ):
            with pytest.raises((OSError, http.client.HTTPException)):
                api.request(method, target, body)
        assert api.get(f"{path}/a")["metadata"]["name"] == "a"
        assert len(proxy.requests) == 6
