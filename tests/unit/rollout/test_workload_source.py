"""From which commit a workload was made: read where its own annotation says, also of what Argo CD brought (B13)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planner.app.lane.cluster_evidence import ClusterEvidenceReader
from planner.app.lane.lane_parts import LaneParts
from planner.resource import PROVENANCE, ROLE
from planner.rollout import lane_evidence as names
from planner.rollout.lane_verdict import judge_lane
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.unit.kubernetes.world import deployment
from tests.unit.rollout.lanes import COMMIT, OTHER, lane

WHERE = "spec.template.spec.containers[name=main].env[name=SOURCE].value"
MARKED = {ROLE: "runtime", PROVENANCE: WHERE}


def _reading(folder: Path, annotations: dict[str, str], commit: str = COMMIT) -> Any:
    """What is read of a workload that no template of hwplan declares."""
    create_empty_snapshot(folder, name="sandbox", namespaces=["shop"])
    live = deployment("api", "shop", replicas=1)
    live["metadata"]["annotations"] = annotations
    (container,) = live["spec"]["template"]["spec"]["containers"]
    container |= {"name": "main", "env": [{"name": "SOURCE", "value": commit}]}
    open_snapshot(folder).add(live, manager="argocd-controller")
    reader = ClusterEvidenceReader(open_snapshot(folder), LaneParts(), lambda: "now")
    return reader.workloads({("Deployment", "shop", "api"): ()})[names.WORKLOAD + "Deployment/api"]


CASES: dict[str, tuple[dict[str, str], str, bool | None]] = {
    "the target": (MARKED, COMMIT, True),
    "another commit": (MARKED, OTHER, False),
    "no role": ({PROVENANCE: WHERE}, COMMIT, None),
    "nothing declared: not counted": ({}, OTHER, None),
    "a field that is not there": ({ROLE: "runtime", PROVENANCE: "spec.nobody"}, COMMIT, None),
    "no path": ({ROLE: "runtime", PROVENANCE: "spec[["}, COMMIT, None),
}


@pytest.mark.parametrize("case", CASES)
def test_a1_manager_source_matches_expected(case: str, tmp_path: Path) -> None:
    annotations, commit, expected = CASES[case]
    found = _reading(tmp_path, annotations, commit)
    evidence = lane({names.WORKLOAD + "Deployment/api": {**found.value, "images": {}, "complete": True}})
    verdict = judge_lane(evidence)
    assert verdict.manager_source_matches_expected is expected
    counted = [one for one in verdict.blockers if "source of Deployment/api" in one.equation]
    declared = annotations.keys() >= MARKED.keys()
    assert bool(counted) is (declared and expected is not True)
    if counted and expected is None:
        assert counted[0].code == "unreadable" and annotations[PROVENANCE] in counted[0].reason
