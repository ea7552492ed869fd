"""The same files given to hwplan and to kubectl make the same objects, on a real API server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hwplan import Hwplan, change_of, changes
from tests.testbed.cluster import TestCluster

APPLIED = "hwplan.dev/applied"
MODES = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: modes, annotations: {hwplan.dev/wait: none}}
spec:
  paused: yes
  revisionHistoryLimit: !!int "3"
  selector: {matchLabels: {app: modes}}
  template:
    metadata: {labels: &labels {app: modes, "tier": 'web'}, annotations: {<<: *labels, released: 2024-01-31}}
    spec:
      enableServiceLinks: off
      terminationGracePeriodSeconds: 1_000
      containers:
      - {name: web, image: registry.example.org:5000/web:1.25, args: [--listen=:8080, --all=:, http://a:1], tty: n,
         ports: [{containerPort: 0b1010000}], resources: {limits: {cpu: 0x2, memory: 1e9}}}
      dnsPolicy: None
      dnsConfig: {nameservers: [2001:db8::1], searches: [y.example.org]}
      volumes:
      - {name: keys, secret: {secretName: keys, defaultMode: 0400}}
      - {name: run, configMap: {name: run, defaultMode: 0o755, items: [{key: a, path: b, mode: 08}]}}
"""
TEXTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: texts, annotations: {window: 22:00, day: 2019-10-15T14:48:58Z, yes-is: "yes"}}
data:
  on: "a key"
  1: "another"
  1.10: "and one more"
  time: 02:00:00
  ratio: 16:9
  mark: !!binary aGVsbG8=
  block: |
    last line
