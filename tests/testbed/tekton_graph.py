"""The order of tasks in a Tekton pipeline: which are due, which are skipped and why, and how many are over. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.testbed.tekton_references import Values, filled, results_in
from tests.testbed.tekton_tasks import condition_of, is_done

Document = dict[str, Any]
_WHEN = "When Expressions evaluated to false"
_STOPPED = {"CancelledRunFinally": "PipelineRun was gracefully cancelled",
            "StoppedRunFinally": "PipelineRun was gracefully stopped"}  # fmt: skip


@dataclass(frozen=True)
class Skip:
    """A task that is not run, and why."""

    task: str
    reason: str
    when: tuple[Document, ...] = ()


@dataclass(frozen=True)
class Next:
    """What comes next: tasks with what they are a member of; `stopping` while others still run after a failure."""

    due: tuple[tuple[str, Document], ...]
    skipped: tuple[Skip, ...]
    finally_begins: bool
    stopping: bool


@dataclass(frozen=True)
class Pipeline:
    """The spec of a pipeline."""

    spec: Document

    @cached_property
    def dag(self) -> Mapping[str, Document]:
        """Its tasks, without those of `finally`, by name."""
        return {task["name"]: task for task in self.spec.get("tasks") or ()}

    @cached_property
    def last(self) -> Mapping[str, Document]:
        """Its tasks of `finally`."""
        return {task["name"]: task for task in self.spec.get("finally") or ()}

    def next(self, children: Mapping[str, Document], values: Values, wanted: str) -> Next:
        """What comes next, given the TaskRuns so far, and `spec.status` of the run."""
        failed = any(_has_failed(children[name]) for name in self.dag if name in children)
        halted = failed or wanted in _STOPPED
        skips = {one.task: one for one in self._skips(children, values, wanted, failed)}
        due = [] if halted else [task for name, task in self.dag.items() if self._is_due(task, children, skips)]
        runs = any(name in children and not is_done(children[name]) for name in self.dag)
        left = due or any(name not in children and name not in skips for name in self.dag)
        begins = not runs and not left
        last = [task for name, task in self.last.items() if begins and name not in children]
        members = [*(("tasks", task) for task in due), *(("finally", task) for task in last)]
        return Next(tuple(members), tuple(skips.values()), begins and bool(self.last), failed and runs)

    def needs(self, task: Document) -> frozenset[str]:
        """The tasks that stand before a task."""
        sources = (source for source, _ in results_in([task.get("params"), task.get("when")]))
        return frozenset((*(task.get("runAfter") or ()), *sources))

    def _is_due(self, task: Document, children: Mapping[str, Document], skips: Mapping[str, Skip]) -> bool:
        if task["name"] in children or task["name"] in skips:
            return False
        return all(need in skips or (need in children and is_done(children[need])) for need in self.needs(task))

    def _skips(self, children: Mapping[str, Document], values: Values, wanted: str, failed: bool) -> Iterator[Skip]:
        over: set[str] = {name for name in self.dag if name in children and is_done(children[name])}
        for name, task in self.dag.items():
            if name in children:
                continue
            if failed or wanted in _STOPPED:
                yield Skip(name, "PipelineRun was stopping" if failed else _STOPPED[wanted])
                continue
            if not self.needs(task) <= over:
                continue
            when = tuple(task.get("when") or ())
            if when and not all(_holds(filled(one, values)) for one in when):
                over.add(name)
                yield Skip(name, _WHEN, when)
            elif values.lacks([task.get("params"), when]):
                over.add(name)
                yield Skip(name, "Results were missing")


def _holds(when: Document) -> bool:
    return bool(when["input"] in when["values"]) == bool(when["operator"] == "in")


def _has_failed(child: Document) -> bool:
    condition = condition_of(child)
    return condition.get("status") == "False" and condition["reason"] not in ("FailureIgnored", "TaskRunCancelled")


@dataclass(frozen=True)
class Counts:
    """How many tasks are over, in which way."""

    succeeded: int
    failed: int
    ignored: int
    cancelled: int
    skipped: int
    incomplete: int

    @property
    def running_text(self) -> str:
        """As the condition of a running run has it."""
        return f"{self._completed(self.failed)}, Incomplete: {self.incomplete}, Skipped: {self.skipped}"

    @property
    def final_text(self) -> str:
        """As the condition of a run that is over has it."""
        failed = f"{self.failed + self.ignored} (Ignored: {self.ignored})" if self.ignored else str(self.failed)
        return f"{self._completed(failed)}, Skipped: {self.skipped}"

    def _completed(self, failed: object) -> str:
        total = self.succeeded + self.failed + self.ignored + self.cancelled
        return f"Tasks Completed: {total} (Failed: {failed}, Cancelled {self.cancelled})"


def counts(pipeline: Pipeline, children: Mapping[str, Document], skipped: tuple[Skip, ...]) -> Counts:
    """Count the tasks of a pipeline."""
    over = [condition_of(child) for child in children.values() if is_done(child)]
    bad = [one["reason"] for one in over if one["status"] == "False"]
    ignored, cancelled = bad.count("FailureIgnored"), bad.count("TaskRunCancelled")
    left = len(pipeline.dag) + len(pipeline.last) - len(over) - len(skipped)
    return Counts(len(over) - len(bad), len(bad) - ignored - cancelled, ignored, cancelled, len(skipped), left)
