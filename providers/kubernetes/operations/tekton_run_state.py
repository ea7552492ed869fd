"""What a Tekton PipelineRun has come to, and the outputs of it. Pure.

Words (R4): `pending` (nobody took it up), `running`, and at the end `succeeded`, `failed` (what was built is wrong),
`aborted` (somebody or a time-out of Tekton stopped it), `errored` (it could not be run, so nothing can be determined).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planner.rfc3339 import seconds_between
from planner.values import Json, JsonObject
from providers.kubernetes.operations.tekton_run_images import images_built_by_run

_ABORTED: Final = frozenset(("Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunTimeout"))
_TASK_ABORTED: Final = frozenset(("TaskRunCancelled", "TaskRunTimeout"))
ENDED: Final = frozenset(("succeeded", "failed", "aborted", "errored"))


def succeeded_condition(live: JsonObject) -> JsonObject:
    """The condition Succeeded of a Tekton run; empty when it has none yet."""
    found = (live.get("status") or {}).get("conditions") or ()
    return next((one for one in found if isinstance(one, dict) and one.get("type") == "Succeeded"), {})


def pipeline_run_state(live: JsonObject) -> str:
    """The state of a PipelineRun in one word; see the module."""
    condition = succeeded_condition(live)
    match condition.get("status"):
        case "True":
            return "succeeded"
        case "False":
            reason = condition.get("reason")
            return "failed" if reason == "Failed" else "aborted" if reason in _ABORTED else "errored"
        case None:
            return "pending"
        case _:
            return "running"


def succeeded_condition_text(live: JsonObject) -> str:
    """`Reason: message` of a run's condition Succeeded."""
    condition = succeeded_condition(live)
    parts = [str(condition[key]).strip() for key in ("reason", "message") if condition.get(key)]
    return ": ".join(dict.fromkeys(parts)) or "no controller has picked it up yet"


def tekton_results(live: JsonObject) -> dict[str, Json]:
    """The results of a Tekton PipelineRun or TaskRun, by name."""
    entries = (live.get("status") or {}).get("results") or ()
    return {str(one["name"]): one.get("value") for one in entries if isinstance(one, dict) and "name" in one}


def task_runs_by_task(live: JsonObject) -> dict[str, str]:
    """Its TaskRuns: name of the pipeline's task -> name of the TaskRun, in the order in which they began."""
    entries = (live.get("status") or {}).get("childReferences") or ()
    runs = (one for one in entries if isinstance(one, dict) and one.get("kind") == "TaskRun")
    return {str(one.get("pipelineTaskName")): str(one.get("name")) for one in runs}


def pipeline_run_outputs(live: JsonObject, task_runs: Mapping[str, JsonObject] | None = None) -> JsonObject:
    """All outputs of a PipelineRun; `taskRuns` only when the TaskRuns are given, by the name of the pipeline's task."""
    metadata, status, results = live["metadata"], live.get("status") or {}, tekton_results(live)
    outputs: JsonObject = {
        **results,
        "run": str(metadata["name"]),
        "namespace": str(metadata.get("namespace", "")),
        "uid": str(metadata["uid"]),
        "state": pipeline_run_state(live),
        "reason": str(succeeded_condition(live).get("reason") or ""),
        "results": results,
        "images": images_built_by_run(results),
        **_times(status),
    }
    if task_runs is not None:
        outputs["taskRuns"] = [_task_run(task, one) for task, one in task_runs.items()]
    return outputs


def _times(status: JsonObject) -> JsonObject:
    times: JsonObject = {key: status[key] for key in ("startTime", "completionTime") if status.get(key)}
    spent = seconds_between(status.get("startTime"), status.get("completionTime"))
    return times if spent is None else {**times, "seconds": spent}


def _task_run(task: str, live: JsonObject) -> JsonObject:
    """Times of one TaskRun: how long it took, and how much of that before its first step began (R12)."""
    status, condition = live.get("status") or {}, succeeded_condition(live)
    first = min((str(began) for step in task_run_steps(live) if (began := _ended(step).get("startedAt"))), default=None)
    queued = seconds_between(status.get("startTime"), first)
    shown: JsonObject = {
        "task": task,
        "name": str(live["metadata"]["name"]),
        "state": task_run_state(live),
        "reason": str(condition.get("reason") or ""),
        **_times(status),
        "steps": [_step(step) for step in task_run_steps(live)],
    }
    if images := images_built_by_run(tekton_results(live)):
        shown["images"] = images
    return shown if queued is None else {**shown, "queueSeconds": queued}


def task_run_state(live: JsonObject) -> str:
    """The state of a TaskRun in one word; see the module."""
    condition = succeeded_condition(live)
    if condition.get("status") == "False":
        return "aborted" if condition.get("reason") in _TASK_ABORTED else "failed"
    return {"True": "succeeded", None: "pending"}.get(condition.get("status"), "running")


def task_run_steps(live: JsonObject) -> Sequence[JsonObject]:
    """The steps of a TaskRun as its status has them."""
    return [one for one in (live.get("status") or {}).get("steps") or () if isinstance(one, dict)]


def _ended(step: JsonObject) -> JsonObject:
    found = step.get("terminated")
    return found if isinstance(found, dict) else {}


def _step(step: JsonObject) -> JsonObject:
    ended = _ended(step)
    shown: JsonObject = {"name": str(step.get("name"))}
    if "exitCode" in ended:
        shown["exitCode"] = ended["exitCode"]
    spent = seconds_between(ended.get("startedAt"), ended.get("finishedAt"))
    return shown if spent is None else {**shown, "seconds": spent}


def evidence_missing_in_successful_run(
    live: JsonObject, evidence: JsonObject, task_runs: Mapping[str, JsonObject]
) -> Iterator[str]:
    """What a run that succeeded does not show (R10). Of TaskRuns that are not given, only whether they ran is
    reported."""
    ran = task_runs_by_task(live)
    for task in evidence.get("taskRuns") or ():
        if task not in ran:
            yield f"cache-hit-forbidden: no TaskRun of {task}"
        elif task in task_runs and task_run_state(task_runs[task]) != "succeeded":
            yield f"the TaskRun of {task} has not succeeded"
    results = tekton_results(live)
    for name in evidence.get("results") or ():
        if not results.get(name):
            yield f"no result {name}"
