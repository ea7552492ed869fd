"""A webhook configuration comes after the Service that answers it and the workload behind that Service.

The other way round every object that the configuration matches would be refused until the workload runs. An APIService
is answered the same way.
"""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import ResourceIndex, map_or_empty, maps_or_empty, text_or_empty
from planner.resource import Resource
from planner.values import JsonObject

KINDS = frozenset(("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService"))


def add_webhook_edges(collector: EdgeCollector) -> None:
    """Service, Deployment behind it -> webhook configuration or APIService."""
    match collector.resource.address.kind, collector.resource.address.group:
        case (("ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration"), "admissionregistration.k8s.io"):
            for at, hook in enumerate(maps_or_empty(collector.manifest.get("webhooks"))):
                service = map_or_empty(map_or_empty(hook.get("clientConfig")).get("service"))
                _answered_by(
                    collector, f"webhooks[{path_element_of_webhook(hook, at)}].clientConfig.service.name", service
                )
        case "APIService", "apiregistration.k8s.io":
            _answered_by(collector, "spec.service.name", map_or_empty(collector.spec.get("service")))


def path_element_of_webhook(hook: JsonObject, at: int) -> str:
    """The part of a field path that names a hook: `name=NAME`, else its position `at` in the list."""
    return f"name={hook['name']}" if text_or_empty(hook.get("name")) else str(at)


def _answered_by(collector: EdgeCollector, field: str, service: JsonObject) -> None:
    node_lane, namespace = collector.resource.address.node_lane, text_or_empty(service.get("namespace"))
    found = collector.index.find(node_lane, "Service", "", namespace, text_or_empty(service.get("name")))
    if found is None:
        return
    collector.after(found, "webhook", field)
    for workload in _behind(collector.index, collector.index.resources[found]):
        collector.after(workload.address, "webhook", field)


def _behind(index: ResourceIndex, service: Resource) -> list[Resource]:
    """The workloads whose pods the Service selects."""
    selector = map_or_empty(map_or_empty(service.manifest.get("spec")).get("selector"))
    here = index.workloads.get((service.address.node_lane, service.address.namespace), ())
    return [one for one in here if selector and selector.items() <= _pod_labels(one).items()]


def _pod_labels(workload: Resource) -> JsonObject:
    spec = map_or_empty(workload.manifest.get("spec"))
    pod = workload.manifest if workload.address.kind == "Pod" else map_or_empty(spec.get("template"))
    labels = map_or_empty(map_or_empty(pod.get("metadata")).get("labels"))
    return {key: value for key, value in labels.items() if isinstance(value, str)}
