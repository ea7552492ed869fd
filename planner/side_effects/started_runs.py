"""Runs and builds that a change starts, now or from the next one on. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from planner.graph.resource_index import map_or_empty, text_or_empty
from planner.plan import Action, Change, SideEffect, SideEffectKind
from planner.resource import Resource
from planner.values import JsonObject

_ONCE = {("Job", "batch"), ("PipelineRun", "tekton.dev"), ("TaskRun", "tekton.dev"), ("Pod", "")}
_FROM_NOW_ON = {("Task", "tekton.dev"), ("Pipeline", "tekton.dev"), ("ClusterTask", "tekton.dev")}
_MAKES = (Action.CREATE, Action.REPLACE)
_WRITES = (*_MAKES, Action.UPDATE, Action.ADOPT)


def runs_started_by_change(change: Change, resource: Resource | None) -> Iterator[SideEffect]:
    """What starts because of this change, and what will start otherwise than before."""
    identity = (change.address.kind, change.address.group)
    spec = map_or_empty((change.desired or {}).get("spec"))
    if identity in _ONCE and change.action in _MAKES:
        yield SideEffect(change.address, SideEffectKind.RUN, "it runs once, at once")
    elif identity == ("CronJob", "batch") and change.action in _WRITES:
        yield SideEffect(change.address, SideEffectKind.LATER, _scheduled(spec))
    elif identity in _FROM_NOW_ON and change.action in (Action.UPDATE, Action.ADOPT, Action.REPLACE):
        yield SideEffect(
            change.address, SideEffectKind.LATER, "runs that start from now on use it; those that run do not"
        )
    elif identity == ("Application", "argoproj.io") and change.action in _WRITES:
        yield from _synced(change, spec)
    elif identity == ("RegistryImage", "") and spec.get("build") and change.action in (*_MAKES, Action.RUN):
        yield SideEffect(change.address, SideEffectKind.RUN, "an image is built and pushed")


def _scheduled(spec: JsonObject) -> str:
    if spec.get("suspend") is True:
        return "it is suspended: nothing runs until it is resumed"
    return f"the next run uses it (schedule {text_or_empty(spec.get('schedule')) or 'unknown'})"


def _synced(change: Change, spec: JsonObject) -> Iterator[SideEffect]:
    automated = map_or_empty(spec.get("syncPolicy")).get("automated")
    if isinstance(automated, dict):
        prunes = ", and deletes what git does not have" if automated.get("prune") is True else ""
        yield SideEffect(change.address, SideEffectKind.RUN, f"Argo CD syncs it by itself{prunes}")
