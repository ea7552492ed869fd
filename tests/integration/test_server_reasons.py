"""What a real API server refuses is reported with its reason: kubectl's words, without the refused value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planner.errors import ProviderError
from providers.cluster_interface import ServedKubernetesKind
from tests.integration.live_cluster_world import live
from tests.testbed.cluster import TestCluster

HIDDEN = "hunter2-value"
POD = {"containers": [{"name": "c", "image": "example.org/a:1"}]}


def document(api_version: str, kind: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "refused"}, **rest}


def workload(**spec: Any) -> dict[str, Any]:
    base = {
        "selector": {"matchLabels": {"app": HIDDEN}},
        "template": {"metadata": {"labels": {"app": HIDDEN}}, "spec": POD},
    }
    return document("apps/v1", "Deployment", spec={**base, **spec})


def pod(**spec: Any) -> dict[str, Any]:
    return document("v1", "Pod", spec={**POD, **spec})


def container(**more: Any) -> dict[str, Any]:
    return pod(containers=[{**POD["containers"][0], **more}])


REFUSED = {
    "map": workload(selector={"matchLabels": {"app": HIDDEN, "b": "c"}}),
    "two maps": document(
        "policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "maxUnavailable": 1, "selector": {}}
    ),
    "list": document("v1", "Service", spec={"ports": [{"port": 80}], "ipFamilies": ["IPv4", "IPv4"]}),
    "duplicate": container(ports=[{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}]),
    "limits": container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
    "env": container(env=[{"name": f"{HIDDEN}=x", "value": "a"}]),
    "label": document("v1", "ConfigMap", metadata={"name": "refused", "labels": {"a": f"{HIDDEN}!"}}),
    "key": document("v1", "ConfigMap", data={f"{HIDDEN} key": "a"}),
    "cron": document(
        "batch/v1",
        "CronJob",
        spec={
            "schedule": f"{HIDDEN} *",
            "jobTemplate": {"spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}},
        },
    ),
    "policy": pod(restartPolicy="Sometimes"),
    "negative": workload(replicas=-1),
    "mount": container(volumeMounts=[{"name": "nowhere", "mountPath": "/x"}]),
    "long name": document("v1", "ConfigMap", metadata={"name": "a" * 300}),
    "ingress": document("networking.k8s.io/v1", "Ingress", spec={}),
}
# Where the server says no more than the type of the error; its word for it.
WITHOUT_DETAIL = {"duplicate value": "Duplicate value: ", "names something that does not exist": "Not found: "}
KINDS = {
    "Deployment": "deployments", "PodDisruptionBudget": "poddisruptionbudgets", "Service": "services", "Pod": "pods",
    "ConfigMap": "configmaps", "CronJob": "cronjobs", "Ingress": "ingresses",
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_the_reason_is_the_servers(name: str, api_server: TestCluster, api_namespace: str) -> None:
    body = REFUSED[name]
    body = {**body, "metadata": {**body["metadata"], "namespace": api_namespace}}
    kind = ServedKubernetesKind(body["apiVersion"], body["kind"], KINDS[body["kind"]], True)
    with pytest.raises(ProviderError) as caught:
        live(api_server).apply(kind, body, force=True, dry_run=True)
    reported = caught.value.message
    theirs = refusal(api_server, body)
    for part in reported.split("; "):
        reason = part.partition(": ")[2]
        if WITHOUT_DETAIL.get(reason, "no words") in theirs:
            continue
        assert len(reason.split()) >= 3, reported
        assert all(words in theirs for words in reason.rstrip("…").split("…")), (reported, theirs)
    named = f"data[{HIDDEN} key]" if name == "key" else f'"{HIDDEN}!"' if name == "label" else ""
    assert HIDDEN not in (reported.replace(named, "") if named else reported), "a label is named, or nobody finds it"


def refusal(cluster: TestCluster, body: dict[str, Any]) -> str:
    """What kubectl prints about the same document."""
    done = cluster.run_kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=json.dumps(body))
    assert done.returncode, done.stdout
    return " ".join(done.stderr.split())
