"""Whether a CI build benchmark passed, and what its failure is called (spec 02, S11; decisions A23, B19, B20).

Pure. A run that succeeded proves nothing by itself: each wanted task must have run, each declared phase must have a
time, and only what the proxy server itself counted says that the traffic went through it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Final, Protocol

from planner.dataclass import dataclass
from planner.rollout.metrics_verdicts import HOLDS, INCONCLUSIVE, ProxyClientTraffic
from planner.values import JsonObject

LABEL: Final = "hwplan.dev/benchmark"  # of a run: the name of its profile
CACHE_HIT: Final = "cache-hit-forbidden"
NO_PHASE: Final = "timing-phase-missing"
NOT_PROXIED: Final = "traffic-not-through-proxy"
NO_EVIDENCE: Final = "proxy-evidence-missing"
UNSORTED: Final = "unsorted"
EXIT_CODES: Final[Mapping[str, int]] = {"passed": 0, "failed": 1, "inconclusive": 2, "pending": 4}
_ENDED_BADLY = ("failed", "aborted", "errored")


class BenchmarkPhaseSteps(Protocol):
    """The tasks and steps of a PipelineRun whose times make up one phase of a benchmark."""

    @property
    def tasks(self) -> Sequence[str]: ...
    @property
    def steps(self) -> Sequence[str]: ...


class BenchmarkFailurePattern(Protocol):
    """The pattern of a family of failures: the tasks, steps and log that a failure of it has."""

    @property
    def tasks(self) -> Sequence[str]: ...
    @property
    def steps(self) -> Sequence[str]: ...
    @property
    def log(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class FailedTask:
    """The first task that failed: its name, its step ("" if none is to blame), and what both had to say."""

    task: str
    step: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchmarkPipelineRun:
    """What was read of the PipelineRun of a benchmark. `outputs` are those of the kind PipelineRun, with `taskRuns`."""

    outputs: JsonObject
    wanted: tuple[str, ...]
    failure: FailedTask | None = None
    traffic: ProxyClientTraffic | None = None


@dataclass(frozen=True, slots=True)
class BenchmarkVerdict:
    """`state` is `passed`, `failed`, `inconclusive` or `pending`; `family` what a bad end is called, `phases` seconds,
    None where the run shows none. `proxied` is None where nothing proves it: nothing is claimed then."""

    state: str
    family: str = ""
    reasons: tuple[str, ...] = ()
    phases: Mapping[str, float | None] = field(default_factory=dict)
    proxied: bool | None = None

    @property
    def exit_code(self) -> int:
        """0 passed, 1 failed, 2 inconclusive, 4 pending."""
        return EXIT_CODES[self.state]


def judge_ci_build_benchmark(
    run: BenchmarkPipelineRun,
    phases: Mapping[str, BenchmarkPhaseSteps],
    families: Mapping[str, BenchmarkFailurePattern],
    *,
    proxy_required: bool,
) -> BenchmarkVerdict:
    """Judge the PipelineRun of a CI build benchmark."""
    tasks: list[JsonObject] = list(run.outputs.get("taskRuns") or ())
    times = {name: _seconds(tasks, phase) for name, phase in phases.items()}
    proxied = {HOLDS: True, INCONCLUSIVE: None}.get(run.traffic.state, False) if run.traffic else None
    state = str(run.outputs.get("state"))
    if state in _ENDED_BADLY:
        return BenchmarkVerdict("failed", benchmark_failure_family(run.failure, families), _words(run), times, proxied)
    if state != "succeeded":
        return BenchmarkVerdict("pending", "", (f"the run is {state}",), times, proxied)
    ran = {str(one["task"]) for one in tasks if one.get("state") == "succeeded"}
    if skipped := [task for task in run.wanted if task not in ran]:
        return BenchmarkVerdict("failed", CACHE_HIT, (f"not run: {', '.join(skipped)}",), times, proxied)
    if silent := [name for name, seconds in times.items() if seconds is None]:
        return BenchmarkVerdict("failed", NO_PHASE, (f"no time of: {', '.join(silent)}",), times, proxied)
    if proxied is False and proxy_required:
        return BenchmarkVerdict("failed", NOT_PROXIED, ("the proxy server counted no bytes",), times, proxied)
    if proxied is None and proxy_required:
        why = run.traffic.reason if run.traffic else "the node declares no counter of its proxy server"
        return BenchmarkVerdict("inconclusive", NO_EVIDENCE, (why,), times, proxied)
    return BenchmarkVerdict("passed", "", (), times, proxied)


def benchmark_failure_family(failure: FailedTask | None, families: Mapping[str, BenchmarkFailurePattern]) -> str:
    """Classify a failed benchmark: the first family whose pattern it fits, in their order; `unsorted` where none
    does."""
    if failure is None:
        return UNSORTED
    return next((name for name, one in families.items() if _fits(failure, one)), UNSORTED)


def _fits(failure: FailedTask, family: BenchmarkFailurePattern) -> bool:
    """Whether all that the family says is so of the failure."""
    said = family.log is None or any(re.search(family.log, line) for line in failure.lines)
    return said and _in(failure.task, family.tasks) and _in(failure.step, family.steps)


def _in(name: str, globs: Iterable[str]) -> bool:
    wanted = tuple(globs)
    return not wanted or any(fnmatchcase(name, one) for one in wanted)


def _seconds(tasks: Sequence[JsonObject], phase: BenchmarkPhaseSteps) -> float | None:
    """The sum of the times of a phase; None when one of them, or all, are missing."""
    found = [one for one in tasks if _in(str(one["task"]), phase.tasks)]
    parts = [step for one in found for step in one.get("steps") or () if _in(str(step["name"]), phase.steps)]
    times = [one.get("seconds") for one in (parts if phase.steps else found)]
    known = [float(one) for one in times if one is not None]
    return sum(known) if known and len(known) == len(times) else None


def _words(run: BenchmarkPipelineRun) -> tuple[str, ...]:
    """Why the run ended badly: its reason, and where it failed."""
    reason = str(run.outputs.get("reason") or run.outputs.get("state"))
    if run.failure is None:
        return (reason,)
    where = f"task {run.failure.task}" + (f", step {run.failure.step}" if run.failure.step else "")
    return (f"{reason}: {where}", *run.failure.lines[-5:])
