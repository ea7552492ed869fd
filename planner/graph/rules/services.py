"""What routes traffic comes after where it goes: Service, class, TLS Secret -> Ingress; Service, Gateway -> route."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import map_or_empty, maps_or_empty, text_or_empty
from planner.values import JsonObject

_GATEWAY = "gateway.networking.k8s.io"
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
KINDS = frozenset(("Ingress", "Gateway", "APIService", *_ROUTES))


def add_traffic_route_edges(collector: EdgeCollector) -> None:
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
        for at, listener in enumerate(maps_or_empty(collector.spec.get("listeners"))):
            for ref in maps_or_empty(map_or_empty(listener.get("tls")).get("certificateRefs")):
                collector.names_secret("certificate", f"spec.listeners[{at}].tls.certificateRefs", ref.get("name"))
    elif (kind, group) == ("APIService", "apiregistration.k8s.io"):
        service = map_or_empty(collector.spec.get("service"))
        where = text_or_empty(service.get("namespace"))
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
    _backend(collector, "spec.defaultBackend", map_or_empty(collector.spec.get("defaultBackend")))
    for at, rule in enumerate(maps_or_empty(collector.spec.get("rules"))):
        for place, path in enumerate(maps_or_empty(map_or_empty(rule.get("http")).get("paths"))):
            _backend(collector, f"spec.rules[{at}].http.paths[{place}].backend", map_or_empty(path.get("backend")))
    for at, tls in enumerate(maps_or_empty(collector.spec.get("tls"))):
        collector.names_secret("certificate", f"spec.tls[{at}].secretName", tls.get("secretName"))


def _backend(collector: EdgeCollector, where: str, backend: JsonObject) -> None:
    collector.names("backend", f"{where}.service.name", "Service", map_or_empty(backend.get("service")).get("name"))


def _route(collector: EdgeCollector) -> None:
    for at, parent in enumerate(maps_or_empty(collector.spec.get("parentRefs"))):
        kind, group = text_or_empty(parent.get("kind")) or "Gateway", text_or_empty(parent.get("group")) or _GATEWAY
        _reference(collector, "gateway", f"spec.parentRefs[{at}].name", parent, kind, group)
    for at, rule in enumerate(maps_or_empty(collector.spec.get("rules"))):
        for place, backend in enumerate(maps_or_empty(rule.get("backendRefs"))):
            kind, group = text_or_empty(backend.get("kind")) or "Service", text_or_empty(backend.get("group"))
            _reference(collector, "backend", f"spec.rules[{at}].backendRefs[{place}].name", backend, kind, group)


def _reference(collector: EdgeCollector, rule: str, field: str, named: JsonObject, kind: str, group: str) -> None:
    collector.names(rule, field, kind, named.get("name"), group, text_or_empty(named.get("namespace")) or None)
