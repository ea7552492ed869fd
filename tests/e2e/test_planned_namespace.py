"""New objects in a namespace that the same plan creates: what the server will refuse is said before a write."""

from __future__ import annotations

import json

import pytest

from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan, changes
from tests.testbed.cluster import TestCluster
from tests.testbed.definitions import definition_of

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {ns}}}\n---\n"
WRONG = {
    "spec.schedule": """\
apiVersion: batch/v1
kind: CronJob
metadata: {{name: wrong, namespace: {ns}}}
spec:
  schedule: "61 * * * *"
  jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: a, image: x}}]}}}}}}}}
""",
    "image": """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: wrong, namespace: {ns}}}
spec:
  selector: {{matchLabels: {{app: a}}}}
  template: {{metadata: {{labels: {{app: a}}}}, spec: {{containers: [{{name: a}}]}}}}
""",
    "spec.ports": """\
apiVersion: v1
kind: Service
metadata: {{name: wrong, namespace: {ns}}}
spec: {{ports: [{{port: 80, nodePort: 30080}}]}}
""",
}
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: good, namespace: {ns}}}\ndata: {{}}\n"


@pytest.mark.parametrize("reason", WRONG)
def test_a_value_that_the_server_refuses_is_blocked(hwplan: Hwplan, unique: str, reason: str) -> None:
    text = "---\n".join((NAMESPACE[:-4], WRONG[reason], GOOD)).format(ns=unique)
    words = ("-f", manifests.write(hwplan.folder, "app.yaml", text), "--name", unique)
    ran = hwplan("plan", *words, "--json", code=1)
    assert changes(ran.json) == {f"Namespace/{unique}": "create", f"ConfigMap/{unique}/good": "create"}
    (blocked,) = ran.json["blocked"]
    assert blocked["address"].endswith(f"/{unique}/wrong")
    assert reason in blocked["reason"], blocked


def test_the_server_has_the_last_word(real: Hwplan, api_server: TestCluster, unique: str) -> None:
    """Where it cannot be asked, the rules of one version of Kubernetes are a remark: they block nothing."""
    wrong = WRONG["spec.schedule"].format(ns="default").replace("name: wrong", f"name: {unique}")
    taken = wrong.replace("61 *", "1 *")
    assert api_server.run_kubectl("create", "-f", "-", stdin=taken).returncode == 0
    text = NAMESPACE.format(ns=unique) + wrong.replace("namespace: default", f"namespace: {unique}")
    plan = real.plan("-f", manifests.write(real.folder, "app.yaml", text), "--name", unique)
    change = next(one for one in plan["changes"] if one["address"].startswith("CronJob"))
    (remark,) = plan["warnings"]
    assert change["verified"] == "schema"
    assert ": not verified: the server will probably refuse spec.schedule: " in remark


@pytest.mark.parametrize("part", ["data: {}", "stringData: {}", "type: Opaque", "data: {}\nstringData: {a: b}"])
def test_empty_maps_of_a_secret(hwplan: Hwplan, unique: str, part: str) -> None:
    """They are stored as none: the write is what the dry run said."""
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {unique}, namespace: default}}\n{part}\n"
    words = ("-f", manifests.write(hwplan.folder, "app.yaml", text), "--name", unique)
    hwplan("apply", *words, "--confirm")
    hwplan.empty(*words)


def test_an_integer_of_which_a_part_would_be_stored(hwplan: Hwplan, unique: str) -> None:
    """A server stores 1 for 4294967297, and every apply would add the port once more."""
    text = manifests.APP.replace("replicas: 1", "replicas: 4294967297").format(ns=unique)
    assert "4294967297" in text
    ran = hwplan("plan", "-f", manifests.write(hwplan.folder, "app.yaml", text), "--name", unique, "--json", code=1)
    (blocked,) = ran.json["blocked"]
    assert blocked["reason"] == "spec.replicas: 4294967297 does not fit into 32 bits"


@pytest.mark.parametrize("is_custom", [True, False])
def test_metadata_that_no_server_can_be_asked_about_is_a_remark(hwplan: Hwplan, unique: str, is_custom: bool) -> None:
    """Of a kind that the plan defines, and of a Secret: they failed in the middle of the apply."""
    definition = definition_of(f"{unique}.example.org", "Plain", "plains", {"type": "object"})
    of_kind = ("Plain", f"{unique}.example.org/v1") if is_custom else ("Secret", "v1")
    metadata = {"name": "wrong", "namespace": unique, "labels": {"by": "maker-"}}
    wrong = {"kind": of_kind[0], "apiVersion": of_kind[1], "metadata": metadata}
    text = "---\n".join((NAMESPACE[:-4].format(ns=unique), json.dumps(definition) + "\n", json.dumps(wrong)))
    ran = hwplan("plan", "-f", manifests.write(hwplan.folder, "app.yaml", text), "--name", unique, "--json")
    (remark,) = ran.json["warnings"]
    assert "/wrong: not verified: the server will probably refuse metadata.labels: " in remark
