"""The Indexed Job of a fleet on a real API server and its controller: taken, planned, a pod for each index."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import two_nodes
from tests.e2e.hwplan import Hwplan, changes
from tests.testbed import control_plane
from tests.testbed.cluster import TestCluster

IMAGE = ("--image", "ghcr.io/acme/hwplan:1")
KUBECONFIG = ("--kubeconfig-secret", "fleet-kubeconfig")
FORMS = (
    ("job", "--node", "east"),
    ("job", *KUBECONFIG, "--state-claim", "state"),
    ("cronjob", "--node", "east", "--schedule", "*/30 * * * *", "--read-secrets"),
    ("cronjob", *KUBECONFIG),
)


def _fleet(server: TestCluster, folder: Path, name: str) -> Hwplan:
    """The command about two nodes that are both this server."""
    two_nodes.write(folder, name, password="correct-horse-battery-staple", product=name)
    both = two_nodes.write_kubeconfig(folder / "both", {"east": server.kubeconfig, "west": server.kubeconfig})
    return Hwplan(folder, ("--kubeconfig", str(both), "--state", str(folder / "state.db")))


def _rendered(hwplan: Hwplan, namespace: str, form: str, *words: str) -> str:
    """The manifests, their objects of the whole cluster under a name that no other test uses."""
    text = hwplan("fleet", "--format", form, *IMAGE, "--run-in", namespace, *words).out
    return text.replace('"hwplan-fleet', f'"{namespace}-fleet')


def _job(text: str) -> Any:
    """The specification of the Job."""
    (found,) = [one for one in yaml.safe_load_all(text) if one["kind"] in ("Job", "CronJob")]
    return found["spec"].get("jobTemplate", found)["spec"]


@pytest.mark.parametrize("words", FORMS, ids=" ".join)
def test_a_server_takes_the_manifests_and_hwplan_plans_them(
    api_server: TestCluster, api_namespace: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    hwplan = _fleet(api_server, tmp_path, api_namespace)
    hwplan("apply", "--node", "east", "--confirm", "--no-wait", "-q")  # the right to read Secrets stands beside them
    text = _rendered(hwplan, api_namespace, *words)
    documents = list(yaml.safe_load_all(text))
    done = api_server.run_kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("serverside-applied (server dry run)") == len(documents)
    assert "Warning" not in done.stderr

    name = ("--name", api_namespace, "--context", "east")
    ran = hwplan("plan", "-f", "-", *name, "--json", stdin=text)
    assert set(changes(ran.json).values()) == {"create"} and len(ran.json["changes"]) == len(documents)
    (verified,) = {one["verified"] for one in ran.json["changes"] if one["kind"] in ("Job", "CronJob")}
    assert verified == "server"
    hwplan("apply", "-f", "-", *name, "--confirm", "--no-wait", "-q", stdin=text)
    again = hwplan("plan", "-f", "-", *name, "--json", "--detailed-exitcode", stdin=text)
    assert again.json["changes"] == [], "what was applied is what is rendered"


def test_the_account_is_enough_for_the_pods_and_changes_nothing(
    api_server: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    hwplan = _fleet(api_server, tmp_path, api_namespace)
    hwplan("apply", "--node", "east", "--confirm", "--no-wait", "-q")
    text = _rendered(hwplan, api_namespace, "job", "--node", "east", "--read-secrets")
    done = api_server.run_kubectl("apply", "--server-side", "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    token = api_server.service_account_token(api_namespace, f"{api_namespace}-fleet")
    path = control_plane.write_kubeconfig(
        tmp_path / "account", api_server.server, api_server.ca, {"token": token}, name="east"
    )
    pod = Hwplan(tmp_path, ("--kubeconfig", str(path), "--state", str(tmp_path / "state.db")))
    (container,) = _job(text)["template"]["spec"]["containers"]
    count = _job(text)["completions"]
    for index in range(count):  # as the kubelet puts the index in
        ran = pod(*(word.replace("$(JOB_COMPLETION_INDEX)", str(index)) for word in container["args"]), "--json")
        (row,) = ran.json["shards"]
        assert (row["index"], row["state"], row["problems"]) == (index, "aligned", [])
    rules = [rule for one in yaml.safe_load_all(text) for rule in one.get("rules", ())]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list"}
    plain = _rendered(hwplan, api_namespace, "job", "--node", "east")
    read = {what for one in yaml.safe_load_all(plain) for rule in one.get("rules", ()) for what in rule["resources"]}
    assert {"configmaps", "namespaces"} <= read and "secrets" not in read, "a right to list Secrets is one to read them"


def test_nodes_that_are_several_clusters_bring_their_own_rights(
    api_server: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    text = _rendered(_fleet(api_server, tmp_path, api_namespace), api_namespace, "job", *KUBECONFIG)
    kinds = [one["kind"] for one in yaml.safe_load_all(text)]
    assert kinds == ["ServiceAccount", "Job"]
    pod = _job(text)["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False and "affinity" not in pod
    assert [one["secret"]["secretName"] for one in pod["volumes"] if "secret" in one] == ["fleet-kubeconfig"]


def test_the_controller_makes_a_pod_for_each_index_and_one_that_differs_stops_no_other(
    cluster: TestCluster, namespace: str, tmp_path: Path
) -> None:
    hwplan = _fleet(cluster, tmp_path, namespace)
    words = ("job", *KUBECONFIG, "--concurrency", "8")
    documents = list(yaml.safe_load_all(_rendered(hwplan, namespace, *words)))
    (job,) = [one for one in documents if one["kind"] == "Job"]
    job["spec"]["template"]["spec"]["nodeSelector"] = {"nowhere": "true"}  # how each pod ends is up to the test
    for one in documents:
        done = cluster.run_kubectl("apply", "-f", "-", stdin=json.dumps(one))
        assert done.returncode == 0, done.stderr
    shards = job["metadata"]["annotations"]["fleet.hwplan.dev/shards"].splitlines()
    places = ("east/blue", "east/green", "west/blue", "west/green")
    assert shards == [f"{index} {place} {namespace}" for index, place in enumerate(places)]

    pods = _until("a pod for each index", lambda: _one_for_each_index(cluster, namespace, 4))
    assert sorted(pods) == [0, 1, 2, 3]
    for pod in pods.values():
        (container,) = pod["spec"]["containers"]
        assert "JOB_COMPLETION_INDEX" in [one["name"] for one in container["env"]]
        assert container["args"][:3] == ["fleet", "--shard", "$(JOB_COMPLETION_INDEX)/4"]

    for index, code in ((0, 0), (1, 2), (2, 1), (3, 0)):
        _end(cluster, namespace, pods[index], code)
    first = pods[2]["metadata"]["name"]
    again = _until("what could not be looked at is tried once more", lambda: _other_pod(cluster, namespace, first))
    _end(cluster, namespace, again, 0)
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs/{namespace}-fleet"
    ended = _until("the Job has ended", lambda: _status_of_ended(cluster.api().get(path)))
    assert (ended["completedIndexes"], ended["failedIndexes"]) == ("0,2,3", "1")


def _until(what: str, find: Callable[[], Any], seconds: float = 120) -> Any:
    """What `find` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.3)
    raise AssertionError(f"not within {seconds} s: {what}")


