"""Tekton's stand-in on the full cluster: kwok plays the pods, builds push images, the promotion commits."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.testbed import image_registry, processes, tekton_real
from tests.testbed.fixtures import part
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.git_server import GitHttp
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.lane_steps import Lane
from tests.testbed.tekton import Tekton
from tests.testbed.tekton_steps import Step, failing, hang
from tests.testbed.tekton_tasks import condition_of, is_done

_STEPS = [{"name": "run", "image": "registry.example/tools:1", "script": "true"}]
_PATH = "/apis/tekton.dev/v1/namespaces/{}/{}"
_COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with part(), image_registry.running(tmp_path_factory.mktemp("registry")) as running:
        yield running


def _task(name: str, *, results: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    params = [{"name": one["name"]} for one in more.get("params", ())]
    spec = {"steps": _STEPS, "results": [{"name": one} for one in results], "params": params}
    return {"name": name, "taskSpec": spec, **more}


def _run(
    tekton: Tekton, namespace: str, tasks: list[dict[str, Any]], labels: dict[str, str] | None = None, **pipeline: Any
) -> dict[str, Any]:
    """Create a run of these tasks and wait for its end."""
    spec = {"pipelineSpec": {"params": [{"name": "commit", "default": _COMMIT}], "tasks": tasks, **pipeline}}
    metadata = {"name": "run", "labels": labels or {}}
    document = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": metadata, "spec": spec}
    tekton.api.create(_PATH.format(namespace, "pipelineruns"), document)

    def ended() -> Any:
        found = tekton.api.get(_PATH.format(namespace, "pipelineruns/run"))
        return found if is_done(found) else None

    found: dict[str, Any] = processes.wait_until("the run", ended, deadline=60)
    return found


@pytest.mark.timeout(180)
def test_a_lane_builds_pushes_and_promotes(
    tekton: Tekton, gitops: GitHttp, registry: ImageRegistry, namespace: str
) -> None:
    repository = BareRepository.create(gitops.root / f"{uuid.uuid4().hex}.git")
    image = f"{registry.host}/{namespace}/api"
    repository.write("refs/heads/main", {"app/api.yaml": f"image: {image}:old\nother: {registry.host}/x/api:old\n"})
    tekton.enable(namespace, Lane(registry, repository, namespace).programs())
    commit = [{"name": "commit", "value": "$(params.commit)"}]
    pin = {"name": "api", "value": "$(tasks.build-api.results.IMAGE_URL)@$(tasks.build-api.results.IMAGE_DIGEST)"}
    run = _run(
        tekton,
        namespace,
        [
            _task("build-api", results=("IMAGE_URL", "IMAGE_DIGEST"), params=commit),
            _task("gitops-promote", results=("gitopsRevision",), params=[*commit, pin]),
        ],
        results=[
            {"name": "gitopsRevision", "value": "$(tasks.gitops-promote.results.gitopsRevision)"},
            {"name": "API_IMAGE_DIGEST", "value": "$(tasks.build-api.results.IMAGE_DIGEST)"},
        ],
    )
    assert condition_of(run)["reason"] == "Succeeded", (condition_of(run), tekton.failures)
    results = {one["name"]: one["value"] for one in run["status"]["results"]}
    tip = repository.at("refs/heads/main")
    assert results["gitopsRevision"] == tip
    pinned = f"{image}:{_COMMIT[:12]}@{results['API_IMAGE_DIGEST']}"
    assert repository.read(tip, "app/api.yaml") == f"image: {pinned}\nother: {registry.host}/x/api:old"
    assert ("GET", f"/v2/{namespace}/api/manifests/{_COMMIT[:12]}", 200) not in registry.requests()
    assert any(path.endswith(f"/api/manifests/{_COMMIT[:12]}") for _, path, _ in registry.requests())


def test_b3_what_the_source_has_left_behind_is_not_promoted(registry: ImageRegistry, tmp_path: Path) -> None:
    """B3: the stand-in of the promotion reads the branch again before its push, as the shipped script does."""
    source, gitops = (BareRepository.create(tmp_path / f"{name}.git") for name in ("source", "gitops"))
    before = gitops.write("refs/heads/main", {"app/api.yaml": f"image: {registry.host}/a/api:old\n"})
    old, ref = source.grow("refs/heads/main", "old"), "refs/heads/main"
    lane = Lane(registry, gitops, "a", source=(source, ref))
    pin = f"{registry.host}/a/api@sha256:{'1' * 64}"
    step = Step("gitops-promote", "run", "a", {"commit": old, "pin": pin}, ("gitopsRevision",), threading.Event())
    new = source.grow(ref, "new")
    refused = lane.promote(step)
    assert (refused.exit_code, refused.results, gitops.at(ref)) == (3, {}, before)
    assert f"superseded: {ref} is at {new}, this is {old}" in refused.log
    assert lane.promote(replace(step, params={"commit": new, "pin": pin})).results["gitopsRevision"] == gitops.at(ref)
    assert gitops.at(ref) != before


@pytest.mark.timeout(120)
def test_a_failing_step_fails_the_run_and_leaves_its_log(tekton: Tekton, namespace: str) -> None:
    words = f"cannot find {uuid.uuid4().hex}"
    tekton.enable(namespace, {"build-": failing(f"{words}\n")})
    run = _run(tekton, namespace, [_task("build-api"), _task("after", runAfter=["build-api"])])
    assert condition_of(run)["reason"] == "Failed", tekton.failures
    assert [one["name"] for one in run["status"]["skippedTasks"]] == ["after"]
    path = f"/api/v1/namespaces/{namespace}/pods/run-build-api-pod/log?container=step-run&tailLines=5"
    assert words.encode() in tekton.api.raw("GET", path)[1]


@pytest.mark.timeout(120)
def test_an_image_that_cannot_be_pulled_fails_the_run(tekton: Tekton, namespace: str) -> None:
    tekton.enable(namespace)
    run = _run(tekton, namespace, [_task("build-api")], labels={"testbed.hwplan/pod": "image-pull-backoff"})
    assert condition_of(run)["reason"] == "Failed", tekton.failures
    child = tekton.api.get(_PATH.format(namespace, "taskruns/run-build-api"))
    assert condition_of(child)["reason"] == "TaskRunImagePullFailed"


@pytest.mark.skipif(tekton_real.folder() is not None, reason="the real controller acts in every namespace")
@pytest.mark.timeout(120)
def test_a_namespace_that_is_not_enabled_is_left_alone(tekton: Tekton, namespace: str) -> None:
    document = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": "run"}, "spec": {}}
    tekton.enable("default", {"": hang})
    made = tekton.api.create(_PATH.format(namespace, "pipelineruns"), document)
    time.sleep(1)
    assert made == tekton.api.get(_PATH.format(namespace, "pipelineruns/run"))
