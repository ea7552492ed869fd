"""The verdict on a benchmark from real runs: TaskRuns of the stand-in for Tekton on the real API server (S11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from planner.app.lane.cluster_evidence import ClusterEvidenceReader
from planner.app.lane.lane_parts import LaneParts, LaneRunLocation
from planner.events import ChangeResult
from planner.rollout.ci_build_benchmark_verdict import (
    LABEL,
    BenchmarkPipelineRun,
    BenchmarkVerdict,
    judge_ci_build_benchmark,
)
from planner.rollout.metrics_verdicts import ProxyClientTraffic
from planner.values import JsonObject
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.operations import tekton_run_state
from tests.integration.tekton_world import Runs, end_of, task
from tests.testbed.cluster import TestCluster
from tests.testbed.tekton import Tekton

pytestmark = pytest.mark.timeout(180)
SEEN = ProxyClientTraffic("ci", 60.0, 100.0, 6000.0, "p")
WANTED = ("build-api", "build-web")


@dataclass(frozen=True)
class Part:
    """A phase or a family of a profile."""

    tasks: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    log: str | None = None


PHASES = {"fetch": Part(("fetch",)), "build": Part(("build-*",)), "publish": Part(("build-*",), ("run",))}


@pytest.fixture
def runs(cluster: TestCluster, tekton: Tekton, namespace: str) -> Iterator[Runs]:
    tekton.enable(namespace)
    found = Runs(cluster, namespace)
    yield found
    found.close()


def _run(runs: Runs, tasks: list[JsonObject], *, benchmark: str = "full") -> None:
    ended = runs.apply(runs.wanted(tasks, metadata={"labels": {LABEL: benchmark}}))
    assert end_of(ended).result is ChangeResult.DONE


def _read(runs: Runs, benchmark: str) -> list[tuple[JsonObject, JsonObject]]:
    """Runs of a profile with their outputs, as `hwplan benchmark status` reads them."""
    live = LiveCluster(resolve_connection_settings(str(runs.cluster.kubeconfig), environ={}))
    runs.opened.append(live)
    reader = ClusterEvidenceReader(
        live, LaneParts(runs=(LaneRunLocation(runs.namespace, benchmark=benchmark),)), lambda: "now"
    )
    found, problem = reader.runs()
    assert not problem
    return [(one, tekton_run_state.pipeline_run_outputs(one, reader.task_runs(one)[0])) for one in found]


def _judged(runs: Runs, traffic: ProxyClientTraffic | None) -> BenchmarkVerdict:
    ((_, outputs),) = _read(runs, "full")
    return judge_ci_build_benchmark(
        BenchmarkPipelineRun(outputs, WANTED, traffic=traffic), PHASES, {}, proxy_required=True
    )


def test_with_every_build_task_it_is_the_proxy_that_decides(runs: Runs) -> None:
    _run(runs, [task("fetch"), task("build-api", runAfter=["fetch"]), task("build-web", runAfter=["fetch"])])
    assert _judged(runs, SEEN).state == "passed" and _judged(runs, SEEN).proxied is True
    assert all(seconds is not None for seconds in _judged(runs, SEEN).phases.values())
    without = _judged(runs, None)
    assert (without.state, without.family, without.proxied) == ("inconclusive", "proxy-evidence-missing", None)


def test_a_build_task_that_tekton_skips_is_a_cache_hit(runs: Runs) -> None:
    skipped = task("build-web", when=[{"input": "reuse", "operator": "in", "values": ["build"]}])
    _run(runs, [task("fetch"), task("build-api"), skipped])
    verdict = _judged(runs, SEEN)
    assert (verdict.state, verdict.family) == ("failed", "cache-hit-forbidden")
    assert verdict.reasons == ("not run: build-web",)


def test_a_benchmark_is_no_rollout_and_no_run_of_another_profile(runs: Runs) -> None:
    _run(runs, [task("fetch")])
    assert len(_read(runs, "full")) == 1
    assert _read(runs, "") == [] and _read(runs, "other") == []
