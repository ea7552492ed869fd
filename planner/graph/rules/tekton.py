"""Tekton: Task -> Pipeline -> PipelineRun, and what steps, workspaces and runs name.

A missing Pipeline is not refused by the server, the run fails later: so the order matters more than it seems.
"""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import map_or_empty, maps_or_empty, text_or_empty
from planner.graph.rules.pods import (
    add_container_edges,
    add_container_list_edges,
    add_pod_field_edges,
    add_service_account_edges,
    add_volume_edges,
)
from planner.values import JsonObject, JsonValue

TEKTON = "tekton.dev"
TRIGGERS = "triggers.tekton.dev"
KINDS = frozenset(("Task", "StepAction", "Pipeline", "PipelineRun", "TaskRun", "EventListener", "Trigger"))


def add_tekton_edges(collector: EdgeCollector) -> None:
    """Everything that a Tekton object names -> the object."""
    match collector.resource.address.kind, collector.resource.address.group:
        case (("Task" | "StepAction"), group) if group == TEKTON:
            _task(collector, "spec", collector.spec)
        case "Pipeline", group if group == TEKTON:
            _pipeline(collector, "spec", collector.spec)
        case "PipelineRun", "":
            _own_run(collector)
        case "PipelineRun", group if group == TEKTON:
            _ref(collector, "spec.pipelineRef", collector.spec.get("pipelineRef"), "Pipeline")
            _pipeline(collector, "spec.pipelineSpec", map_or_empty(collector.spec.get("pipelineSpec")))
            _run(collector)
        case "TaskRun", group if group == TEKTON:
            _ref(collector, "spec.taskRef", collector.spec.get("taskRef"), "Task")
            _task(collector, "spec.taskSpec", map_or_empty(collector.spec.get("taskSpec")))
            _run(collector)
        case (("EventListener" | "Trigger"), group) if group == TRIGGERS:
            _listener(collector)


def _own_run(collector: EdgeCollector) -> None:
    """hwplan's kind: the run that it makes needs its namespace, its Pipeline and the CRD."""
    manifest = map_or_empty(collector.spec.get("manifest"))
    namespace = text_or_empty(map_or_empty(manifest.get("metadata")).get("namespace"))
    collector.names("namespace", "spec.manifest.metadata.namespace", "Namespace", namespace, namespace="")
    ref = map_or_empty(map_or_empty(manifest.get("spec")).get("pipelineRef"))
    if not ref.get("resolver"):
        collector.names(
            "pipeline-ref", "spec.manifest.spec.pipelineRef.name", "Pipeline", ref.get("name"), TEKTON, namespace
        )
    for kind in ("PipelineRun", "TaskRun"):
        collector.after(
            collector.index.crds.get((collector.resource.address.node_lane, TEKTON, kind)), "crd", "spec.manifest.kind"
        )


def _pipeline(collector: EdgeCollector, where: str, spec: JsonObject) -> None:
    for key in ("tasks", "finally"):
        for task in maps_or_empty(spec.get(key)):
            inside = f"{where}.{key}[name={task.get('name')}]"
            _ref(collector, f"{inside}.taskRef", task.get("taskRef"), "Task")
            _ref(collector, f"{inside}.pipelineRef", task.get("pipelineRef"), "Pipeline")
            _task(collector, f"{inside}.taskSpec", map_or_empty(task.get("taskSpec")))


def _ref(collector: EdgeCollector, where: str, written: JsonValue, kind: str) -> None:
    """A taskRef or pipelineRef: by name, or by the cluster resolver, whose parameters name kind, name and namespace."""
    ref = map_or_empty(written)
    rule = "task-ref" if kind == "Task" else "pipeline-ref"
    if text_or_empty(ref.get("resolver")) == "cluster":
        found = {
            text_or_empty(param.get("name")): text_or_empty(param.get("value"))
            for param in maps_or_empty(ref.get("params"))
        }
        known = {"task": "Task", "pipeline": "Pipeline", "stepaction": "StepAction"}.get(found.get("kind", ""), kind)
        field = f"{where}.params[name=name].value"
        collector.names(rule, field, known, found.get("name"), TEKTON, found.get("namespace") or None)
    elif not ref.get("apiVersion") or text_or_empty(ref.get("apiVersion")).startswith(f"{TEKTON}/"):
        collector.names(rule, f"{where}.name", text_or_empty(ref.get("kind")) or kind, ref.get("name"), TEKTON)


def _task(collector: EdgeCollector, where: str, spec: JsonObject) -> None:
    if not spec:
        return
    add_container_list_edges(collector, where, spec, ("steps", "sidecars"))
    add_container_edges(collector, f"{where}.stepTemplate", map_or_empty(spec.get("stepTemplate")))
    for volume in maps_or_empty(spec.get("volumes")):
        add_volume_edges(collector, f"{where}.volumes[name={volume.get('name')}]", volume)
    for at, step in enumerate(maps_or_empty(spec.get("steps"))):
        collector.names(
            "step-ref", f"{where}.steps[{at}].ref.name", "StepAction", map_or_empty(step.get("ref")).get("name"), TEKTON
        )
    if collector.resource.address.kind == "StepAction":
        add_container_edges(collector, where, spec)


def _run(collector: EdgeCollector) -> None:
    """Account, pod template and workspaces of a run; the account is at the top in v1beta1 and of a TaskRun."""
    template = map_or_empty(collector.spec.get("taskRunTemplate"))
    add_service_account_edges(collector, "spec.serviceAccountName", collector.spec.get("serviceAccountName"))
    add_service_account_edges(collector, "spec.taskRunTemplate.serviceAccountName", template.get("serviceAccountName"))
    for at, one in enumerate(maps_or_empty(collector.spec.get("taskRunSpecs"))):
        add_service_account_edges(
            collector, f"spec.taskRunSpecs[{at}].serviceAccountName", one.get("serviceAccountName")
        )
    add_pod_field_edges(collector, "spec.podTemplate", map_or_empty(collector.spec.get("podTemplate")))
    add_pod_field_edges(collector, "spec.taskRunTemplate.podTemplate", map_or_empty(template.get("podTemplate")))
    for workspace in maps_or_empty(collector.spec.get("workspaces")):
        add_volume_edges(collector, f"spec.workspaces[name={workspace.get('name')}]", workspace)


def _listener(collector: EdgeCollector) -> None:
    add_service_account_edges(collector, "spec.serviceAccountName", collector.spec.get("serviceAccountName"))
    listed = [
        (f"spec.triggers[{at}]", trigger) for at, trigger in enumerate(maps_or_empty(collector.spec.get("triggers")))
    ]
    for where, trigger in listed or [("spec", collector.spec)]:
        template = map_or_empty(trigger.get("template"))
        collector.names("trigger", f"{where}.template.ref", "TriggerTemplate", template.get("ref"), TRIGGERS)
        collector.names("trigger", f"{where}.triggerRef", "Trigger", trigger.get("triggerRef"), TRIGGERS)
        for at, binding in enumerate(maps_or_empty(trigger.get("bindings"))):
            kind = text_or_empty(binding.get("kind")) or "TriggerBinding"
            namespace = "" if kind == "ClusterTriggerBinding" else None
            collector.names("trigger", f"{where}.bindings[{at}].ref", kind, binding.get("ref"), TRIGGERS, namespace)
