"""The run in the status of a lane: its success counts with what it has to show, and with nothing less (R10)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planner.app.lane.cluster_evidence import ClusterEvidenceReader
from planner.app.lane.lane_parts import LaneParts, LaneRunLocation, lane_parts
from planner.rollout import lane_evidence as names
from planner.rollout.lane_verdict import judge_lane
from planner.rollout.next_action import next_lane_command
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.contract.declared import own
from tests.unit.rollout.lanes import COMMIT, lane

_EVIDENCE = {"taskRuns": ["source-fetch", "gitops-promote"], "results": ["gitopsRevision"]}


def _run(*tasks: str, results: tuple[str, ...] = ("gitopsRevision",)) -> dict[str, Any]:
    """A run of the Pipeline `shop` that Tekton says succeeded."""
    status = {
        "conditions": [{"type": "Succeeded", "status": "True", "reason": "Completed"}],
        "childReferences": [{"kind": "TaskRun", "name": f"r-{one}", "pipelineTaskName": one} for one in tasks],
        "results": [{"name": one, "value": "x"} for one in results],
    }
    metadata = {"name": "r", "namespace": "ci", "uid": "u", "resourceVersion": "1"}
    spec = {"pipelineRef": {"name": "shop"}, "params": [{"name": "commit", "value": COMMIT}]}
    return {"metadata": metadata, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("live", "state", "said"),
    [
        (_run("source-fetch", "gitops-promote"), "succeeded", "Completed"),
        (_run("source-fetch"), "inconclusive", "cache-hit-forbidden: no TaskRun of gitops-promote"),
        (_run("source-fetch", "gitops-promote", results=()), "inconclusive", "no result gitopsRevision"),
    ],
)
def test_r10_absence_is_no_success(live: dict[str, Any], state: str, said: str, tmp_path: Path) -> None:
    create_empty_snapshot(tmp_path, name="sandbox", namespaces=["ci"])
    subjects = LaneParts(runs=(LaneRunLocation("ci", "shop"),), evidence={"shop": _EVIDENCE})
    found = ClusterEvidenceReader(open_snapshot(tmp_path), subjects, lambda: "now").run(live, COMMIT)[names.RUN]
    assert (found.value["state"], found.value["reason"]) == (state, said)
    evidence = lane({names.RUN: found.value})
    verdict = judge_lane(evidence)
    if state == "succeeded":
        assert not any(one.code.startswith("run-") for one in verdict.blockers)
        return
    assert (verdict.blockers[0].code, str(verdict.target)) == ("run-inconclusive", "failed")
    assert said in verdict.blockers[0].reason
    assert next_lane_command(evidence, verdict) == "trigger --rerun --confirm"


def test_the_evidence_is_that_of_the_declared_run() -> None:
    manifest = {"metadata": {"namespace": "ci"}, "spec": {"pipelineRef": {"name": "shop"}}}
    declared = own("PipelineRun", "build", {"manifest": manifest, "evidence": _EVIDENCE})
    assert lane_parts([declared]).evidence == {"shop": _EVIDENCE}
