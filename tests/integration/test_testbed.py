"""The testbed itself: what it claims to be, it is."""

import time
from typing import Any

import pytest

from tests.testbed import audit, kwok, processes
from tests.testbed.api import Api, ApiError
from tests.testbed.binaries import KUBERNETES_VERSION
from tests.testbed.cluster import RunningCluster, TestCluster


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
    api.create("/api/v1/namespaces/default/configmaps", config_map("retained", k="1"))
    own_api_server.stop_api_server(crash=True)
    with pytest.raises(OSError, match="refused"):
        api.get("/version")
    own_api_server.start_api_server()
    assert api.get("/api/v1/namespaces/default/configmaps/retained")["data"] == {"k": "1"}
