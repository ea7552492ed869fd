"""What Tekton's webhook adds to an object that is written. Pure; only what was recorded of the real one.

Tekton decodes an object into its own types, fills in defaults, and writes it out again; a few empty fields come of
that, empty lists go, and durations get their long form.
"""

import copy
import re
from typing import Any

Document = dict[str, Any]
DEFAULT_TIMEOUT = "1h0m0s"
ACCOUNT = "default"
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds(duration: str) -> int:
    """Seconds of a duration such as `1h30m` (whole seconds only). Raises ValueError for another form."""
    found = _DURATION.fullmatch(duration)
    if not duration or found is None:
        raise ValueError(f"not a duration: {duration}")
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def long_form(duration: str) -> str:
    """A duration as Tekton writes it: `1h` is `1h0m0s`."""
    total = seconds(duration)
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def defaulted(document: Document) -> Document:
    """The object with what the webhook adds."""
    made = copy.deepcopy(document)
    spec = made["spec"] = _without_empty_lists(made.get("spec") or {})
    _KINDS.get(made["kind"], lambda _spec: None)(spec)
    return made


def _without_empty_lists(value: Any) -> Any:
    """Tekton's types leave empty lists out when they are written; a value that a user gave is none of theirs."""
    if isinstance(value, list):
        return [_without_empty_lists(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: one for key, one in value.items() if one != [] or key in ("value", "default")}
    return {key: _without_empty_lists(one) for key, one in kept.items()}


def _task(spec: Document) -> None:
    for param in spec.get("params") or ():
        param.setdefault("type", _type_of(param))
    for result in spec.get("results") or ():
        result.setdefault("type", "object" if result.get("properties") else "string")
    for step in spec.get("steps") or ():
        step.setdefault("computeResources", {})


def _type_of(param: Document) -> str:
    if param.get("properties"):
        return "object"
    match param.get("default"):
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "string"


def _pipeline(spec: Document) -> None:
    for param in spec.get("params") or ():
        param.setdefault("type", _type_of(param))
    for result in spec.get("results") or ():
        result.setdefault("description", "")
    for task in [*(spec.get("tasks") or ()), *(spec.get("finally") or ())]:
        if task.get("taskRef") and not task["taskRef"].get("resolver"):
            task["taskRef"].setdefault("kind", "Task")
        if embedded := task.get("taskSpec"):
            embedded.setdefault("metadata", {})
            embedded.setdefault("spec", None)
            _task(embedded)


def _pipeline_run(spec: Document) -> None:
    if embedded := spec.get("pipelineSpec"):
        _pipeline(embedded)
    timeouts = spec.setdefault("timeouts", {})
    timeouts.setdefault("pipeline", DEFAULT_TIMEOUT)
    for name, duration in timeouts.items():
        timeouts[name] = long_form(duration)
    spec.setdefault("taskRunTemplate", {}).setdefault("serviceAccountName", ACCOUNT)
    for workspace in spec.get("workspaces") or ():
        if claim := workspace.get("volumeClaimTemplate"):
            claim.setdefault("metadata", {})
            claim.setdefault("status", {})


def _task_run(spec: Document) -> None:
    if embedded := spec.get("taskSpec"):
        _task(embedded)
    if ref := spec.get("taskRef"):
        ref.setdefault("kind", "Task")
    spec["timeout"] = long_form(spec.get("timeout") or DEFAULT_TIMEOUT)
    spec.setdefault("serviceAccountName", ACCOUNT)


_KINDS = {"Task": _task, "Pipeline": _pipeline, "PipelineRun": _pipeline_run, "TaskRun": _task_run}
