"""The words for a PipelineRun (R4), and whether a live one is the one that is asked for (R2)."""

from __future__ import annotations

from typing import Any

import pytest

from planner.values import JsonObject, document_digest
from providers.kubernetes.operations.tekton_run_state import (
    evidence_missing_in_successful_run,
    pipeline_run_outputs,
    pipeline_run_state,
    succeeded_condition_text,
)
from providers.kubernetes.operations.wanted_pipeline_run import SPEC_DIGEST, WantedPipelineRun


def _run(status: str | None = None, reason: str = "", **more: Any) -> JsonObject:
    conditions = [{"type": "Succeeded", "status": status, "reason": reason, "message": "m"}] if status else []
    metadata = {"name": "run", "namespace": "ci", "uid": "u"}
    return {"metadata": metadata, "spec": {}, "status": {"conditions": conditions, **more}}


@pytest.mark.parametrize(
    ("status", "reason", "word"),
    [
        (None, "", "pending"),
        ("Unknown", "Running", "running"),
        ("Unknown", "Cancelled", "running"),
        ("Unknown", "PipelineRunPending", "running"),
        ("True", "Succeeded", "succeeded"),
        ("True", "Completed", "succeeded"),
        ("False", "Failed", "failed"),
        ("False", "Cancelled", "aborted"),
        ("False", "PipelineRunTimeout", "aborted"),
        ("False", "CouldntGetPipeline", "errored"),
        ("False", "CouldntGetTask", "errored"),
        ("False", "ParameterMissing", "errored"),
        ("False", "CreateRunFailed", "errored"),
        ("False", "SomethingNew", "errored"),
    ],
)
def test_r4_words(status: str | None, reason: str, word: str) -> None:
    assert pipeline_run_state(_run(status, reason)) == word


def test_a_run_that_nobody_took_up_says_so() -> None:
    assert succeeded_condition_text(_run()) == "no controller has picked it up yet"
    assert succeeded_condition_text({"metadata": {}, "status": None}) == "no controller has picked it up yet"


def test_results_do_not_hide_what_is_hwplans() -> None:
    live = _run(
        "True", "Succeeded", results=[{"name": "state", "value": "mine"}, {"name": "gitopsRevision", "value": "c"}]
    )
    outputs = pipeline_run_outputs(live)
    assert (outputs["state"], outputs["gitopsRevision"], outputs["results"]["state"]) == ("succeeded", "c", "mine")


def test_r10_evidence() -> None:
    children = [{"kind": "TaskRun", "name": "run-a", "pipelineTaskName": "a"}]
    live = _run("True", "Succeeded", childReferences=children, results=[{"name": "r", "value": ""}])
    ignored = _run("False", "FailureIgnored")
    assert list(evidence_missing_in_successful_run(live, {"taskRuns": ["a"]}, {})) == []
    assert list(evidence_missing_in_successful_run(live, {"taskRuns": ["a"]}, {"a": ignored})) == [
        "the TaskRun of a has not succeeded"
    ]
    assert list(evidence_missing_in_successful_run(live, {"taskRuns": ["b"], "results": ["r", "s"]}, {})) == [
        "cache-hit-forbidden: no TaskRun of b",
        "no result r",
        "no result s",
    ]


def _wanted(spec: JsonObject) -> WantedPipelineRun:
    manifest = {"metadata": {"name": "run", "namespace": "ci"}, "spec": spec}
    found = WantedPipelineRun.of({"spec": {"manifest": manifest}})
    assert found is not None
    return found


ASKED: JsonObject = {"pipelineRef": {"name": "lane"}, "params": [{"name": "commit", "value": "1"}]}


@pytest.mark.parametrize(
    ("live", "same"),
    [
        ({**ASKED, "timeouts": {"pipeline": "1h0m0s"}, "taskRunTemplate": {"serviceAccountName": "default"}}, True),
        ({**ASKED, "status": "Cancelled"}, True),
        ({**ASKED, "params": [{"name": "commit", "value": "2"}]}, False),
        ({**ASKED, "params": []}, False),
        ({**ASKED, "params": [*ASKED["params"], {"name": "more", "value": "1"}]}, False),
        ({"pipelineRef": {"name": "lane"}}, False),
        ({}, False),
    ],
)
def test_r2_a_run_without_our_digest_is_that_one_when_all_that_is_asked_for_stands_in_it(
    live: JsonObject, same: bool
) -> None:
    assert _wanted(ASKED).is_that({"metadata": {}, "spec": live}) is same


def test_r2_our_digest_decides_where_it_is() -> None:
    mine = {"metadata": {"annotations": {SPEC_DIGEST: document_digest(ASKED)}}, "spec": {}}
    assert _wanted(ASKED).is_that(mine)
    assert not _wanted({**ASKED, "params": []}).is_that(mine)
    assert _wanted(ASKED).body["metadata"]["annotations"] == {SPEC_DIGEST: document_digest(ASKED)}
