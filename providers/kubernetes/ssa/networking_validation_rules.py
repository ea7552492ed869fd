"""Rules between the fields of Services, Ingresses and NetworkPolicies; see builtin_validation_rules.py. Pure. Source:
the validation of Kubernetes 1.36."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from planner.values import JsonObject
from providers.kubernetes.ssa.builtin_value_formats import is_dns_subdomain, is_ip
from providers.kubernetes.ssa.pod_validation_rules import (
    Problem,
    Rule,
    duplicate_items,
    exactly_one_field,
    maps_in_list,
)


def _service(value: JsonObject) -> Iterator[Problem]:
    ports = maps_in_list(value, "ports")
    kind = value.get("type")
    if kind == "ExternalName":
        if not value.get("externalName"):
            yield ("externalName",), "Required value"
        elif not is_dns_subdomain(str(value["externalName"]).removesuffix(".")):
            yield ("externalName",), "a lowercase RFC 1123 subdomain is needed"
        return
    address = str(value.get("clusterIP") or "")
    if address not in ("", "None") and not is_ip(address):
        yield ("clusterIPs", 0), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    if not ports and value.get("clusterIP") != "None":
        yield ("ports",), "Required value"
    if len(ports) > 1:
        yield from ((("ports", index, "name"), "Required value") for index, p in enumerate(ports) if not p.get("name"))
    yield from duplicate_items(value, "ports", "name")
    seen = Counter((port.get("port"), port.get("protocol", "TCP")) for port in ports)
    if any(count > 1 for count in seen.values()):
        yield ("ports",), "Duplicate value"
    if kind == "ClusterIP" and any(port.get("nodePort") for port in ports):
        yield ("ports",), "may not be used when `type` is 'ClusterIP'"


def _policy_types(value: JsonObject) -> Iterator[Problem]:
    if len(value.get("policyTypes") or ()) > 2:
        yield ("policyTypes",), "may not specify more than two policyTypes"


def _port_range(value: JsonObject) -> Iterator[Problem]:
    port, end = value.get("port"), value.get("endPort")
    if end is None:
        return
    if isinstance(port, str):
        yield ("endPort",), "may not be specified when `port` is non-numeric"
    elif port is None:
        yield ("endPort",), "may not be specified when `port` is not specified"
    elif isinstance(end, int) and end < port:
        yield ("endPort",), "must be greater than or equal to `port`"


def _ingress(value: JsonObject) -> Iterator[Problem]:
    if not value.get("defaultBackend") and not value.get("rules"):
        yield (), "either `defaultBackend` or `rules` must be specified"


def _ingress_backend(value: JsonObject) -> Iterator[Problem]:
    yield from exactly_one_field(value, ("service", "resource"), "must specify exactly one of service and resource")


def _ingress_service(value: JsonObject) -> Iterator[Problem]:
    port = value.get("port") or {}
    if bool(port.get("name")) is bool(port.get("number")):
        yield (), "Required value: port name or number is required"


def _ingress_path(value: JsonObject) -> Iterator[Problem]:
    path, kind = str(value.get("path") or ""), value.get("pathType")
    if (kind in ("Exact", "Prefix") and not path.startswith("/")) or (path and not path.startswith("/")):
        yield ("path",), "must be an absolute path"
    elif kind in ("Exact", "Prefix") and any(part in path for part in ("//", "/./", "/../", "%2f", "%2F")):
        yield ("path",), "must not contain '//', '/./', '/../' or '%2f'"


def _peers(value: JsonObject) -> Iterator[Problem]:
    for field in ("from", "to"):
        for index, peer in enumerate(maps_in_list(value, field)):
            others = [name for name in ("podSelector", "namespaceSelector") if peer.get(name) is not None]
            if not others and peer.get("ipBlock") is None:
                yield (field, index), "Required value: must specify a peer"
            elif others and peer.get("ipBlock") is not None:
                yield (field, index), "may not specify both ipBlock and another peer"


NETWORKING_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "core.v1.ServiceSpec": (_service,),
    "networking.v1.HTTPIngressPath": (_ingress_path,),
    "networking.v1.IngressBackend": (_ingress_backend,),
    "networking.v1.IngressServiceBackend": (_ingress_service,),
    "networking.v1.IngressSpec": (_ingress,),
    "networking.v1.NetworkPolicyEgressRule": (_peers,),
    "networking.v1.NetworkPolicyIngressRule": (_peers,),
    "networking.v1.NetworkPolicyPort": (_port_range,),
    "networking.v1.NetworkPolicySpec": (_policy_types,),
}
