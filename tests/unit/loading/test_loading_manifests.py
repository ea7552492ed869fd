"""Plain manifests become resources: identity, stamps, digests, sealed secrets, options."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from planner.address import Address
from planner.errors import ConfigError, SelectionError
from planner.loading.manifests.plain_manifests import load_plain_manifests, with_effective_namespace
from planner.resource import APPLIED, SET_LABEL, annotation_that_keeps_object
from planner.values import SealedSecret, encode_special_leaves
from tests.unit.loading.fakes import CANARY, KeyedFingerprinter, manifests, one

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: demo\n"


def test_a_resource_is_stamped(tmp_path: Path) -> None:
    found = one("# first\n" + CONFIG_MAP + "data: {a: x, b: null}\n", tmp_path)
    assert found.address == Address("", "ConfigMap", "", "demo", "a")
    assert found.manifest["metadata"]["labels"] == {SET_LABEL: "app"}
    assert found.manifest["metadata"]["annotations"][APPLIED].startswith("sha256:")
    assert found.manifest["data"] == {"a": "x", "b": ""}
    assert (found.owned_by, found.scope, str(found.source)) == ("app", "manifests", "<stdin>:2")


def test_the_digest_is_of_the_content_alone(tmp_path: Path) -> None:
    def applied(text: str, name: str = "app") -> str:
        (found,) = manifests(text, tmp_path, name).resources
        return str(found.manifest["metadata"]["annotations"][APPLIED])

    base = applied(CONFIG_MAP + "data: {a: x}\n")
    assert base == applied("---\n# a comment\n" + CONFIG_MAP + 'data:\n  a: "x"\nimmutable: ~\n')
    assert base == applied(CONFIG_MAP + "data: {a: x}\n", "other")
    assert base != applied(CONFIG_MAP + "data: {a: z}\n")
    assert base != applied(CONFIG_MAP + "  annotations: {hwplan.dev/wait: none}\ndata: {a: x}\n")


def test_lists_are_taken_apart_and_empty_documents_skipped(tmp_path: Path) -> None:
    items = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in "ab"]
    text = "---\n---\n" + json.dumps({"apiVersion": "v1", "kind": "List", "items": items}) + "\n---\n# nothing\n"
    assert [found.address.name for found in manifests(text, tmp_path).resources] == ["a", "b"]


def test_a_kind_that_only_ends_in_list_is_a_resource(tmp_path: Path) -> None:
    found = one("apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\nitems: [x]\n", tmp_path)
    assert found.address.kind == "AllowList"


def test_what_the_server_writes_is_dropped(tmp_path: Path) -> None:
    text = (
        CONFIG_MAP
        + "  uid: x\n  resourceVersion: '5'\n  creationTimestamp: null\n  managedFields: []\nstatus: {a: b}\n"
    )
    assert set(one(text, tmp_path).manifest["metadata"]) == {"name", "namespace", "labels", "annotations"}
    assert "status" not in one(text, tmp_path).manifest


@pytest.mark.parametrize(
    "data",
    [
        f"stringData: {{password: {CANARY}}}",
        f"data: {{password: {base64.b64encode(CANARY.encode()).decode()}}}",
        f"data: {{password: eA==}}\nstringData: {{password: {CANARY}}}",
    ],
)
def test_secrets_are_sealed(data: str, tmp_path: Path) -> None:
    loaded = manifests(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: demo}}\n{data}\n", tmp_path)
    (found,) = loaded.resources
    ref = "manifest:Secret/demo/s#data.password"
    assert found.manifest["data"] == {"password": SealedSecret(ref, KeyedFingerprinter().fingerprint(CANARY.encode()))}
    assert "stringData" not in found.manifest
    assert loaded.vault[ref].reveal() == CANARY.encode()
    assert CANARY not in repr(loaded) + json.dumps(encode_special_leaves(found.manifest))


def test_the_digest_of_a_secret_leaves_its_values_out(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: demo}\nstringData: {%s: %s}\n"
    digests = [manifests(text % pair, tmp_path).digest for pair in (("a", "x"), ("a", "z"), ("b", "x"))]
    assert digests[0] == digests[1] != digests[2]


def test_last_applied_of_kubectl_never_stays(tmp_path: Path) -> None:
    last = f'kubectl.kubernetes.io/last-applied-configuration: \'{{"data": "{CANARY}"}}\''
    text = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: demo\n  annotations:\n    {last}\n"
    assert CANARY not in json.dumps(one(text, tmp_path).manifest)


@pytest.mark.parametrize(
    ("annotations", "what"),
    [
        ("helm.sh/resource-policy: keep", "orphan"),
        ('helm.sh/resource-policy: " Keep "', "orphan"),
        ("helm.sh/resource-policy: other", "delete"),
        ("helm.sh/resource-policy: keep, hwplan.dev/on-delete: delete", "delete"),
        ("hwplan.dev/on-delete: orphan", "orphan"),
        ("hwplan.dev/wait: none", "delete"),
    ],
)
def test_what_outlives_its_release_outlives_its_set(annotations: str, what: str, tmp_path: Path) -> None:
    found = one(CONFIG_MAP + f"  annotations: {{{annotations}}}\n", tmp_path)
    assert found.options.on_delete == what
    assert (annotation_that_keeps_object(found.manifest["metadata"]["annotations"]) != "") == (what == "orphan")


def test_options(tmp_path: Path) -> None:
    annotations = (
        "    hwplan.dev/wait: 90s\n    hwplan.dev/replace: allow\n    hwplan.dev/protect: 'true'\n"
        "    hwplan.dev/on-delete: orphan\n    hwplan.dev/role: runtime\n    hwplan.dev/scope: infra\n"
        "    hwplan.dev/depends-on: Namespace/demo, Job.batch/demo/migrate\n"
        "    hwplan.dev/ignore-fields: 'spec.replicas, spec.containers[name=a].image'\n"
    )
    found = one(CONFIG_MAP + "  annotations:\n" + annotations, tmp_path)
    options = asdict(found.options)
    assert (options["wait"], options["wait_seconds"], found.scope) == ("ready", 90.0, "infra")
    assert options["replace_allowed"] and options["protect"] and options["on_delete"] == "orphan"
    assert [str(address) for address in found.options.depends_on] == ["Namespace/demo", "Job.batch/demo/migrate"]
    assert len(found.options.ignore_fields) == 2


@pytest.mark.parametrize(
    ("namespaced", "given", "expected"), [(True, "", "x"), (True, "demo", "demo"), (False, "demo", "")]
)
def test_with_namespace(namespaced: bool, given: str, expected: str, tmp_path: Path) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{f', namespace: {given}' if given else ''}}}\n"
    found = with_effective_namespace(one(text, tmp_path), namespaced, "x")
    assert found.address.namespace == expected
    assert found.manifest["metadata"].get("namespace", "") == expected


def test_folders_are_read_in_order(tmp_path: Path) -> None:
    for name in ("b/2.yml", "a/1.yaml", "c.json", "ignored.txt"):
        file = tmp_path / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": file.stem}}
        file.write_text(json.dumps(body))
    loaded = load_plain_manifests([str(tmp_path / "in")], stdin=None, name="app", fingerprinter=KeyedFingerprinter())
    assert [found.address.name for found in loaded.resources] == ["1", "2", "c"]


@pytest.mark.parametrize("name", ["", "a b", "-a", "x" * 64, "a/b"])
def test_the_set_needs_a_name(name: str) -> None:
    with pytest.raises(SelectionError):
        load_plain_manifests(["-"], stdin=b"", name=name, fingerprinter=KeyedFingerprinter())


def test_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: on\n")
    (tmp_path / "b.yaml").write_text("kind: ConfigMap\n")
    with pytest.raises(ConfigError) as caught:
        load_plain_manifests([str(tmp_path)], stdin=None, name="app", fingerprinter=KeyedFingerprinter())
    assert {Path(problem.source.file).name for problem in caught.value.problems} == {"a.yaml", "b.yaml"}
