"""A run that was killed while a Job ran that deletes itself (ttlSecondsAfterFinished): resumed, it runs no Job twice
and tells how it ended, by the Events of the real Job controller."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hwplan import Hwplan
from tests.testbed.cluster import TestCluster

PATIENCE = 120.0  # seconds that a busy machine gets to finish a Job and take it away
SET = """\
apiVersion: batch/v1
kind: Job
metadata: {{name: once, namespace: {ns}}}
spec:
  ttlSecondsAfterFinished: 1
  backoffLimit: 0
  template:
    metadata: {{labels: {{{label}}}}}
    spec: {{restartPolicy: Never, containers: [{{name: c, image: "example.org/once:1"}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: after, namespace: {ns}, annotations: {{hwplan.dev/depends-on: Job.batch/{ns}/once}}}}
"""
ENDS = ("Completed", "BackoffLimitExceeded")


def _ends(cluster: TestCluster, namespace: str) -> list[str]:
    """How the Jobs of the namespace ended, one entry for each that ran."""
    found = json.loads(cluster.run_kubectl("get", "events", "-n", namespace, "-o", "json").stdout)["items"]
    return sorted(one["reason"] for one in found if one["reason"] in ENDS and one["involvedObject"]["kind"] == "Job")


def _wait_until_gone(cluster: TestCluster, namespace: str) -> None:
    until = time.monotonic() + PATIENCE
    while cluster.run_kubectl("get", "jobs", "-n", namespace, "-o", "name").stdout.strip() or not _ends(
        cluster, namespace
    ):
        assert time.monotonic() < until, "the Job did not end, or was not taken away"
        time.sleep(0.3)


@pytest.fixture
def live(cluster: TestCluster, tmp_path: Path) -> Hwplan:
    """The command against a cluster with controllers."""
    return Hwplan(tmp_path, ("--kubeconfig", str(cluster.kubeconfig), "--state", str(tmp_path / "state.db")))


@pytest.fixture
def killed(cluster: TestCluster, namespace: str, live: Hwplan, request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The words of a set whose apply was killed right after it had made its Job, which is gone by now."""
    point, label = request.param
    (live.folder / "set.yaml").write_text(SET.format(ns=namespace, label=label))
    words = ("-f", "set.yaml", "--name", namespace)
    live("apply", *words, "--confirm", code=-signal.SIGKILL, env={"HWPLAN_FAILPOINT": f"{point}=kill"})
    _wait_until_gone(cluster, namespace)
    return words


def _result_of_job(ran: Any) -> tuple[str, str]:
    node = next(one for one in ran.json["nodes"] if one["address"].startswith("Job"))
    return node["result"], node["message"]


@pytest.mark.parametrize(
    "killed", [("node.effected", "app: a"), ("node.applied", "app: a"), ("node.wait", "app: a")], indirect=True
)
def test_a_job_that_ended_well_is_not_run_again(
    killed: tuple[str, ...], cluster: TestCluster, namespace: str, live: Hwplan
) -> None:
    planned = live("plan", *killed).out
    assert "which was interrupted; it ended well and deleted itself. This plan makes it anew" in planned
    assert _result_of_job(live("apply", "--resume", "--confirm", "--json"))[0] == "unchanged"
    assert _ends(cluster, namespace) == ["Completed"], "it ran once"
    assert cluster.run_kubectl("get", "configmap", "after", "-n", namespace).returncode == 0
    live.empty(*killed)


@pytest.mark.parametrize(
    "killed", [("node.effected", "testbed.hwplan/pod: fail"), ("node.wait", "testbed.hwplan/pod: fail")], indirect=True
)
def test_a_job_that_failed_is_not_done_nor_run_again(
    killed: tuple[str, ...], cluster: TestCluster, namespace: str, live: Hwplan
) -> None:
    result, message = _result_of_job(live("apply", "--resume", "--confirm", "--json", code=1))
    assert result == "failed" and "run 1, which was interrupted; it is gone" in message and ENDS[1] in message
    assert _ends(cluster, namespace) == ["BackoffLimitExceeded"], "it ran once"
    assert cluster.run_kubectl("get", "configmap", "after", "-n", namespace).returncode != 0
