"""Rules between the fields of Endpoints and their slices; see builtin_validation_rules.py. Pure. Source:
apis/core/validation and apis/discovery/validation of Kubernetes 1.36."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Final

from planner.values import JsonObject
from providers.kubernetes.ssa.builtin_value_formats import is_ip
from providers.kubernetes.ssa.pod_validation_rules import Problem, Rule, duplicate_items, maps_in_list


def _subset(value: JsonObject) -> Iterator[Problem]:
    if not value.get("addresses") and not value.get("notReadyAddresses"):
        yield (), "Required value: must specify `addresses` or `notReadyAddresses`"
    ports = maps_in_list(value, "ports")
    if len(ports) > 1:
        yield from ((("ports", index, "name"), "Required value") for index, p in enumerate(ports) if not p.get("name"))


def _address(value: JsonObject) -> Iterator[Problem]:
    if words := _special(str(value.get("ip") or "")):
        yield ("ip",), words


def _special(text: str) -> str:
    """Why an address cannot be an endpoint; "" when it can, or is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if found.is_unspecified:
        return "may not be unspecified"
    if found.is_loopback:
        return "may not be in the loopback range (127.0.0.0/8, ::1/128)"
    if found.is_link_local:
        return "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
    group = ipaddress.ip_network("ff02::/16" if found.version == 6 else "224.0.0.0/24")
    return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)" if found in group else ""


def _slice(value: JsonObject) -> Iterator[Problem]:
    if value.get("addressType") not in ("IPv4", "IPv6"):
        return
    version = ":" if value["addressType"] == "IPv6" else "."
    for index, endpoint in enumerate(maps_in_list(value, "endpoints")):
        for address in endpoint.get("addresses") or ():
            if not is_ip(str(address)) or version not in str(address):
                yield ("endpoints", index, "addresses"), "must be a valid IP address"
            elif str(ipaddress.ip_address(str(address))) != address:
                yield ("endpoints", index, "addresses"), "must be in canonical form"
            elif words := _special(str(address)):
                yield ("endpoints", index, "addresses"), words
    yield from duplicate_items(value, "ports", "name")


ENDPOINT_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "core.v1.EndpointAddress": (_address,),
    "core.v1.EndpointSubset": (_subset,),
    "discovery.v1.EndpointSlice": (_slice,),
}
