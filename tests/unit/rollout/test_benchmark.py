"""The verdict on a benchmark, case by case: tasks, phases, proxy, families."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from planner.rollout.ci_build_benchmark_verdict import (
    BenchmarkPipelineRun,
    FailedTask,
    benchmark_failure_family,
    judge_ci_build_benchmark,
)
from planner.rollout.metrics_verdicts import ProxyClientTraffic
from planner.values import JsonObject


@dataclass(frozen=True)
class Part:
    """A phase or a family of a profile."""

    tasks: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    log: str | None = None


PHASES = {"fetch": Part(("fetch",)), "push": Part(("build-*",), ("publish",))}
FAMILIES = {
    "download": Part(("build-*",), (), "(?i)502|reset"),
    "publish": Part((), ("publish",)),
    "build": Part(("build-*",)),
}
SEEN = ProxyClientTraffic("ci", 60.0, 100.0, 6000.0, "p")


def _task(name: str, seconds: float | None = 5.0, *, state: str = "succeeded") -> JsonObject:
    times = {} if seconds is None else {"seconds": seconds}
    return {"task": name, "state": state, **times, "steps": [{"name": "publish", **times}]}


RUN = BenchmarkPipelineRun(
    {"state": "succeeded", "taskRuns": [_task("fetch"), _task("build-a"), _task("build-b", 7.0)]},
    ("build-a", "build-b"),
    traffic=SEEN,
)


def _judged(run: BenchmarkPipelineRun, *, required: bool = True) -> tuple[str, str, bool | None]:
    found = judge_ci_build_benchmark(run, PHASES, FAMILIES, proxy_required=required)
    return found.state, found.family, found.proxied


def test_it_passes_with_every_task_every_phase_and_the_proxy() -> None:
    assert _judged(RUN) == ("passed", "", True)
    assert judge_ci_build_benchmark(RUN, PHASES, FAMILIES, proxy_required=True).phases == {"fetch": 5.0, "push": 12.0}


@pytest.mark.parametrize(
    ("traffic", "required", "wanted"),
    [
        (None, True, ("inconclusive", "proxy-evidence-missing", None)),
        (replace(SEEN, rate=None, total=None), True, ("inconclusive", "proxy-evidence-missing", None)),
        (replace(SEEN, rate=0.0, total=0.0), True, ("failed", "traffic-not-through-proxy", False)),
        (None, False, ("passed", "", None)),
        (replace(SEEN, rate=0.0, total=0.0), False, ("passed", "", False)),
    ],
)
def test_proxy_evidence(
    traffic: ProxyClientTraffic | None, required: bool, wanted: tuple[str, str, bool | None]
) -> None:
    assert _judged(replace(RUN, traffic=traffic), required=required) == wanted


def test_a_task_that_did_not_run_is_a_cache_hit_and_a_phase_without_time_fails() -> None:
    tasks = RUN.outputs["taskRuns"]
    assert _judged(replace(RUN, outputs={**RUN.outputs, "taskRuns": tasks[:2]})) == (
        "failed",
        "cache-hit-forbidden",
        True,
    )
    silent = [*tasks[:2], _task("build-b", None)]
    assert _judged(replace(RUN, outputs={**RUN.outputs, "taskRuns": silent}))[1] == "timing-phase-missing"


@pytest.mark.parametrize(("state", "wanted"), [("running", "pending"), ("pending", "pending"), ("aborted", "failed")])
def test_a_run_that_did_not_succeed(state: str, wanted: str) -> None:
    assert _judged(replace(RUN, outputs={"state": state}))[0] == wanted


@pytest.mark.parametrize(
    ("failure", "wanted"),
    [
        (FailedTask("build-a", "publish", ("GET x: 502 Bad Gateway",)), "download"),
        (FailedTask("build-a", "publish", ("no such file",)), "publish"),
        (FailedTask("build-a", "run", ("no such file",)), "build"),
        (FailedTask("fetch", "run"), "unsorted"),
        (None, "unsorted"),
    ],
)
def test_the_first_family_that_fits(failure: FailedTask | None, wanted: str) -> None:
    assert benchmark_failure_family(failure, FAMILIES) == wanted