def _pods(cluster: TestCluster, namespace: str) -> dict[str, Any]:
    """The pods of the Job by name."""
    return {one["metadata"]["name"]: one for one in cluster.api().get(f"/api/v1/namespaces/{namespace}/pods")["items"]}


def _index(pod: Any) -> int:
    return int(pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"])


def _one_for_each_index(cluster: TestCluster, namespace: str, count: int) -> dict[int, Any] | None:
    found = {_index(one): one for one in _pods(cluster, namespace).values()}
    return found if len(found) == count else None


def _other_pod(cluster: TestCluster, namespace: str, name: str) -> Any | None:
    """The pod that was made in the place of the one of this name."""
    pods = _pods(cluster, namespace).values()
    return next((one for one in pods if _index(one) == 2 and one["metadata"]["name"] != name), None)


def _end(cluster: TestCluster, namespace: str, pod: Any, code: int) -> None:
    """The pod's container ends with this code, as a kubelet reports it."""
    ended = {
        "name": "fleet",
        "image": IMAGE[1],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": {"exitCode": code}},
    }
    status = {"phase": "Failed" if code else "Succeeded", "containerStatuses": [ended]}
    cluster.api().merge(f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/status", {"status": status})


def _status_of_ended(job: Any) -> Any | None:
    status = job["status"]
    return status if any(one["type"] == "Failed" for one in status.get("conditions", ())) else None
