"""How a PipelineRun ends that does not end well: the word for it, the first failed step, and the end of its log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planner.events import ChangeResult, ChangeWaiting
from planner.redaction.redactor import REDACTOR
from planner.values import SecretValue
from tests.integration.tekton_world import Runs, end_of, outputs_of, task
from tests.testbed.cluster import TestCluster
from tests.testbed.tekton import Tekton
from tests.testbed.tekton_steps import failing, hang

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def runs(cluster: TestCluster, tekton: Tekton, namespace: str) -> Iterator[Runs]:
    tekton.enable(namespace)
    found = Runs(cluster, namespace)
    yield found
    found.close()


def test_r13_a_failed_step_shows_its_last_forty_lines_without_secrets(runs: Runs, tekton: Tekton) -> None:
    secret = SecretValue(b"hunter2-of-this-test")
    assert REDACTOR.clean("hunter2-of-this-test") != "hunter2-of-this-test", secret
    lines = [f"line {number} of {runs.namespace}" for number in range(100)]
    noise = "\x1b[31mpassword is hunter2-of-this-test\x1b[0m " + "x" * 5000
    tekton.programs[runs.namespace] = {"build-web": failing("\n".join([*lines, noise]))}
    result = runs.apply(runs.wanted([task("build-api"), task("build-web", runAfter=["build-api"])]))
    ended = end_of(result)
    assert ended.result is ChangeResult.FAILED
    first, step, *log = ended.message.splitlines()
    assert first.startswith("failed: Failed: Tasks Completed: 2 (Failed: 1") and "--rerun" in first
    assert step == 'task build-web, step run: StepFailed: "step-run" exited with code 1: Error'
    assert len(log) == 40 and log[-2] == lines[-1] and "password is" in log[-1]
    assert "hunter2" not in ended.message and "\x1b" not in ended.message and max(map(len, log)) < 250
    assert [one["state"] for one in outputs_of(result)["taskRuns"]] == ["succeeded", "failed"]


def test_r5_an_image_that_cannot_be_pulled_ends_the_wait(runs: Runs) -> None:
    labels = {"labels": {"testbed.hwplan/pod": "image-pull-backoff"}}
    ended = end_of(runs.apply(runs.wanted([task("build-api")], metadata=labels)))
    assert ended.result is ChangeResult.FAILED
    assert "task build-api, step run: TaskRunImagePullFailed" in ended.message, ended.message


@pytest.mark.parametrize("how", ["Cancelled", "CancelledRunFinally"])
def test_r4_a_run_that_somebody_cancelled_is_aborted_and_not_failed(how: str, runs: Runs, tekton: Tekton) -> None:
    tekton.programs[runs.namespace] = {"a": hang}
    path = f"/apis/tekton.dev/v1/namespaces/{runs.namespace}/pipelineruns/run"
    done: list[object] = []

    def cancel(event: object) -> bool:
        if not done and isinstance(event, ChangeWaiting) and runs.live().get("status", {}).get("childReferences"):
            done.append(runs.api.merge(path, {"spec": {"status": how}}))
        return False

    result = runs.apply(runs.wanted([task("a")]), until=cancel)
    assert end_of(result).message.startswith("aborted: Cancelled"), end_of(result)
    assert outputs_of(result)["state"] == "aborted"


def test_r4_a_run_that_could_not_begin_is_errored(runs: Runs) -> None:
    resource = runs.wanted([{"name": "a", "taskRef": {"name": "no-such-task"}}])
    result = runs.apply(resource)
    assert end_of(result).message.startswith("errored: CouldntGetTask"), end_of(result)
    assert runs.plan(resource)[0].blocked == "the run of this name errored"


def test_a_pipeline_that_is_not_there_is_said_by_the_plan(runs: Runs) -> None:
    resource = runs.wanted([], run={"pipelineRef": {"name": "lane"}})
    spec = resource.manifest["spec"]["manifest"]["spec"]
    del spec["pipelineSpec"]
    preview, _ = runs.plan(resource)
    assert [one.local for one in preview.lacks] == [f"Pipeline.tekton.dev/{runs.namespace}/lane"]


def test_what_admission_refuses_is_said_by_the_plan_and_nothing_is_made(runs: Runs) -> None:
    preview, change = runs.plan(runs.wanted([task("a", runAfter=["b"]), task("b", runAfter=["a"])]))
    assert change is None and "cycle detected" in preview.blocked, preview
    assert not runs.all()
