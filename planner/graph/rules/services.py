"""What routes traffic comes after where it goes: Service, class, TLS Secret -> Ingress; Service, Gateway -> route."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import as_mapping, as_mappings, as_text
from planner.values import JsonObject

_GATEWAY = "gateway.networking.k8s.io"
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
KINDS = frozenset(("Ingress", "Gateway", "APIService", *_ROUTES))


def draw(pen: EdgeCollector) -> None:
    """Backends, classes and certificates that the resource in hand names -> the resource."""
    kind, group = pen.resource.address.kind, pen.resource.address.group
    if (kind, group) == ("Ingress", "networking.k8s.io"):
        _ingress(pen)
    elif group == _GATEWAY and kind in _ROUTES:
        _route(pen)
    elif (kind, group) == ("Gateway", _GATEWAY):
        pen.names("class", "spec.gatewayClassName", "GatewayClass", pen.spec.get("gatewayClassName"), _GATEWAY, "")
        for at, listener in enumerate(as_mappings(pen.spec.get("listeners"))):
            for ref in as_mappings(as_mapping(listener.get("tls")).get("certificateRefs")):
                pen.names_secret("certificate", f"spec.listeners[{at}].tls.certificateRefs", ref.get("name"))
    elif (kind, group) == ("APIService", "apiregistration.k8s.io"):
        service = as_mapping(pen.spec.get("service"))
        where = as_text(service.get("namespace"))
        pen.names("backend", "spec.service.name", "Service", service.get("name"), namespace=where)


def _ingress(pen: EdgeCollector) -> None:
    pen.names(
        "class", "spec.ingressClassName", "IngressClass", pen.spec.get("ingressClassName"), "networking.k8s.io", ""
    )
    _backend(pen, "spec.defaultBackend", as_mapping(pen.spec.get("defaultBackend")))
    for at, rule in enumerate(as_mappings(pen.spec.get("rules"))):
        for place, path in enumerate(as_mappings(as_mapping(rule.get("http")).get("paths"))):
            _backend(pen, f"spec.rules[{at}].http.paths[{place}].backend", as_mapping(path.get("backend")))
    for at, tls in enumerate(as_mappings(pen.spec.get("tls"))):
        pen.names_secret("certificate", f"spec.tls[{at}].secretName", tls.get("secretName"))


def _backend(pen: EdgeCollector, where: str, backend: JsonObject) -> None:
    pen.names("backend", f"{where}.service.name", "Service", as_mapping(backend.get("service")).get("name"))


def _route(pen: EdgeCollector) -> None:
    for at, parent in enumerate(as_mappings(pen.spec.get("parentRefs"))):
        kind, group = as_text(parent.get("kind")) or "Gateway", as_text(parent.get("group")) or _GATEWAY
        _reference(pen, "gateway", f"spec.parentRefs[{at}].name", parent, kind, group)
    for at, rule in enumerate(as_mappings(pen.spec.get("rules"))):
        for place, backend in enumerate(as_mappings(rule.get("backendRefs"))):
            kind, group = as_text(backend.get("kind")) or "Service", as_text(backend.get("group"))
            _reference(pen, "backend", f"spec.rules[{at}].backendRefs[{place}].name", backend, kind, group)


def _reference(pen: EdgeCollector, rule: str, field: str, named: JsonObject, kind: str, group: str) -> None:
    pen.names(rule, field, kind, named.get("name"), group, as_text(named.get("namespace")) or None)
