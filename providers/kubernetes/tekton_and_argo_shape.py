"""Whether a live object of a custom kind that hwplan reads has the shape of what is read: Argo CD and Tekton.

What reads these objects behind the client relies on it, as it does for built-in kinds (builtin_shape). Fields that
nobody here reads are let pass, and null stands for nothing. Pure. Source: the types of argoproj.io/v1alpha1 and
tekton.dev/v1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planner.address import group_of_api_version
from planner.json_shape import JsonShape, json_shape_fault
from planner.values import JsonObject

_HEALTH: JsonShape = {"status": str}
_SYNC: JsonShape = {"revision": str, "status": str}
_OPERATION: JsonShape = {"info": [{"name": str, "value": str}], "sync": _SYNC}
_RESOURCE: JsonShape = {
    **dict.fromkeys(("group", "kind", "namespace", "name", "status", "message", "hookType", "hookPhase"), str),
    "health": _HEALTH,
}
_CONDITION: JsonShape = dict.fromkeys(("type", "status", "reason", "message", "lastTransitionTime"), str)
_STEP: JsonShape = {
    "name": str,
    "container": str,
    "terminated": {"exitCode": int, "startedAt": str, "finishedAt": str, "reason": str},
}
_RUN: JsonShape = {
    "spec": {"pipelineRef": {"name": str}, "params": [{"name": str}]},
    "status": {
        "conditions": [_CONDITION],
        "results": [{"name": str}],
        "childReferences": [{"kind": str, "name": str, "pipelineTaskName": str}],
        "steps": [_STEP],
        **dict.fromkeys(("startTime", "completionTime", "podName"), str),
    },
}
_APPLICATION: JsonShape = {
    "spec": {
        "destination": {"namespace": str},
        "syncPolicy": {"automated": {"prune": bool}, "syncOptions": [str]},
    },
    "operation": _OPERATION,
    "status": {
        "sync": _SYNC,
        "health": _HEALTH,
        "reconciledAt": str,
        "conditions": [_CONDITION],
        "resources": [_RESOURCE],
        "operationState": {
            **dict.fromkeys(("phase", "message", "startedAt", "finishedAt"), str),
            "operation": _OPERATION,
            "syncResult": {"revision": str, "resources": [_RESOURCE]},
        },
    },
}
_SHAPES: Final[Mapping[tuple[str, str], JsonShape]] = {
    ("argoproj.io", "Application"): _APPLICATION,
    ("tekton.dev", "CustomRun"): _RUN,
    ("tekton.dev", "PipelineRun"): _RUN,
    ("tekton.dev", "TaskRun"): _RUN,
}


def tekton_and_argo_shape_faults(document: JsonObject) -> str:
    """What is wrong with an object, by field; "" when nothing is, or nothing of the kind is read."""
    shape = _SHAPES.get((group_of_api_version(str(document.get("apiVersion"))), str(document.get("kind"))))
    return "" if shape is None else json_shape_fault(shape, document, null=True).removeprefix(".")
