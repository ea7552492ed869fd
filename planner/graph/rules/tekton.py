"""Tekton: Task -> Pipeline -> PipelineRun, and what steps, workspaces and runs name.

A missing Pipeline is not refused by the server, the run fails later: so the order matters more than it seems.
"""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import as_mapping, as_mappings, as_text
from planner.graph.rules.pods import draw_account, draw_container, draw_containers, draw_pod_fields, draw_volume
from planner.values import Json, JsonObject

TEKTON = "tekton.dev"
TRIGGERS = "triggers.tekton.dev"
KINDS = frozenset(("Task", "StepAction", "Pipeline", "PipelineRun", "TaskRun", "EventListener", "Trigger"))


def draw(pen: EdgeCollector) -> None:
    """Everything that a Tekton object names -> the object."""
    match pen.resource.address.kind, pen.resource.address.group:
        case (("Task" | "StepAction"), group) if group == TEKTON:
            _task(pen, "spec", pen.spec)
        case "Pipeline", group if group == TEKTON:
            _pipeline(pen, "spec", pen.spec)
        case "PipelineRun", "":
            _own_run(pen)
        case "PipelineRun", group if group == TEKTON:
            _ref(pen, "spec.pipelineRef", pen.spec.get("pipelineRef"), "Pipeline")
            _pipeline(pen, "spec.pipelineSpec", as_mapping(pen.spec.get("pipelineSpec")))
            _run(pen)
        case "TaskRun", group if group == TEKTON:
            _ref(pen, "spec.taskRef", pen.spec.get("taskRef"), "Task")
            _task(pen, "spec.taskSpec", as_mapping(pen.spec.get("taskSpec")))
            _run(pen)
        case (("EventListener" | "Trigger"), group) if group == TRIGGERS:
            _listener(pen)


def _own_run(pen: EdgeCollector) -> None:
    """hwplan's kind: the run that it makes needs its namespace, its Pipeline and the CRD."""
    manifest = as_mapping(pen.spec.get("manifest"))
    namespace = as_text(as_mapping(manifest.get("metadata")).get("namespace"))
    pen.names("namespace", "spec.manifest.metadata.namespace", "Namespace", namespace, namespace="")
    ref = as_mapping(as_mapping(manifest.get("spec")).get("pipelineRef"))
    if not ref.get("resolver"):
        pen.names("pipeline-ref", "spec.manifest.spec.pipelineRef.name", "Pipeline", ref.get("name"), TEKTON, namespace)
    for kind in ("PipelineRun", "TaskRun"):
        pen.after(pen.index.crds.get((pen.resource.address.node_lane, TEKTON, kind)), "crd", "spec.manifest.kind")


def _pipeline(pen: EdgeCollector, where: str, spec: JsonObject) -> None:
    for key in ("tasks", "finally"):
        for task in as_mappings(spec.get(key)):
            inside = f"{where}.{key}[name={task.get('name')}]"
            _ref(pen, f"{inside}.taskRef", task.get("taskRef"), "Task")
            _ref(pen, f"{inside}.pipelineRef", task.get("pipelineRef"), "Pipeline")
            _task(pen, f"{inside}.taskSpec", as_mapping(task.get("taskSpec")))


def _ref(pen: EdgeCollector, where: str, written: Json, kind: str) -> None:
    """A taskRef or pipelineRef: by name, or by the cluster resolver, whose parameters name kind, name and namespace."""
    ref = as_mapping(written)
    rule = "task-ref" if kind == "Task" else "pipeline-ref"
    if as_text(ref.get("resolver")) == "cluster":
        found = {as_text(param.get("name")): as_text(param.get("value")) for param in as_mappings(ref.get("params"))}
        known = {"task": "Task", "pipeline": "Pipeline", "stepaction": "StepAction"}.get(found.get("kind", ""), kind)
        field = f"{where}.params[name=name].value"
        pen.names(rule, field, known, found.get("name"), TEKTON, found.get("namespace") or None)
    elif not ref.get("apiVersion") or as_text(ref.get("apiVersion")).startswith(f"{TEKTON}/"):
        pen.names(rule, f"{where}.name", as_text(ref.get("kind")) or kind, ref.get("name"), TEKTON)


def _task(pen: EdgeCollector, where: str, spec: JsonObject) -> None:
    if not spec:
        return
    draw_containers(pen, where, spec, ("steps", "sidecars"))
    draw_container(pen, f"{where}.stepTemplate", as_mapping(spec.get("stepTemplate")))
    for volume in as_mappings(spec.get("volumes")):
        draw_volume(pen, f"{where}.volumes[name={volume.get('name')}]", volume)
    for at, step in enumerate(as_mappings(spec.get("steps"))):
        pen.names(
            "step-ref", f"{where}.steps[{at}].ref.name", "StepAction", as_mapping(step.get("ref")).get("name"), TEKTON
        )
    if pen.resource.address.kind == "StepAction":
        draw_container(pen, where, spec)


def _run(pen: EdgeCollector) -> None:
    """Account, pod template and workspaces of a run; the account is at the top in v1beta1 and of a TaskRun."""
    template = as_mapping(pen.spec.get("taskRunTemplate"))
    draw_account(pen, "spec.serviceAccountName", pen.spec.get("serviceAccountName"))
    draw_account(pen, "spec.taskRunTemplate.serviceAccountName", template.get("serviceAccountName"))
    for at, one in enumerate(as_mappings(pen.spec.get("taskRunSpecs"))):
        draw_account(pen, f"spec.taskRunSpecs[{at}].serviceAccountName", one.get("serviceAccountName"))
    draw_pod_fields(pen, "spec.podTemplate", as_mapping(pen.spec.get("podTemplate")))
    draw_pod_fields(pen, "spec.taskRunTemplate.podTemplate", as_mapping(template.get("podTemplate")))
    for workspace in as_mappings(pen.spec.get("workspaces")):
        draw_volume(pen, f"spec.workspaces[name={workspace.get('name')}]", workspace)


def _listener(pen: EdgeCollector) -> None:
    draw_account(pen, "spec.serviceAccountName", pen.spec.get("serviceAccountName"))
    listed = [(f"spec.triggers[{at}]", trigger) for at, trigger in enumerate(as_mappings(pen.spec.get("triggers")))]
    for where, trigger in listed or [("spec", pen.spec)]:
        template = as_mapping(trigger.get("template"))
        pen.names("trigger", f"{where}.template.ref", "TriggerTemplate", template.get("ref"), TRIGGERS)
        pen.names("trigger", f"{where}.triggerRef", "Trigger", trigger.get("triggerRef"), TRIGGERS)
        for at, binding in enumerate(as_mappings(trigger.get("bindings"))):
            kind = as_text(binding.get("kind")) or "TriggerBinding"
            namespace = "" if kind == "ClusterTriggerBinding" else None
            pen.names("trigger", f"{where}.bindings[{at}].ref", kind, binding.get("ref"), TRIGGERS, namespace)
