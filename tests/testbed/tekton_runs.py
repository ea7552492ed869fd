"""What Tekton's controller makes of a PipelineRun: which TaskRuns come next, and its status. Pure; see `tekton.py`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.testbed.tekton_defaults import DEFAULT_TIMEOUT, seconds
from tests.testbed.tekton_graph import Pipeline, Skip, counts
from tests.testbed.tekton_references import Values, filled
from tests.testbed.tekton_tasks import ON_ERROR, is_done, owner, time_of, time_text, with_condition

Document = dict[str, Any]
_LONGEST, _DIGEST = 63, 32
CANCELLED = "TaskRun cancelled as the PipelineRun it belongs to has been cancelled."
TIMED_OUT = "TaskRun cancelled as the PipelineRun it belongs to has timed out."
STATUS_OF = {"CancelledRunFinally": "CancelledRunningFinally", "StoppedRunFinally": "StoppedRunningFinally"}


@dataclass(frozen=True)
class RunMove:
    """What is to be done next about a PipelineRun: TaskRuns to create, and to cancel with what is said of it."""

    status: Document | None = None
    create: tuple[Document, ...] = ()
    cancel: tuple[str, ...] = ()
    said: str = ""
    claims: tuple[Document, ...] = field(default=())


def child_name(parent: str, suffix: str) -> str:
    """The name of what a run makes: both names with a dash, a digest taking the place of what is too long."""
    suffix = f"-{suffix}"
    if len(parent) + len(suffix) <= _LONGEST:
        return parent + suffix
    head = _LONGEST - _DIGEST
    if head <= len(suffix):
        digest = hashlib.md5((parent + suffix).encode(), usedforsecurity=False).hexdigest()
        cut = parent[:head] + digest
        return cut + suffix[: max(0, _LONGEST - len(cut))]
    digest = hashlib.md5(parent.encode(), usedforsecurity=False).hexdigest()
    return parent[: head - len(suffix)] + digest + suffix


def judge(run: Document, pipeline: Pipeline, children: Mapping[str, Document], now: float) -> RunMove:
    """What comes next for a run of a pipeline, whose TaskRuns are given by the name of their pipeline task."""
    name, status = run["metadata"]["name"], dict(run.get("status") or {})
    wanted = run["spec"].get("status") or ""
    if is_done(run):
        return RunMove()
    if wanted == "PipelineRunPending":
        words = f'PipelineRun "{name}" is pending'
        return RunMove(with_condition(status, now, "Unknown", "PipelineRunPending", words))
    status.setdefault("startTime", time_text(now))
    status["pipelineSpec"] = pipeline.spec
    left = tuple(one["metadata"]["name"] for one in children.values() if _is_to_be_cancelled(one))
    if wanted == "Cancelled":
        done = with_condition(status, now, "False", "Cancelled", f'PipelineRun "{name}" was cancelled')
        return RunMove(done, cancel=left, said=CANCELLED)
    timeout = (run["spec"].get("timeouts") or {}).get("pipeline", DEFAULT_TIMEOUT)
    if now >= time_of(status["startTime"]) + seconds(timeout):
        words = f'PipelineRun "{name}" failed to finish within "{timeout}"'
        return RunMove(with_condition(status, now, "False", "PipelineRunTimeout", words), cancel=left, said=TIMED_OUT)
    return _go_on(run, pipeline, children, status, now)


def _is_to_be_cancelled(child: Document) -> bool:
    return not is_done(child) and child["spec"].get("status") != "TaskRunCancelled"


def _go_on(
    run: Document, pipeline: Pipeline, children: Mapping[str, Document], status: Document, now: float
) -> RunMove:
    wanted = run["spec"].get("status") or ""
    values = Values.of(run, pipeline.spec, children)
    plan = pipeline.next(children, values, wanted)
    create = tuple(_task_run(run, task, values, member, now) for member, task in plan.due)
    cancelled: tuple[str, ...] = ()
    if wanted == "CancelledRunFinally":
        dag = [children[name] for name in pipeline.dag if name in children]
        cancelled = tuple(one["metadata"]["name"] for one in dag if _is_to_be_cancelled(one))
    if plan.finally_begins:
        status.setdefault("finallyStartTime", time_text(now))
    status["childReferences"] = _references([*children.values(), *create], status)
    if plan.skipped:
        status["skippedTasks"] = [_skipped(one, values) for one in plan.skipped]
    status = _concluded(run, pipeline, children, status, plan.skipped, plan.stopping, values, now)
    return RunMove(status, create, cancelled, CANCELLED, _claims(run))


def _concluded(
    run: Document,
    pipeline: Pipeline,
    children: Mapping[str, Document],
    status: Document,
    skipped: tuple[Skip, ...],
    stopping: bool,
    values: Values,
    now: float,
) -> Document:
    """The status with the condition that all this comes to."""
    count = counts(pipeline, children, skipped)
    name, wanted = run["metadata"]["name"], run["spec"].get("status") or ""
    if count.incomplete:
        reason = STATUS_OF.get(wanted) or ("PipelineRunStopping" if stopping else "Running")
        return with_condition(status, now, "Unknown", reason, count.running_text)
    if wanted in STATUS_OF:
        return with_condition(status, now, "False", "Cancelled", f'PipelineRun "{name}" was cancelled')
    if count.failed:
        return with_condition(status, now, "False", "Failed", count.final_text)
    if count.cancelled:
        return with_condition(status, now, "False", "Cancelled", f'PipelineRun "{name}" was cancelled')
    if results := values.results_of(pipeline.spec):
        status = {**status, "results": results}
    return with_condition(status, now, "True", "Completed" if skipped else "Succeeded", count.final_text)


def _references(children: list[Document], status: Document) -> list[Document]:
    """In the order in which they came."""
    known: dict[str, Document] = {one["name"]: one for one in status.get("childReferences") or ()}
    for child in children:
        name = child["metadata"]["name"]
        task = child["metadata"]["labels"]["tekton.dev/pipelineTask"]
        entry = {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": name, "pipelineTaskName": task}
        known.setdefault(name, entry)
    return list(known.values())


def _skipped(one: Skip, values: Values) -> Document:
    when = {"whenExpressions": filled(one.when, values)} if one.when else {}
    return {"name": one.task, "reason": one.reason, **when}


def _claims(run: Document) -> tuple[Document, ...]:
    """A claim for each workspace with a template; it belongs to the run."""
    return tuple(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim_name(run, one["name"]), "ownerReferences": [owner(run)]},
            "spec": one["volumeClaimTemplate"]["spec"],
        }
        for one in run["spec"].get("workspaces") or ()
        if one.get("volumeClaimTemplate")
    )


def claim_name(run: Document, workspace: str) -> str:
    """The claim of a workspace of a run."""
    return "pvc-" + hashlib.sha256(f"{workspace}{run['metadata']['uid']}".encode()).hexdigest()[:10]


def _task_run(run: Document, task: Document, values: Values, member: str, now: float) -> Document:
    metadata = run["metadata"]
    pipeline = (run["spec"].get("pipelineRef") or {}).get("name") or metadata["name"]
    labels = {
        **((task.get("taskSpec") or {}).get("metadata") or {}).get("labels", {}),
        **(metadata.get("labels") or {}),
        "app.kubernetes.io/managed-by": "tekton-pipelines",
        "tekton.dev/memberOf": member,
        "tekton.dev/pipeline": pipeline,
        "tekton.dev/pipelineRun": metadata["name"],
        "tekton.dev/pipelineRunUID": metadata["uid"],
        "tekton.dev/pipelineTask": task["name"],
    }
    made: Document = {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {
            "name": child_name(metadata["name"], task["name"]),
            "namespace": metadata["namespace"],
            "labels": labels,
            "ownerReferences": [owner(run)],
        },
        "spec": _task_run_spec(run, task, values),
    }
    if annotations := _annotations(run, task):
        made["metadata"]["annotations"] = annotations
    return made


def _annotations(run: Document, task: Document) -> Document:
    found = {ON_ERROR: task["onError"]} if task.get("onError") else {}
    if claims := [one["metadata"]["name"] for one in _claims(run)]:
        digest = hashlib.sha256(f"{claims[0]}{run['metadata']['uid']}".encode()).hexdigest()[:10]
        found["pipeline.tekton.dev/affinity-assistant"] = f"affinity-assistant-{digest}"
    return found


def _task_run_spec(run: Document, task: Document, values: Values) -> Document:
    template = run["spec"].get("taskRunTemplate") or {}
    spec: Document = {"serviceAccountName": template.get("serviceAccountName", "default")}
    spec["timeout"] = task.get("timeout") or DEFAULT_TIMEOUT
    if params := task.get("params"):
        spec["params"] = filled(params, values)
    if task.get("retries"):
        spec["retries"] = task["retries"]
    if task.get("taskRef"):
        spec["taskRef"] = task["taskRef"]
    else:
        spec["taskSpec"] = {key: value for key, value in task["taskSpec"].items() if key not in ("metadata", "spec")}
    if bound := [_bound(run, one) for one in task.get("workspaces") or ()]:
        spec["workspaces"] = bound
    return spec


def _bound(run: Document, one: Document) -> Document:
    wanted = one.get("workspace") or one["name"]
    given = next(each for each in run["spec"].get("workspaces") or () if each["name"] == wanted)
    if given.get("volumeClaimTemplate"):
        return {"name": one["name"], "persistentVolumeClaim": {"claimName": claim_name(run, wanted)}}
    return {**given, "name": one["name"]}
