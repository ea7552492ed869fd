"""What Tekton's controller makes of a TaskRun: its pod, and its status as the pod goes on. Pure; see `tekton.py`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tests.testbed.tekton_defaults import seconds

Document = dict[str, Any]
ON_ERROR = "pipeline.tekton.dev/pipeline-task-on-error"
RELEASE = {"pipeline.tekton.dev/release": "unknown"}
_NO_PULL = ("ErrImagePull", "ImagePullBackOff")
_RESULT = 1  # the type of an entry in a termination message; 3 is the controller's own


@dataclass(frozen=True)
class TaskMove:
    """What is to be done next about a TaskRun; nothing of it means that it is as it should be."""

    status: Document | None = None
    create: Document | None = None
    delete_pod: bool = False


def time_text(now: float) -> str:
    """A time as the API writes it, in whole seconds."""
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text: str) -> float:
    """Seconds since 1970 of such a time."""
    return datetime.fromisoformat(text).timestamp()


def condition_of(document: Mapping[str, Any]) -> Document:
    """The condition Succeeded of a run; empty when it has none."""
    conditions = (document.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == "Succeeded"), {})


def is_done(document: Mapping[str, Any]) -> bool:
    """Whether a run is over."""
    return bool(condition_of(document).get("status", "Unknown") != "Unknown")


def with_condition(status: Document, now: float, outcome: str, reason: str, message: str) -> Document:
    """A status with another condition; the old one stays where it says the same."""
    made = {"type": "Succeeded", "status": outcome, "reason": reason, "message": message}
    old = (status.get("conditions") or [{}])[0]
    if {**old, "lastTransitionTime": ""} == {**made, "lastTransitionTime": ""}:
        return status
    done = {} if outcome == "Unknown" else {"completionTime": time_text(now)}
    return {**status, **done, "conditions": [{**made, "lastTransitionTime": time_text(now)}]}


def judge(run: Document, task: Document, pod: Document | None, now: float) -> TaskMove:
    """What comes next for a TaskRun of a task, whose pod is as given (None: there is none)."""
    status: Document = run.get("status") or {}
    name = run["metadata"]["name"]
    if is_done(run):
        return TaskMove()
    if run["spec"].get("status") == "TaskRunCancelled":
        why = f'TaskRun "{name}" was cancelled. {run["spec"].get("statusMessage", "")}'
        return _killed(run, "TaskRunCancelled", why + _said_before(run), now)
    if _is_late(run, now):
        why = f'TaskRun "{name}" failed to finish within "{_timeout(run)}"' + _said_before(run)
        return _killed(_with_steps(run, task, pod), "TaskRunTimeout", why, now)
    if pod is None:
        return _begun(run, task, now)
    if not status.get("podName"):
        return replace(_begun(run, task, now), create=None)
    return _played(run, task, pod, now)


def _said_before(run: Document) -> str:
    """What a message of an early end adds: the condition until then, unless it was at work."""
    before = condition_of(run)
    if before.get("reason") in (None, "Started", "Running") or not before.get("message"):
        return ""
    return f"\nPrevious status: [{before['reason']}] {before['message']}"


def _with_steps(run: Document, task: Document, pod: Document | None) -> Document:
    """The run with its steps as the pod has them now."""
    if pod is None or not (run.get("status") or {}).get("podName"):
        return run
    return {**run, "status": {**run["status"], "steps": _steps(run, task, pod)}}


def _timeout(run: Document) -> str:
    return str(run["spec"].get("timeout") or "1h0m0s")


def _is_late(run: Document, now: float) -> bool:
    began = (run.get("status") or {}).get("startTime")
    return began is not None and now >= time_of(began) + seconds(_timeout(run))


def pod_name(run: Document) -> str:
    """The name of the pod of this try."""
    tries = len((run.get("status") or {}).get("retriesStatus") or ())
    return f"{run['metadata']['name']}-pod" + (f"-retry{tries}" if tries else "")


def container_name(step: Document, at: int) -> str:
    """The container of a step."""
    return f"step-{step.get('name') or f'unnamed-{at}'}"


def _begun(run: Document, task: Document, now: float) -> TaskMove:
    status = dict(run.get("status") or {})
    status.setdefault("startTime", time_text(now))
    steps = [
        {"name": container_name(step, at).removeprefix("step-"), "provenance": {}}
        for at, step in enumerate(task["steps"])
    ]
    status |= {"podName": pod_name(run), "taskSpec": task, "steps": status.get("steps") or steps}
    return TaskMove(with_condition(status, now, "Unknown", "Pending", "Pending"), _pod(run, task))


def _pod(run: Document, task: Document) -> Document:
    metadata, name = run["metadata"], run["metadata"]["name"]
    labels = {**(metadata.get("labels") or {}), "tekton.dev/taskRun": name, "tekton.dev/taskRunUID": metadata["uid"]}
    containers = [
        {"name": container_name(step, at), "image": step["image"], "command": ["/bin/sh", "-c", step.get("script", "")]}
        for at, step in enumerate(task["steps"])
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(run),
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": {**(metadata.get("annotations") or {}), **RELEASE},
            "ownerReferences": [owner(run)],
        },
        "spec": {"restartPolicy": "Never", "containers": containers},
    }


def owner(document: Document) -> Document:
    """The reference of what an object owns to the object."""
    metadata = document["metadata"]
    found = {key: document[key] for key in ("apiVersion", "kind")} | {key: metadata[key] for key in ("name", "uid")}
    return {**found, "controller": True, "blockOwnerDeletion": True}


def _killed(run: Document, reason: str, message: str, now: float) -> TaskMove:
    status = dict(run.get("status") or {})
    if pod := status.get("podName"):
        status["steps"] = [_stopped(step, reason, pod, now) for step in status.get("steps") or ()]
    status.setdefault("startTime", time_text(now))
    return TaskMove(with_condition(status, now, "False", reason, message), delete_pod=bool(pod))


def _stopped(step: Document, reason: str, pod: str, now: float) -> Document:
    if "running" not in step and "waiting" not in step:
        return step
    began = (step.get("running") or {}).get("startedAt") or time_text(now)
    terminated = {
        "exitCode": 1,
        "startedAt": began,
        "finishedAt": time_text(now),
        "reason": reason,
        "message": f"Step {step['name']} terminated as pod {pod} is terminated",
    }
    rest = {key: value for key, value in step.items() if key not in ("running", "waiting")}
    return {**rest, "terminated": terminated, "terminationReason": reason}


def _played(run: Document, task: Document, pod: Document, now: float) -> TaskMove:
    status: Document = {**run["status"], "steps": _steps(run, task, pod)}
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        return _ended(run, status, now, phase == "Succeeded")
    waiting = next((step for step in status["steps"] if _pull_fails(step)), None)
    if waiting is not None:
        return _cannot_pull(run, status, waiting, now)
    if not (pod.get("status") or {}).get("containerStatuses"):
        return TaskMove(with_condition(status, now, "Unknown", "Pending", "Pending"))
    words = "Not all Steps in the Task have finished executing"
    return TaskMove(with_condition(status, now, "Unknown", "Running", words))


def _steps(run: Document, task: Document, pod: Document) -> list[Document]:
    """One entry a step, as its container is; as it was before, while the pod has no containers yet."""
    states = {one["name"]: one for one in (pod.get("status") or {}).get("containerStatuses") or ()}
    if not states:
        return list(run["status"].get("steps") or ())
    found = []
    for at, step in enumerate(task["steps"]):
        container = container_name(step, at)
        live = states.get(container) or {}
        entry = {"name": container.removeprefix("step-"), "container": container, "provenance": {}}
        found.append(entry | ({"imageID": live["imageID"]} if live.get("imageID") else {}) | _state(live))
    return found


def _state(live: Document) -> Document:
    state = live.get("state") or {}
    if ended := state.get("terminated"):
        retained = {key: ended[key] for key in ("exitCode", "startedAt", "finishedAt", "reason") if key in ended}
        if results := [one for one in _entries(ended) if one["type"] == _RESULT]:
            retained["message"] = json.dumps(results, separators=(",", ":"))
        return {"terminated": retained, "terminationReason": ended.get("reason", "Completed")}
    return {key: value for key, value in state.items() if key in ("running", "waiting")}


def _entries(ended: Document) -> list[Document]:
    try:
        found = json.loads(ended.get("message") or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def _pull_fails(step: Document) -> bool:
    return (step.get("waiting") or {}).get("reason") in _NO_PULL


def _cannot_pull(run: Document, status: Document, step: Document, now: float) -> TaskMove:
    """First it is said, and at the next look the TaskRun fails: its allowance for pulling is none by default."""
    said = step["waiting"].get("message", "")
    if condition_of(run).get("reason") != "PullImageFailed":
        words = f'build step "{step["container"]}" is pending with reason "{json.dumps(said)[1:-1]}"'
        return TaskMove(with_condition(status, now, "Unknown", "PullImageFailed", words))
    image = step.get("imageID", "")
    words = (
        f'the step "{step["name"]}" in TaskRun "{run["metadata"]["name"]}" failed to pull the image "{image}". '
        f'The pod errored with the message: "{said}."'
    )
    return _killed({**run, "status": status}, "TaskRunImagePullFailed", words, now)


def _ended(run: Document, status: Document, now: float, well: bool) -> TaskMove:
    status = {**status, "artifacts": {}}
    if well:
        if results := _results(status):
            status["results"] = results
        return TaskMove(with_condition(status, now, "True", "Succeeded", "All Steps have completed executing"))
    step = next(one for one in status["steps"] if one.get("terminated", {}).get("exitCode"))
    ended = step["terminated"]
    words = f'"{step["container"]}" exited with code {ended["exitCode"]}: {ended["reason"]}'
    reason = "StepOOM" if ended["reason"] == "OOMKilled" else "StepFailed"
    failed = with_condition(status, now, "False", reason, words)
    before = run["status"].get("retriesStatus") or []
    if len(before) < int(run["spec"].get("retries") or 0):
        retained = {key: value for key, value in failed.items() if key != "retriesStatus"}
        rest: Document = {key: status[key] for key in ("taskSpec", "steps", "artifacts") if key in status}
        again = {**rest, "podName": "", "retriesStatus": [*before, retained]}
        return TaskMove(with_condition(again, now, "Unknown", "ToBeRetried", words))
    if (run["metadata"].get("annotations") or {}).get(ON_ERROR) == "continue":
        return TaskMove(with_condition(status, now, "False", "FailureIgnored", words))
    return TaskMove(failed)


def _results(status: Document) -> list[Document]:
    spec = status.get("taskSpec") or {}
    declared = {one["name"]: one.get("type") or "string" for one in spec.get("results") or ()}
    said = [one for step in status["steps"] for one in _entries(step.get("terminated") or {})]
    return [
        {"name": one["key"], "type": declared[one["key"]], "value": _value(one["value"], declared[one["key"]])}
        for one in said
        if one["type"] == _RESULT and one["key"] in declared
    ]


def _value(text: str, kind: str) -> Any:
    """A result as it is declared: a list or an object is written as JSON."""
    return text if kind == "string" else json.loads(text)