"""
STREAM = (
    '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "first"}, "data": {"a": "\\ud83d\\ude80"}}'
    '{"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "second"}, "data": {"b": "c"}}]}\n'
)


def _kubectl(cluster: TestCluster, file: Path, namespace: str) -> dict[str, Any]:
    """What kubectl would make of a file, by name."""
    done = cluster.run_kubectl(
        "apply", "--server-side", "--dry-run=server", "-n", namespace, "-o", "json", "-f", str(file)
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return {one["metadata"]["name"]: one for one in answer.get("items", [answer])}


@pytest.mark.parametrize(
    ("name", "text"),
    [("modes.yaml", MODES), ("texts.yaml", TEXTS), ("stream.json", STREAM), ("utf16.yaml", TEXTS), ("bom.yaml", TEXTS)],
)
def test_the_same_objects(name: str, text: str, api_server: TestCluster, api_namespace: str, real: Hwplan) -> None:
    encodings = {"utf16.yaml": "utf-16", "bom.yaml": "utf-8-sig"}
    file = real.folder / name
    file.write_text(text.removesuffix("\n"), encoding=encodings.get(name, "utf-8"))
    expected = _kubectl(api_server, file, api_namespace)
    words = ("-f", str(file), "--name", "kinds", "-n", api_namespace)
    real("apply", *words, "--confirm")
    real.empty(*words)
    for one in expected.values():
        plural = {"ConfigMap": "api/v1 configmaps", "Deployment": "apis/apps/v1 deployments"}[one["kind"]].split()
        found = api_server.api().get(f"/{plural[0]}/namespaces/{api_namespace}/{plural[1]}/{one['metadata']['name']}")
        assert (found.get("data"), found.get("spec")) == (one.get("data"), one.get("spec"))
        annotations = {key: value for key, value in found["metadata"]["annotations"].items() if key != APPLIED}
        assert annotations == one["metadata"].get("annotations", {})


def test_the_namespace_of_the_context(api_server: TestCluster, api_namespace: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(api_server.kubeconfig.read_text())
    context = ("config", "set-context", "--current", f"--namespace={api_namespace}", f"--kubeconfig={config}")
    assert api_server.run_kubectl(*context).returncode == 0
    command = Hwplan(tmp_path, ("--kubeconfig", str(config), "--state", str(tmp_path / "state.db")))
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: where-am-i}\n")
    words = ("-f", "a.yaml", "--name", "app")
    assert list(changes(command.plan(*words))) == [f"ConfigMap/{api_namespace}/where-am-i"]
    assert list(changes(command.plan(*words, "-n", "default"))) == ["ConfigMap/default/where-am-i"]
    assert "-n default" in command("plan", *words, "-n", "default").out
    assert f"-n {api_namespace}" in command("plan", *words).out


def test_hooks_of_a_chart(hwplan: Hwplan, unique: str) -> None:
    hook = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: default, %s}\n"
    plain = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {unique}-b, namespace: default}}\n"
    events = (("a", "post-install"), ("c", "pre-install"), ("d", "test"))
    hooks = [hook % (f"{unique}-{letter}", f"annotations: {{helm.sh/hook: {event}}}") for letter, event in events]
    text = "---\n".join([hooks[0], plain, *hooks[1:]])
    words = ("-f", "-", "--name", unique)
    plan = hwplan("plan", *words, "--json", stdin=text).json
    a, b, c, d = (f"ConfigMap/default/{unique}-{letter}" for letter in "abcd")
    assert list(changes(plan)) == [c, b, a]
    assert change_of(plan, b)["needs"] == [c] and b in change_of(plan, a)["needs"]
    assert any(f"ConfigMap/default/{unique}-d is left out" in line for line in plan["warnings"])
    assert d in changes(hwplan("plan", *words, "--json", "--helm-hooks", "as-objects", stdin=text).json)
    hwplan("apply", *words, "--confirm", stdin=text)
    assert hwplan("plan", *words, "--detailed-exitcode", stdin=text).code == 0
    hwplan("destroy", *words, "--confirm", stdin=text)


def test_k_builds_with_kubectl(api_server: TestCluster, api_namespace: str, real: Hwplan) -> None:
    folder = real.folder / "kustomized"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text("resources: [cm.yaml]\nnamePrefix: pre-\n")
    manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: cm, namespace: {api_namespace}}}\n"
    (folder / "cm.yaml").write_text(manifest)
    path = {"PATH": str(api_server.kubectl.parent)}
    words = ("-k", str(folder), "--name", "app")
    plan = real("plan", *words, "--json", env=path).json
    assert list(changes(plan)) == [f"ConfigMap/{api_namespace}/pre-cm"]
    refused = real("plan", "-f", str(folder), "--name", "app", code=1)
    assert "kustomize build" in refused.out + refused.err
    (folder / "cm.yaml").unlink()
    broken = real("plan", *words, env=path, code=1)
    assert "kubectl kustomize" in broken.out + broken.err


QUESTIONS = """\
apiVersion: v1
kind: Binding
metadata: {name: b}
target: {kind: Node, name: n}
---
apiVersion: authorization.k8s.io/v1
kind: SubjectAccessReview
metadata: {name: s}
spec: {user: x, resourceAttributes: {verb: get, resource: pods}}
---
apiVersion: v1
kind: ComponentStatus
metadata: {name: c}
"""


def test_kinds_of_which_nothing_stands(api_server: TestCluster, api_namespace: str, real: Hwplan) -> None:
    """They are served, and kubectl gets a 404 or a 405 for each; the reason is theirs, not the server's."""
    file = real.folder / "questions.yaml"
    file.write_text(QUESTIONS)
    assert api_server.run_kubectl("apply", "--server-side", "-n", api_namespace, "-f", str(file)).returncode
    words = ("-f", str(file), "--name", "questions", "-n", api_namespace)
    planned = real.plan(*words)
    assert len(planned["blocked"]) == 3 and not planned["warnings"]
    for one in planned["blocked"]:
        assert "cannot be declared: it is nothing that stands in a cluster" in one["reason"], one
        assert one["remedy"] == "leave it out"


def test_characters_that_yaml_refuses_and_json_takes(api_server: TestCluster, api_namespace: str, real: Hwplan) -> None:
    """`kubectl create` sends them as JSON; the body of a server-side apply is read as YAML."""
    texts = {f"k{ord(char):x}": f"a{char}b" for char in "\x1b\x7f\x80\x85\x9b\ufeff\ufffe\uffff\u2028\U0001f680"}
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd"}, "data": texts}
    file = real.folder / "odd.json"
    file.write_text(json.dumps(document))
    created = ("create", "--dry-run=server", "-n", api_namespace, "-o", "json", "-f", str(file))
    assert json.loads(api_server.run_kubectl(*created).stdout)["data"] == texts
    words = ("-f", str(file), "--name", "odd", "-n", api_namespace)
    real("apply", *words, "--confirm")
    assert api_server.api().get(f"/api/v1/namespaces/{api_namespace}/configmaps/odd")["data"] == texts
    real.empty(*words)
