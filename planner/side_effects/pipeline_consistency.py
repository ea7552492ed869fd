"""Whether a Pipeline of Tekton still fits together after the change: tasks, results, runAfter, parameters. Pure.

The server checks some of it when the Pipeline is written, and most of it only when a run starts. Source of the rules:
Tekton documentation, "Pipelines" (runAfter, results of tasks, variables).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from planner.address import Address
from planner.dataclass import dataclass
from planner.field_path import render_path
from planner.graph.resource_index import map_or_empty, maps_or_empty, text_or_empty
from planner.plan import Action, Change, SideEffect, SideEffectKind
from planner.resource import Resource
from planner.side_effects.text_leaves import text_leaves
from planner.values import JsonObject

_TEKTON = "tekton.dev"
_RESULT = re.compile(r"\$\(tasks\.([^.()\s]+)\.results\.([^.()\[\]\s]+)")
_PARAM = re.compile(r"\$\(params\.([A-Za-z0-9_-]+)")
_MOST = 6  # broken references that are named


@dataclass(frozen=True, slots=True)
class _Checked:
    """What was looked at in one Pipeline, and what is broken."""

    tasks: int
    results: int
    orders: int
    params: int
    broken: tuple[str, ...]
    unknown: tuple[str, ...]


def effects_of_inconsistent_pipelines(
    changes: Sequence[Change], resources: Mapping[Address, Resource], gone: Collection[Address]
) -> Iterator[SideEffect]:
    """One effect for each declared Pipeline that changes, or of which a Task does or goes."""
    changed = {one.address for one in changes if one.action is not Action.NOOP and one.address.group == _TEKTON}
    for address, one in resources.items():
        if (address.kind, address.group) != ("Pipeline", _TEKTON):
            continue
        used = set(_tasks_of(address, one))
        if address in changed or used & (changed | set(gone)):
            yield SideEffect(address, *_told(_check(address, one, resources, gone)))


def _tasks_of(address: Address, one: Resource) -> Iterator[Address]:
    for task in _tasks(map_or_empty(one.manifest.get("spec"))):
        if name := _task_name(task):
            yield _task_address(address, name)


def _tasks(spec: JsonObject) -> list[JsonObject]:
    return [task for key in ("tasks", "finally") for task in maps_or_empty(spec.get(key))]


def _task_name(task: JsonObject) -> str:
    """The Task of the same namespace that it refers to; "" for a resolver, a custom task or a task of its own."""
    ref = map_or_empty(task.get("taskRef"))
    if ref.get("resolver") or text_or_empty(ref.get("kind")) not in ("", "Task"):
        return ""
    if (version := text_or_empty(ref.get("apiVersion"))) and not version.startswith(f"{_TEKTON}/"):
        return ""
    return text_or_empty(ref.get("name"))


def _task_address(pipeline: Address, name: str) -> Address:
    return Address(pipeline.node_lane, "Task", _TEKTON, pipeline.namespace, name)


def _check(
    address: Address, one: Resource, resources: Mapping[Address, Resource], gone: Collection[Address]
) -> _Checked:
    spec = map_or_empty(one.manifest.get("spec"))
    tasks = {text_or_empty(task.get("name")): task for task in _tasks(spec)}
    results = {name: _results(address, task, resources) for name, task in tasks.items()}
    declared = {text_or_empty(param.get("name")) for param in maps_or_empty(spec.get("params"))}
    broken: dict[str, None] = {}
    unknown: dict[str, None] = {}
    counts = [0, 0, 0]
    for name, task in tasks.items():
        wanted = _task_address(address, _task_name(task)) if _task_name(task) else None
        if wanted in gone:
            broken.setdefault(f"tasks[{name}].taskRef names Task {wanted.name if wanted else ''}, which is deleted")
        elif wanted is not None and wanted not in resources:
            unknown.setdefault(f"Task {wanted.name} is not declared here")
        for after in task.get("runAfter") or ():
            counts[1] += 1
            if after not in tasks:
                broken.setdefault(f"tasks[{name}].runAfter names {after}, which is no task of it")
    for path, text in text_leaves(spec):
        for task_name, result in _RESULT.findall(text):
            counts[0] += 1
            where = f"{render_path(path)} takes the result {result} of {task_name}"
            if task_name not in tasks:
                broken.setdefault(f"{where}, which is no task of it")
            elif (known := results[task_name]) is not None and result not in known:
                broken.setdefault(f"{where}, which has no such result")
        if "taskSpec" not in path:  # a task of its own has parameters of its own
            for param in _PARAM.findall(text):
                counts[2] += 1
                if param not in declared:
                    broken.setdefault(f"{render_path(path)} takes the parameter {param}, which it does not have")
    return _Checked(len(tasks), counts[0], counts[1], counts[2], tuple(broken), tuple(unknown))


def _results(address: Address, task: JsonObject, resources: Mapping[Address, Resource]) -> frozenset[str] | None:
    """The names of the results of a task; None where its Task is not declared here."""
    spec = map_or_empty(task.get("taskSpec"))
    if not spec:
        known = resources.get(_task_address(address, _task_name(task)))
        if known is None:
            return None
        spec = map_or_empty(known.manifest.get("spec"))
    steps = maps_or_empty(spec.get("steps"))
    found = [
        *maps_or_empty(spec.get("results")),
        *(one for step in steps for one in maps_or_empty(step.get("results"))),
    ]
    return frozenset(text_or_empty(one.get("name")) for one in found)


def _told(checked: _Checked) -> tuple[SideEffectKind, str]:
    if checked.broken:
        more = f" and {len(checked.broken) - _MOST} more" if len(checked.broken) > _MOST else ""
        return SideEffectKind.BROKEN, f"{'; '.join(checked.broken[:_MOST])}{more}: its runs fail"
    reported = (
        f"its references after the change are complete, by hwplan's own check: {checked.tasks} tasks, "
        f"{checked.results} uses of results, {checked.orders} of runAfter, {checked.params} of parameters"
    )
    return SideEffectKind.CHECKED, reported + (
        f"; not checked: {', '.join(checked.unknown[:_MOST])}" * bool(checked.unknown)
    )
