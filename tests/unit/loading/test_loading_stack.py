"""The shipped product: what its stacks hold, that they are the same every time, and that references lead somewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.errors import SelectionError
from planner.loading import LoadResult
from planner.resource import SET_LABEL
from planner.values import encode_special_leaves
from tests.unit.loading.fakes import CANARY, ROOT, shipped

PLACES = [("D601", "v03"), ("G14", "g14"), ("G14", "v02"), ("G14", "v03"), ("D518", "v03"), ("JD01", "v03")]


@pytest.fixture(scope="module")
def d601() -> LoadResult:
    return shipped("D601", "v03")


def test_d601_is_whole(d601: LoadResult) -> None:
    addresses = {str(resource.address) for resource in d601.resources}
    assert len(d601.resources) >= 80
    assert {
        "Namespace/hwlab-v03", "Namespace/devops-infra", "ConfigMap/devops-infra/git-mirror",
        "Secret/hwlab-v03/postgres-bootstrap", "StatefulSet.apps/hwlab-v03/postgres",
        "Pipeline.tekton.dev/hwlab-v03-ci/hwlab-v03", "Task.tekton.dev/hwlab-v03-ci/build-hwlab-cloud-api",
        "AppProject.argoproj.io/argocd/hwlab-v03", "Application.argoproj.io/argocd/hwlab-v03",
    } <= addresses  # fmt: skip
    assert d601.owned == ("hwlab.D601", "hwlab.D601.v03")
    shared, of_the_lane = (
        ("infra", "git-mirror", "images"),
        ("secrets", "control-plane", "runtime", "argo", "gitops", "gate"),
    )
    assert d601.scopes == (*shared, *of_the_lane, "cleanup")
    assert {
        "GitHead/hwlab-v0.3", "GitRef/sync-hwlab-v0.3", "GitRef/snapshot-hwlab-v0.3", "GitRef/flush-hwlab-v0.3-gitops",
        "RegistryImage/ci-node-tools", "RegistryImage/postgres", "HttpProbe/v03-gate-1",
        "Retention/v03-pipelineruns", "Retention/v03-volumes",
    } <= addresses  # fmt: skip


@pytest.mark.parametrize(("node", "lane"), PLACES)
def test_every_place_loads_with_named_images_and_right_owners(node: str, lane: str) -> None:
    loaded = shipped(node, lane)
    for resource in loaded.resources:
        assert resource.manifest["metadata"]["labels"][SET_LABEL] == resource.owned_by
        per_node = resource.scope in ("infra", "git-mirror", "images")
        assert resource.owned_by == (f"hwlab.{node}" if per_node else f"hwlab.{node}.{lane}")
        folder = resource.source.file.removeprefix("templates/").rpartition("/")[0]
        assert folder == f"hwlab/{resource.scope}" or folder.startswith("shared/")
        assert resource.source.line > 0
        for image in _values(resource.manifest, "image"):
            assert re.fullmatch(r"127\.0\.0\.1:5000/[a-z0-9/_.-]+:[A-Za-z0-9_.-]+", image)
            assert not image.endswith(":latest")


@pytest.mark.parametrize(("node", "lane"), PLACES)
def test_references_lead_somewhere(node: str, lane: str) -> None:
    loaded = shipped(node, lane)
    known = {(one.address.kind, one.address.namespace, one.address.name) for one in loaded.resources}
    for resource in loaded.resources:
        namespace = resource.address.namespace
        for kind, name in _references(resource.manifest):
            assert (kind, namespace, name) in known, f"{resource.address} refers to {kind}/{name}"
        if namespace and namespace != "kube-public":
            assert ("Namespace", "", namespace) in known


def _references(value: Any) -> Iterator[tuple[str, str]]:
    for key, kind, field in (
        ("configMap", "ConfigMap", "name"), ("configMapRef", "ConfigMap", "name"),
        ("configMapKeyRef", "ConfigMap", "name"),
        ("secretKeyRef", "Secret", "name"), ("secret", "Secret", "secretName"), ("taskRef", "Task", "name"),
        ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
    ):  # fmt: skip
        yield from ((kind, inner[field]) for inner in _values(value, key) if isinstance(inner, dict))
    yield from (("ServiceAccount", name) for name in _values(value, "serviceAccountName"))


def _values(value: Any, key: str) -> Iterator[Any]:
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        for inner in value.values():
            yield from _values(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, key)


def test_the_pipeline_builds_each_service(d601: LoadResult) -> None:
    pipeline = next(one for one in d601.resources if one.address.kind == "Pipeline")
    tasks = {task["name"]: task for task in pipeline.manifest["spec"]["tasks"]}
    builds = {name for name in tasks if name.startswith("build-")}
    assert len(builds) >= 5
    assert set(tasks["gitops-promote"]["runAfter"]) == builds
    assert tasks["build-hwlab-job-runner"]["timeout"] == "30m"


def test_missing_secrets_block_and_present_ones_do_not(d601: LoadResult, tmp_path: Path) -> None:
    assert {address.name for address in d601.blocked} == {
        "git-mirror-ssh", "postgres-bootstrap", "hwlab-v03-cloud-api", "hwlab-v03-openfga",
        "hwlab-v03-master-server-admin-api-key",
    }  # fmt: skip
    for needed in d601.secret_files:
        file = tmp_path / needed.source.path
        file.parent.mkdir(parents=True, exist_ok=True)
        raw = needed.source.format == "raw"
        file.write_text(CANARY if raw else "".join(f"{key}={CANARY}\n" for key in needed.keys))
        file.chmod(0o600)
    loaded = shipped("D601", "v03", secrets_dir=tmp_path)
    assert not loaded.blocked and not loaded.warnings
    assert CANARY not in json.dumps([encode_special_leaves(one.manifest) for one in loaded.resources]) + repr(loaded)
    assert loaded.digest == d601.digest


def test_a_scope_alone(d601: LoadResult) -> None:
    loaded = shipped("D601", "v03", scopes=("argo", "infra"))
    assert loaded.scopes == ("infra", "argo")
    whole = {one.address: one for one in d601.resources}
    assert all(whole[one.address] == one for one in loaded.resources)


def test_the_same_bytes_in_every_process(d601: LoadResult) -> None:
    script = (
        "from tests.unit.loading.fakes import shipped;"
        "from planner.values import document_digest, encode_special_leaves;"
        "loaded = shipped('D601', 'v03');"
        "rows = [[str(one.address), str(one.source), encode_special_leaves(one.manifest)] for one in loaded.resources];"
        "print(document_digest(rows))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("node", "lane", "remedy"),
    [
        ("D60", "v03", 'did you mean "D601"?'),
        ("D601", "v04", 'did you mean "v03"?'),
        ("D601", "v02", 'did you mean "v03"?'),
    ],
)
def test_unknown_words_come_with_close_ones(node: str, lane: str, remedy: str) -> None:
    with pytest.raises(SelectionError) as caught:
        shipped(node, lane)
    assert caught.value.remedy == remedy


def test_all_lanes_of_a_node_are_one_cluster() -> None:
    both = shipped("G14", "all")
    assert both.owned == ("hwlab.G14", "hwlab.G14.g14", "hwlab.G14.v02", "hwlab.G14.v03")
    assert {one.address.node_lane for one in both.resources} == {""}


def test_several_nodes_are_told_apart() -> None:
    loaded = shipped("all", "v03", scopes=("argo", "git-mirror"))
    assert {one.address.node_lane for one in loaded.resources} >= {"D601/v03", "D601/-", "G14/v03"}


def test_a_base_image_that_no_image_of_the_node_is_becomes_one(tmp_path: Path) -> None:
    """Spec 02, S09: whatever a lane builds upon is planned, preloaded and has a status."""
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    lanes = folder / "hwlab-node-lanes.yaml"
    lanes.write_text(
        lanes.read_text().replace("baseImage: 127.0.0.1:5000/hwlab/node:22", "baseImage: 127.0.0.1:5000/hwlab/node:99")
    )
    loaded = shipped("D601", "v03", scopes=("images",), folder=folder)
    images = {one.address.name: one.manifest["spec"] for one in loaded.resources if one.address.kind == "RegistryImage"}
    assert images["base-v03"] == {
        "target": "127.0.0.1:5000/hwlab/node:99.21.1-bookworm-slim",
        "source": "docker.io/library/node:22.21.1-bookworm-slim",
    }
