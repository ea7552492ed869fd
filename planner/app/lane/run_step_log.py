"""The log of a step of a named run (decision A12): bounded, redacted, and "the pod is gone" said."""

from __future__ import annotations

from collections.abc import Mapping

from planner.app.lane.cluster_evidence import ClusterEvidenceReader
from planner.app.lane.lane_parts import lane_parts
from planner.app.request import Request
from planner.app.session import open_session
from planner.errors import SelectionError
from planner.loading.problems import did_you_mean
from planner.values import JsonObject
from providers.kubernetes.operations.tekton_run_failure import read_last_lines_of_step
from providers.kubernetes.operations.tekton_run_state import task_run_state, task_run_steps

_LINES = 200


def read_step_log_of_named_run(request: Request, run: str, wanted: str) -> tuple[str, tuple[str, ...]]:
    """Read the log of a step of the PipelineRun with this name: a headline and the last lines. `wanted` is
    `TASK/STEP`, `TASK`, or "" for the step that failed, else the last one. Raises SelectionError for a run, a task
    or a step that is not there."""
    with open_session(request) as session:
        subjects = lane_parts(session.stack.resources)
        reader = ClusterEvidenceReader(session.world.cluster, subjects, session.world.clock.now)
        runs, problem = reader.runs()
        live = next((one for one in runs if one["metadata"]["name"] == run), None)
        if live is None:
            why = problem or "there is no such run in the lane"
            raise SelectionError(why, where=f"--pipeline-run {run}", remedy="hwplan status")
        return read_step_log(reader, live, wanted)


def read_step_log(reader: ClusterEvidenceReader, live: JsonObject, wanted: str) -> tuple[str, tuple[str, ...]]:
    """Read the log of a step of a PipelineRun that was read already: a headline and the last lines."""
    tasks, problem = reader.task_runs(live)
    task, step = find_requested_tekton_step(tasks, wanted, problem)
    lines = read_last_lines_of_step(reader.cluster, str(live["metadata"]["namespace"]), tasks[task], step, _LINES)
    where = f"{live['metadata']['name']} · {task}/{step.get('name') or '-'}"
    return f"{where} · {task_run_state(tasks[task])}", lines or ("it wrote nothing",)


def find_requested_tekton_step(tasks: Mapping[str, JsonObject], wanted: str, problem: str) -> tuple[str, JsonObject]:
    """The task and the step that `wanted` (`TASK/STEP`, `TASK` or "") means; `problem` is why tasks may be missing.
    A task without steps, such as one that never began, gives an empty step. Raises SelectionError."""
    task, _, step = wanted.partition("/")
    if not tasks or (task and task not in tasks):
        remedy = did_you_mean(task, tasks) or f"one of: {', '.join(tasks) or 'none'}"
        raise SelectionError(problem or f"the run has no task {task}".rstrip(), where="--logs", remedy=remedy)
    failed = [one for one, live in tasks.items() if task_run_state(live) in ("failed", "aborted")]
    task = task or next(iter(failed), list(tasks)[-1])
    steps = task_run_steps(tasks[task])
    if not steps and not step:
        return task, {}
    named = [one for one in steps if not step or one.get("name") == step]
    if not named:
        names = [str(one.get("name")) for one in steps]
        remedy = did_you_mean(step, names) or f"one of: {', '.join(names) or 'none'}"
        raise SelectionError(f"the task {task} has no step {step}".rstrip(), where="--logs", remedy=remedy)
    return task, next((one for one in named if (one.get("terminated") or {}).get("exitCode")), named[-1])
