"""Looking at a Tekton run until it is over: what is awaited, what was seen last, and what it came to.

A run is determined by its uid (R3): another one of its name is not waited for. Looks are limited to one request a
second, so that waiting costs the server little; an answer that is younger than that is given again. Looks are
independent requests, so that an API server that restarts, or a connection that breaks, costs one look and no more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import field

from planner.dataclass import dataclass
from planner.duration import render_duration
from planner.errors import ProviderError, TemporaryError
from planner.ports import Readiness
from planner.rfc3339 import seconds_between
from planner.values import JsonObject
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.kubernetes.operations.tekton_run_failure import tekton_failure_lines
from providers.kubernetes.operations.tekton_run_state import (
    ENDED,
    evidence_missing_in_successful_run,
    pipeline_run_outputs,
    pipeline_run_state,
    succeeded_condition_text,
    task_run_state,
    task_runs_by_task,
)
from providers.kubernetes.operations.wanted_pipeline_run import WantedPipelineRun

_PAUSE = 1.0  # seconds between requests while it runs
_TASK_EVERY = 4  # of so many looks, one is at the TaskRun that runs
AGAIN = "hwplan trigger --rerun runs it again under this name"


@dataclass(slots=True)
class TektonRunWatch:
    """Watches one Tekton run until it is over. `uid` is empty while only its name is known."""

    cluster: Cluster
    kinds: tuple[ServedKubernetesKind, ServedKubernetesKind]  # PipelineRun, TaskRun
    wanted: WantedPipelineRun
    uid: str
    clock: Callable[[], float] = time.monotonic
    _last: Readiness | None = None
    _live: JsonObject | None = None
    _looked: float = 0.0
    _looks: int = 0
    _over: dict[str, JsonObject] = field(default_factory=dict)  # TaskRuns that are over, by task
    _task: str = ""  # what was seen of the TaskRun that runs
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> Readiness:
        """How it stands. Raises nothing that will pass: that is reported as not known now."""
        with self._lock:
            now = self.clock()
            if self._last is not None and (self._last.done or now - self._looked < _PAUSE):
                return self._last
            self._looked = now
            try:
                self._last = self._read()
            except TemporaryError as error:
                return Readiness(done=False, ok=False, message=f"cannot be looked at now: {error.message}")
            except ProviderError as error:
                self._last = _ended("errored", f"cannot be looked at: {error.message}")
            return self._last

    def _read(self) -> Readiness:
        self._looks += 1
        if self._looks % _TASK_EVERY == 0 and self._live is not None and (task := self._unfinished(self._live)):
            return self._look_at_task(self._live, *task)
        live = self.cluster.get(self.kinds[0], self.wanted.namespace, self.wanted.name)
        if live is None or (self.uid and str(live["metadata"]["uid"]) != self.uid):
            became = "is gone" if live is None else "was replaced by another of its name"
            return _ended("errored", f"the run that was started {became}")
        self._live = live
        return self._conclude(live) if pipeline_run_state(live) in ENDED else self._waits(live)

    def _waits(self, live: JsonObject) -> Readiness:
        began = (live.get("status") or {}).get("startTime")
        since = f" since {began}" if began else ""
        seen = f"{pipeline_run_state(live)}{since}: {succeeded_condition_text(live)}"
        return Readiness(done=False, ok=False, message=f"{seen}; {self._task}" if self._task else seen)

    def _unfinished(self, live: JsonObject) -> tuple[str, str] | None:
        """Task and name of the TaskRun that began first of those that may still run."""
        return next(((task, name) for task, name in task_runs_by_task(live).items() if task not in self._over), None)

    def _look_at_task(self, live: JsonObject, task: str, name: str) -> Readiness:
        found = self.cluster.get(self.kinds[1], self.wanted.namespace, name)
        if found is not None and task_run_state(found) in ("succeeded", "failed", "aborted"):
            self._over[task] = found
        self._task = f"{task}: {succeeded_condition_text(found)}" if found is not None else ""
        return self._waits(live)

    def _conclude(self, live: JsonObject) -> Readiness:
        task_runs = self._task_runs(live)
        outputs, state = pipeline_run_outputs(live, task_runs), pipeline_run_state(live)
        if state == "succeeded":
            missing = tuple(evidence_missing_in_successful_run(live, self.wanted.evidence, task_runs))
            if not missing:
                return Readiness(True, True, outputs=outputs, warnings=warn_of_run_over_time_budget(live, self.wanted))
            return _ended("inconclusive", "; ".join(missing), outputs=outputs)
        why = tekton_failure_lines(self.cluster, self.wanted.namespace, task_runs)
        return _ended(state, succeeded_condition_text(live), *why, outputs=outputs)

    def _task_runs(self, live: JsonObject) -> Mapping[str, JsonObject]:
        found: dict[str, JsonObject] = {}
        for task, name in task_runs_by_task(live).items():
            one = self._over.get(task) or self.cluster.get(self.kinds[1], self.wanted.namespace, name)
            if one is not None:
                found[task] = self._over[task] = one
        return found


def _ended(state: str, words: str, *more: str, outputs: JsonObject | None = None) -> Readiness:
    message = "\n".join((f"{state}: {words}; {AGAIN}", *more))
    return Readiness(done=True, ok=False, message=message, outputs=outputs or {"state": state})


def warn_of_run_over_time_budget(live: JsonObject, wanted: WantedPipelineRun) -> tuple[str, ...]:
    """A warning when a run that is over took longer than it may (R12)."""
    status = live.get("status") or {}
    spent = seconds_between(status.get("startTime"), status.get("completionTime"))
    if wanted.budget is None or spent is None or spent <= wanted.budget:
        return ()
    return (f"pipeline-run-over-budget: took {render_duration(spent)}, {render_duration(wanted.budget)} are allowed",)
