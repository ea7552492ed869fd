"""What stands behind -f and -k: mounted folders, kustomizations, lists of every shape, documents given twice."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from planner.app.kustomize import build_kustomization
from planner.errors import ConfigError, HwplanError, SelectionError
from planner.loading import LoadResult
from planner.loading.manifest_files import KUSTOMIZE
from planner.loading.manifests.plain_manifests import (
    load_plain_manifests,
    with_effective_namespace,
    without_repeated_resources,
)
from planner.resource import Resource
from tests.unit.loading.fakes import KeyedFingerprinter, manifests

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: demo}\ndata: {a: '1'}\n"


def load(*paths: str) -> LoadResult:
    return load_plain_manifests(
        paths, stdin=None, name="app", fingerprinter=KeyedFingerprinter(), build=build_kustomization
    )


def names(text: str, tmp_path: Path) -> list[str]:
    return [f"{one.api_version} {one.address.local}" for one in manifests(text, tmp_path).resources]


def test_a_mounted_config_map(tmp_path: Path) -> None:
    """As kubelet lays it out: `..data` leads to a folder with a time in its name, files are links into it."""
    (tmp_path / "..2026_01_02.5").mkdir()
    (tmp_path / "..2026_01_02.5" / "app.yaml").write_text(MAP)
    (tmp_path / "..data").symlink_to("..2026_01_02.5")
    (tmp_path / "app.yaml").symlink_to("..data/app.yaml")
    loaded = load(str(tmp_path))
    assert (len(loaded.resources), loaded.warnings) == (1, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"kind: List\napiVersion: v1\nitems:\n---\n{MAP}", ["v1 ConfigMap/demo/a"]),
        (f"{MAP}---\nkind: ConfigMapList\napiVersion: v1\nitems: []\n", ["v1 ConfigMap/demo/a"]),
        ("kind: ConfigMapList\napiVersion: v1\nitems: [{metadata: {name: x}}]\n", ["v1 ConfigMap/x"]),
        ("kind: ThingList\napiVersion: a.b/v2\nmetadata: {resourceVersion: '5'}\nitems: [{metadata: {name: x}}]\n",
         ["a.b/v2 Thing.a.b/x"]),
        ("kind: List\napiVersion: v1\nitems: [{kind: ConfigMapList, apiVersion: v1, items: [{metadata: {name: x}}]}]\n",
         ["v1 ConfigMap/x"]),
        ("kind: SecretList\napiVersion: v1\nitems: [{kind: ConfigMap, apiVersion: v1, metadata: {name: x}}]\n",
         ["v1 ConfigMap/x"]),
    ],
)  # fmt: skip
def test_lists(text: str, expected: list[str], tmp_path: Path) -> None:
    assert names(text, tmp_path) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "# only a comment\n---\n# another\n", "---\n---\n", "null\n",
        "kind: List\napiVersion: v1\nitems:\n",
        "kind: List\napiVersion: v1\n",
        "kind: List\napiVersion: v1\nitems: []\n",
        "kind: ConfigMapList\napiVersion: v1\nitems: null\n",
    ],
)  # fmt: skip
def test_input_without_an_object_is_refused(text: str, tmp_path: Path) -> None:
    """kubectl: "error: no objects passed to apply", exit code 1."""
    with pytest.raises(SelectionError, match=r"^no objects in standard input$") as caught:
        manifests(text, tmp_path)
    assert "hwplan destroy --set app" in caught.value.remedy
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.yaml").write_text(text)
    with pytest.raises(SelectionError, match=r"no objects in .*/in$"):
        load(str(tmp_path / "in"))
    (tmp_path / "in" / "b.yaml").write_text(MAP)
    assert len(load(str(tmp_path / "in")).resources) == 1


def test_secrets_of_a_typed_list_are_sealed(tmp_path: Path) -> None:
    text = "kind: SecretList\napiVersion: v1\nitems: [{metadata: {name: s}, stringData: {p: cAnArY}}]\n"
    assert "cAnArY" not in str(manifests(text, tmp_path).resources)


def test_one_document_twice(tmp_path: Path) -> None:
    other = '# the same\ndata:\n  a: "1"\nkind: ConfigMap\nmetadata: {namespace: demo, name: a}\napiVersion: v1\n'
    loaded = manifests(f"{MAP}---\n{other}---\n{MAP}", tmp_path)
    assert len(loaded.resources) == 1
    assert loaded.warnings == ("ConfigMap/demo/a is declared twice, with the same content",)
    with pytest.raises(ConfigError, match="declared twice, and differently"):
        manifests(f"{MAP}---\n{MAP.replace('1', '2')}", tmp_path)


def test_one_document_with_and_without_its_namespace(tmp_path: Path) -> None:
    bare = MAP.replace(", namespace: demo", "")
    assert len(_placed(f"{MAP}---\n{bare}", tmp_path, namespaced=True)) == 1
    assert len(_placed(f"{MAP}---\n{bare}".replace("'1'", "'2'", 1), tmp_path, namespaced=True)) == 2


def test_one_cluster_wide_document_in_two_namespaces(tmp_path: Path) -> None:
    """The namespace is dropped; that two documents mean different ones is an error all the same."""
    other, bare = MAP.replace("demo", "other"), MAP.replace(", namespace: demo", "")
    assert len(_placed(f"{MAP}---\n{other}", tmp_path, namespaced=False)) == 2
    assert len(_placed(f"{MAP}---\n{bare}", tmp_path, namespaced=False)) == 1


def _placed(text: str, folder: Path, *, namespaced: bool) -> list[Resource]:
    declared = manifests(text, folder).resources
    return without_repeated_resources(
        [with_effective_namespace(one, namespaced, "demo") for one in declared], [one.address for one in declared]
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("kustomization.yaml", "resources: [app.yaml]\n"),
        ("kustomization.yml", "namePrefix: a-\n"),
        ("x.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"),
        ("x.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"),
    ],
)
def test_a_kustomization_is_no_manifest(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text)
    (tmp_path / "app.yaml").write_text(MAP)
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path))
    (problem,) = caught.value.problems
    assert problem.suggestion.startswith(f"kustomize build {tmp_path} | hwplan plan -f - --name NAME")


def _program(folder: Path, name: str, body: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)


def test_k_runs_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools, app = tmp_path / "bin", tmp_path / "app"
    tools.mkdir()
    app.mkdir()
    (app / "cm.yaml").write_text(MAP)
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SelectionError, match="neither kustomize nor kubectl"):
        load(KUSTOMIZE + str(app))
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}/bin{os.pathsep}/usr/bin")
    _program(tools, "kubectl", '[ "$1" = kustomize ] && cat "$2/cm.yaml"')
    assert [one.address.name for one in load(KUSTOMIZE + str(app)).resources] == ["a"]
    _program(tools, "kustomize", "echo accumulating resources: no such file >&2; exit 1")
    with pytest.raises(HwplanError, match=r"kustomize build .* failed: accumulating resources"):
        load(KUSTOMIZE + str(app))
    with pytest.raises(SelectionError, match="is not a folder"):
        load(KUSTOMIZE + str(app / "cm.yaml"))
