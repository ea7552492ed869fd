"""What routes traffic comes after where it goes: Service, class, TLS Secret -> Ingress; Service, Gateway -> route."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import as_mapping, as_mappings, as_text
from planner.values import JsonObject

_GATEWAY = "gateway.networking.k8s.io"
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
KINDS = frozenset(("Ingress", "Gateway", "APIService", *_ROUTES))


def draw(collector: EdgeCollector) -> None:
    """Backends, classes and certificates that the resource in hand names -> the resource."""
    kind, group = collector.resource.address.kind, collector.resource.address.group
    if (kind, group) == ("Ingress", "networking.k8s.io"):
        _ingress(collector)
    elif group == _GATEWAY and kind in _ROUTES:
        _route(collector)
    elif (kind, group) == ("Gateway", _GATEWAY):
        collector.names(
            "class", "spec.gatewayClassName", "GatewayClass", collector.spec.get("gatewayClassName"), _GATEWAY, ""
        )
        for at, listener in enumerate(as_mappings(collector.spec.get("listeners"))):
            for ref in as_mappings(as_mapping(listener.get("tls")).get("certificateRefs")):
                collector.names_secret("certificate", f"spec.listeners[{at}].tls.certificateRefs", ref.get("name"))
    elif (kind, group) == ("APIService", "apiregistration.k8s.io"):
        service = as_mapping(collector.spec.get("service"))
        where = as_text(service.get("namespace"))
        collector.names("backend", "spec.service.name", "Service", service.get("name"), namespace=where)


def _ingress(collector: EdgeCollector) -> None:
    collector.names(
        "class",
        "spec.ingressClassName",
        "IngressClass",
        collector.spec.get("ingressClassName"),
        "networking.k8s.io",
        "",
    )
    _backend(collector, "spec.defaultBackend", as_mapping(collector.spec.get("defaultBackend")))
    for at, rule in enumerate(as_mappings(collector.spec.get("rules"))):
        for place, path in enumerate(as_mappings(as_mapping(rule.get("http")).get("paths"))):
            _backend(collector, f"spec.rules[{at}].http.paths[{place}].backend", as_mapping(path.get("backend")))
    for at, tls in enumerate(as_mappings(collector.spec.get("tls"))):
        collector.names_secret("certificate", f"spec.tls[{at}].secretName", tls.get("secretName"))


def _backend(collector: EdgeCollector, where: str, backend: JsonObject) -> None:
    collector.names("backend", f"{where}.service.name", "Service", as_mapping(backend.get("service")).get("name"))


def _route(collector: EdgeCollector) -> None:
    for at, parent in enumerate(as_mappings(collector.spec.get("parentRefs"))):
        kind, group = as_text(parent.get("kind")) or "Gateway", as_text(parent.get("group")) or _GATEWAY
        _reference(collector, "gateway", f"spec.parentRefs[{at}].name", parent, kind, group)
    for at, rule in enumerate(as_mappings(collector.spec.get("rules"))):
        for place, backend in enumerate(as_mappings(rule.get("backendRefs"))):
            kind, group = as_text(backend.get("kind")) or "Service", as_text(backend.get("group"))
            _reference(collector, "backend", f"spec.rules[{at}].backendRefs[{place}].name", backend, kind, group)


def _reference(collector: EdgeCollector, rule: str, field: str, named: JsonObject, kind: str, group: str) -> None:
    collector.names(rule, field, kind, named.get("name"), group, as_text(named.get("namespace")) or None)
