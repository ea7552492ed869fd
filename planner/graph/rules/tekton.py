"""Tekton: Task -> Pipeline -> PipelineRun, and what steps, workspaces and runs name.

A missing Pipeline is not refused by the server, the run fails later: so the order matters more than it seems.
"""

from __future__ import annotations

from planner.graph.index import mapping, maps, text
from planner.graph.pen import Pen
from planner.graph.rules.pods import draw_account, draw_container, draw_containers, draw_pod_fields, draw_volume
from planner.values import Json, JsonObject

TEKTON = "tekton.dev"
TRIGGERS = "triggers.tekton.dev"
KINDS = frozenset(("Task", "StepAction", "Pipeline", "PipelineRun", "TaskRun", "EventListener", "Trigger"))


def draw(pen: Pen) -> None:
    """Everything that a Tekton object names -> the object."""
    match pen.resource.address.kind, pen.resource.address.group:
        case (("Task" | "StepAction"), group) if group == TEKTON:
            _task(pen, "spec", pen.spec)
        case "Pipeline", group if group == TEKTON:
            _pipeline(pen, "spec", pen.spec)
        case "PipelineRun", group if group == TEKTON:
            _ref(pen, "spec.pipelineRef", pen.spec.get("pipelineRef"), "Pipeline")
            _pipeline(pen, "spec.pipelineSpec", mapping(pen.spec.get("pipelineSpec")))
            _run(pen)
        case "TaskRun", group if group == TEKTON:
            _ref(pen, "spec.taskRef", pen.spec.get("taskRef"), "Task")
            _task(pen, "spec.taskSpec", mapping(pen.spec.get("taskSpec")))
            _run(pen)
        case (("EventListener" | "Trigger"), group) if group == TRIGGERS:
            _listener(pen)


def _pipeline(pen: Pen, where: str, spec: JsonObject) -> None:
    for key in ("tasks", "finally"):
        for task in maps(spec.get(key)):
            inside = f"{where}.{key}[name={task.get('name')}]"
            _ref(pen, f"{inside}.taskRef", task.get("taskRef"), "Task")
            _ref(pen, f"{inside}.pipelineRef", task.get("pipelineRef"), "Pipeline")
            _task(pen, f"{inside}.taskSpec", mapping(task.get("taskSpec")))


def _ref(pen: Pen, where: str, written: Json, kind: str) -> None:
    """A taskRef or pipelineRef: by name, or by the cluster resolver, whose parameters name kind, name and namespace."""
    ref = mapping(written)
    rule = "task-ref" if kind == "Task" else "pipeline-ref"
    if text(ref.get("resolver")) == "cluster":
        found = {text(param.get("name")): text(param.get("value")) for param in maps(ref.get("params"))}
        known = {"task": "Task", "pipeline": "Pipeline", "stepaction": "StepAction"}.get(found.get("kind", ""), kind)
        field = f"{where}.params[name=name].value"
        pen.names(rule, field, known, found.get("name"), TEKTON, found.get("namespace") or None)
    elif not ref.get("apiVersion") or text(ref.get("apiVersion")).startswith(f"{TEKTON}/"):
        pen.names(rule, f"{where}.name", text(ref.get("kind")) or kind, ref.get("name"), TEKTON)


def _task(pen: Pen, where: str, spec: JsonObject) -> None:
    if not spec:
        return
    draw_containers(pen, where, spec, ("steps", "sidecars"))
    draw_container(pen, f"{where}.stepTemplate", mapping(spec.get("stepTemplate")))
    for volume in maps(spec.get("volumes")):
        draw_volume(pen, f"{where}.volumes[name={volume.get('name')}]", volume)
    for at, step in enumerate(maps(spec.get("steps"))):
        pen.names(
            "step-ref", f"{where}.steps[{at}].ref.name", "StepAction", mapping(step.get("ref")).get("name"), TEKTON
        )
    if pen.resource.address.kind == "StepAction":
        draw_container(pen, where, spec)


def _run(pen: Pen) -> None:
    """Account, pod template and workspaces of a run; the account is at the top in v1beta1 and of a TaskRun."""
    template = mapping(pen.spec.get("taskRunTemplate"))
    draw_account(pen, "spec.serviceAccountName", pen.spec.get("serviceAccountName"))
    draw_account(pen, "spec.taskRunTemplate.serviceAccountName", template.get("serviceAccountName"))
    for at, one in enumerate(maps(pen.spec.get("taskRunSpecs"))):
        draw_account(pen, f"spec.taskRunSpecs[{at}].serviceAccountName", one.get("serviceAccountName"))
    draw_pod_fields(pen, "spec.podTemplate", mapping(pen.spec.get("podTemplate")))
    draw_pod_fields(pen, "spec.taskRunTemplate.podTemplate", mapping(template.get("podTemplate")))
    for workspace in maps(pen.spec.get("workspaces")):
        draw_volume(pen, f"spec.workspaces[name={workspace.get('name')}]", workspace)


def _listener(pen: Pen) -> None:
    draw_account(pen, "spec.serviceAccountName", pen.spec.get("serviceAccountName"))
    listed = [(f"spec.triggers[{at}]", trigger) for at, trigger in enumerate(maps(pen.spec.get("triggers")))]
    for where, trigger in listed or [("spec", pen.spec)]:
        template = mapping(trigger.get("template"))
        pen.names("trigger", f"{where}.template.ref", "TriggerTemplate", template.get("ref"), TRIGGERS)
        pen.names("trigger", f"{where}.triggerRef", "Trigger", trigger.get("triggerRef"), TRIGGERS)
        for at, binding in enumerate(maps(trigger.get("bindings"))):
            kind = text(binding.get("kind")) or "TriggerBinding"
            namespace = "" if kind == "ClusterTriggerBinding" else None
            pen.names("trigger", f"{where}.bindings[{at}].ref", kind, binding.get("ref"), TRIGGERS, namespace)
