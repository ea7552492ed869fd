"""A webhook configuration comes after the Service that answers it and the workload behind that Service.

The other way round every object that the configuration matches would be refused until the workload runs. An APIService
is answered the same way.
"""

from __future__ import annotations

from planner.graph.index import Index, mapping, maps, text
from planner.graph.pen import Pen
from planner.resource import Resource
from planner.values import JsonObject

KINDS = frozenset(("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService"))


def draw(pen: Pen) -> None:
    """Service, Deployment behind it -> webhook configuration or APIService."""
    match pen.resource.address.kind, pen.resource.address.group:
        case (("ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration"), "admissionregistration.k8s.io"):
            for at, hook in enumerate(maps(pen.manifest.get("webhooks"))):
                service = mapping(mapping(hook.get("clientConfig")).get("service"))
                _answered_by(pen, f"webhooks[{hook_name(hook, at)}].clientConfig.service.name", service)
        case "APIService", "apiregistration.k8s.io":
            _answered_by(pen, "spec.service.name", mapping(pen.spec.get("service")))


def hook_name(hook: JsonObject, at: int) -> str:
    """How a field path names the hook."""
    return f"name={hook['name']}" if text(hook.get("name")) else str(at)


def _answered_by(pen: Pen, field: str, service: JsonObject) -> None:
    place, namespace = pen.resource.address.place, text(service.get("namespace"))
    found = pen.index.find(place, "Service", "", namespace, text(service.get("name")))
    if found is None:
        return
    pen.after(found, "webhook", field)
    for workload in _behind(pen.index, pen.index.resources[found]):
        pen.after(workload.address, "webhook", field)


def _behind(index: Index, service: Resource) -> list[Resource]:
    """The workloads whose pods the Service selects."""
    selector = mapping(mapping(service.manifest.get("spec")).get("selector"))
    here = index.workloads.get((service.address.place, service.address.namespace), ())
    return [one for one in here if selector and selector.items() <= _pod_labels(one).items()]


def _pod_labels(workload: Resource) -> JsonObject:
    spec = mapping(workload.manifest.get("spec"))
    pod = workload.manifest if workload.address.kind == "Pod" else mapping(spec.get("template"))
    labels = mapping(mapping(pod.get("metadata")).get("labels"))
    return {key: value for key, value in labels.items() if isinstance(value, str)}
