"""What Tekton's webhook refuses, in its words. Pure; only what was recorded of the real one, and nothing more.

Rules give texts `MESSAGE: FIELDS`; the webhook joins them with line breaks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.testbed.tekton_defaults import seconds

Document = dict[str, Any]
STATUSES = ("Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunPending")
_LONGEST_NAME = 63
_PARAM = re.compile(r"\$\(params\.([^)\[.]+)[^)]*\)")


def problems(document: Document, old: Document | None) -> tuple[str, ...]:
    """Why an object may not be written in place of `old` (None: it is new); empty when it may."""
    name = str(document["metadata"].get("name") or "")
    found = list(_name(name)) if old is None else []
    spec = document.get("spec") or {}
    match document["kind"]:
        case "Task":
            found += _task(spec)
        case "Pipeline":
            found += _pipeline(spec, "spec")
        case "PipelineRun":
            found += _frozen(spec, old) if old is not None else _pipeline_run(spec)
        case "TaskRun" if old is None:
            found += _one_of(spec, "taskRef", "taskSpec")
    return tuple(found)


def _name(name: str) -> Iterator[str]:
    if len(name) > _LONGEST_NAME:
        yield f"Invalid resource name: length must be no more than {_LONGEST_NAME} characters: metadata.name"


def _one_of(spec: Document, first: str, second: str) -> Iterator[str]:
    if bool(spec.get(first)) == bool(spec.get(second)):
        both = "both" if spec.get(first) else "neither"
        yield f"expected exactly one, got {both}: spec.{first}, spec.{second}"


def _task(spec: Document) -> Iterator[str]:
    steps = spec.get("steps") or ()
    if not steps:
        yield "missing field(s): spec.steps"
    names: set[str] = set()
    for at, step in enumerate(steps):
        if not step.get("image") and not step.get("ref"):
            yield f"missing field(s): spec.steps[{at}].Image"
        if (name := step.get("name")) in names:
            yield f"expected exactly one, got both: spec.steps[{at}].name"
        names.add(name or "")
        yield from _unknown_params(spec, step.get("script"), f"spec.steps[{at}].script")


def _unknown_params(spec: Document, text: Any, field: str) -> Iterator[str]:
    known = {param["name"] for param in spec.get("params") or ()}
    if isinstance(text, str) and any(name not in known for name in _PARAM.findall(text)):
        yield f'non-existent variable in "{text}": {field}'


def _pipeline(spec: Document, where: str) -> Iterator[str]:
    tasks = spec.get("tasks") or ()
    if not tasks:
        fields = ("description", "params", "resources", "tasks", "workspaces")
        yield f"expected at least one, got none: {', '.join(f'{where}.{field}' for field in fields)}"
        return
    names: set[str] = set()
    for at, task in enumerate(tasks):
        if task["name"] in names:
            yield f"expected exactly one, got both: {where}.tasks[{at}].name"
        names.add(task["name"])
        for param in task.get("params") or ():
            yield from _unknown_params(spec, param.get("value"), f"{where}.tasks[{at}].params[{param['name']}]")
        yield from _unknown_workspaces(spec, task, f"{where}.tasks[{at}]")
    yield from _graph(tasks, where)


def _unknown_workspaces(spec: Document, task: Document, where: str) -> Iterator[str]:
    known = {one["name"] for one in spec.get("workspaces") or ()}
    for at, one in enumerate(task.get("workspaces") or ()):
        if (wanted := one.get("workspace") or one["name"]) not in known:
            yield (
                f'invalid value: pipeline task "{task["name"]}" expects workspace with name "{wanted}" '
                f"but none exists in pipeline spec: {where}.workspaces[{at}]"
            )


def _graph(tasks: Sequence[Document], where: str) -> Iterator[str]:
    after: dict[str, tuple[str, ...]] = {}
    for task in tasks:
        name = task["name"]
        if name in after:
            yield (
                f"invalid value: task {name} is already present in Graph, can't add it again: "
                f"duplicate pipeline task: {where}.tasks"
            )
            return
        after[name] = tuple(task.get("runAfter") or ())
    for name, needs in after.items():
        for need in needs:
            if need not in after:
                yield (
                    f"invalid value: couldn't add link between {name} and {need}: task {name} depends on {need} "
                    f"but {need} wasn't present in Pipeline: {where}.tasks"
                )
                return
    if edge := _cycle(after):
        yield f'invalid value: cycle detected; task "{edge[0]}" depends on "{edge[1]}": {where}.tasks'


def _cycle(after: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """An edge of the tasks that are left when all are taken away that need nothing."""
    left = dict(after)
    while free := [name for name, needs in left.items() if not any(need in left for need in needs)]:
        for name in free:
            del left[name]
    return next(((name, need) for name, needs in left.items() for need in needs if need in left), None)


def _pipeline_run(spec: Document) -> Iterator[str]:
    yield from _one_of(spec, "pipelineRef", "pipelineSpec")
    if spec.get("pipelineSpec") and not spec.get("pipelineRef"):
        yield from _pipeline(spec["pipelineSpec"], "spec.pipelineSpec")
    timeouts = spec.get("timeouts") or {}
    if timeouts.get("tasks") and seconds(timeouts["tasks"]) > seconds(timeouts["pipeline"]):
        yield f"invalid value: {timeouts['tasks']} should be <= pipeline duration: spec.timeouts.tasks"
    if (status := spec.get("status")) and status not in STATUSES:
        words = f"{', '.join(STATUSES[:-1])} or {STATUSES[-1]}"
        yield f"invalid value: {status} should be {words}: spec.status"


def _frozen(spec: Document, old: Document) -> Iterator[str]:
    """A run is frozen from its creation: only `spec.status` may change, and nothing once it is done."""
    before = old.get("spec") or {}
    if spec == before:
        return
    conditions = (old.get("status") or {}).get("conditions") or ()
    if any(one["type"] == "Succeeded" and one["status"] != "Unknown" for one in conditions):
        yield "invalid value: Once the PipelineRun is complete, no updates are allowed: spec"
    elif _without_status(spec) != _without_status(before):
        yield "invalid value: Once the PipelineRun has started, only status updates are allowed: spec"


def _without_status(spec: Document) -> Document:
    return {key: value for key, value in spec.items() if key != "status"}
