"""What counts as stuck around an Application (S13, R16, B15): a property over generated clusters, and tables."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from providers.kubernetes.operations.stuck_argo_resources import ApplicationWithWorkloads, find_stuck_argo_resources
from tests.unit.operations.argo_clusters import AFTER, APP, NOW, SPACE, Cluster, ago, made

CLUSTERS = 2_000


def _found(cluster: Cluster) -> set[str]:
    return {one.name for one in find_stuck_argo_resources(cluster.around(), AFTER, NOW).stuck}


def test_r16_no_plan_touches_a_healthy_one() -> None:
    """S13, R16: in 2,000 generated clusters exactly what was made stuck is found, and nothing else."""
    seen: Counter[str] = Counter()
    for seed in range(CLUSTERS):
        cluster = made(seed)
        assert _found(cluster) == cluster.stuck, seed
        found = find_stuck_argo_resources(cluster.around(), AFTER, NOW).stuck
        seen.update(one.what for one in found)
        assert all(one.uid and one.version and one.evidence for one in found)
    assert min(seen[what] for what in ("operation", "hook", "pod")) > CLUSTERS / 20, seen


def _application(started: float, **operation: Any) -> dict[str, Any]:
    state = {"phase": "Running", "startedAt": ago(started), "message": "waiting for completion of hook", **operation}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": APP, "namespace": "argocd", "uid": "u", "resourceVersion": "1"},
        "operation": {"sync": {}},
        "spec": {"destination": {"namespace": SPACE}},
        "status": {"operationState": state},
    }


@pytest.mark.parametrize(("age", "stuck"), [(599, False), (600, True), (86_400, True)])
def test_b15_an_operation_is_stuck_from_an_age_on(age: float, stuck: bool) -> None:
    """B15: older than `argo.stuckAfter`; the evidence says since when."""
    found = find_stuck_argo_resources(ApplicationWithWorkloads(_application(age)), AFTER, NOW)
    assert bool(found.stuck) is stuck
    if stuck:
        (one,) = found.stuck
        assert one.evidence == f"Running since {ago(age)}, and no hook of it runs: waiting for completion of hook"
    else:
        assert found.left_alone == (f"a sync has been running since {ago(age)}: not touched before 600s",)


def test_r16_a_hook_that_this_cannot_judge_counts_as_running() -> None:
    """R16: a Workflow as a hook: nobody here knows whether it runs, so the operation is not terminated."""
    hook = {"kind": "Workflow", "namespace": SPACE, "name": "w", "hookType": "Sync", "hookPhase": "Running"}
    found = find_stuck_argo_resources(
        ApplicationWithWorkloads(_application(5000, syncResult={"resources": [hook]})), AFTER, NOW
    )
    assert not found.stuck and found.left_alone == (f"the sync waits for Workflow/{SPACE}/w, which runs: not touched",)


def test_a_time_that_is_none_is_no_evidence() -> None:
    """An operation that does not say since when it runs is left alone."""
    assert not find_stuck_argo_resources(ApplicationWithWorkloads(_application(0, startedAt="soon")), AFTER, NOW).stuck
