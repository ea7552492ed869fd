"""Which run a commit needs: made once, and anew when another commit was promoted after it. Tables, pure."""

from __future__ import annotations

from typing import Any

import pytest

from planner.app.lane_pipeline_runs import LanePipelineRuns
from planner.errors import StalePlan
from planner.values import JsonObject

A, B = "a" * 40, "b" * 40


def run(commit: str, minute: int, state: str = "True", hold: str = "") -> JsonObject:
    at = f"2026-11-22T09:{minute:02}:00Z"
    condition = {"type": "Succeeded", "status": state, "lastTransitionTime": at}
    params: list[Any] = [{"name": "source-commit", "value": commit}]
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": f"poll-{commit[:12]}", "uid": f"{commit[0] * 8}-{minute}", "creationTimestamp": at},
        "spec": {"params": [*params, {"name": "hold", "value": hold}] if hold else params},
        "status": {"conditions": [condition]},
    }


# The runs that there are; the parameter and whether the run of A is made anew: without a hold, and with one.
CASES: dict[str, tuple[list[JsonObject], tuple[str, bool], tuple[str, bool]]] = {
    "none": ([], ("", False), ("at:first", False)),
    "only another one": ([run(B, 1)], ("", False), ("at:bbbbbbbb", False)),
    "it is the last": ([run(B, 1), run(A, 2)], ("", False), ("", False)),
    "it is at work": ([run(B, 1), run(A, 2, "Unknown")], ("", False), ("at:bbbbbbbb", True)),
    "it failed": ([run(B, 1), run(A, 2, "False")], ("", False), ("at:bbbbbbbb", True)),
    "another was promoted after it": ([run(A, 1), run(B, 2)], ("after:bbbbbbbb", True), ("at:bbbbbbbb", True)),
    "another failed after it": ([run(A, 1), run(B, 2, "False")], ("", False), ("", False)),
    "held, and the last": ([run(B, 1), run(A, 2, hold="at:x")], ("at:x", False), ("at:x", False)),
    "held, and it failed": ([run(B, 1), run(A, 2, "False", "at:x")], ("at:x", False), ("at:x", False)),
    "made anew, and the last": ([run(B, 1), run(A, 2, hold="after:x")], ("after:x", False), ("after:x", False)),
}


@pytest.mark.parametrize("name", CASES)
def test_r9_which_run_a_commit_needs(name: str) -> None:
    """R2, R9: decided from the runs alone, so that every machine plans the same and the same command finds its run."""
    runs, free, held = CASES[name]
    found = LanePipelineRuns("poll", tuple(runs))
    assert (found.key(A, held=False), found.key(A, held=True)) == (free, held)


def test_r9_of_two_runs_made_within_a_second_the_version_says_which_came_later() -> None:
    """Times are of whole seconds; in a sandbox two rollouts fit into one."""
    older, newer = run(A, 1), run(B, 1)
    older["metadata"]["resourceVersion"], newer["metadata"]["resourceVersion"] = "99", "100"
    for order in ((older, newer), (newer, older)):
        assert LanePipelineRuns("poll", order).key(A, held=True) == ("at:bbbbbbbb", True)
        assert LanePipelineRuns("poll", order).key(B, held=False) == ("", False)


def test_r8_a_run_at_work_would_promote_over_an_older_commit() -> None:
    """R8: nothing is held while another one is at work; our own run is no other one."""
    LanePipelineRuns("poll", (run(A, 1, "Unknown"), run(B, 2))).refuse_others(A)
    with pytest.raises(StalePlan, match=f"poll-{B[:12]} is at work and would promote over it"):
        LanePipelineRuns("poll", (run(A, 1), run(B, 2, "Unknown"))).refuse_others(A)
