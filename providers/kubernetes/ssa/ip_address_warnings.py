"""Warnings of the API server about IP addresses and CIDRs that are not in their canonical form. Pure.

Source: apimachinery 1.36 `validation/ip.go`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from planner.values import Json
from providers.kubernetes.ssa.go_quoting import go_quoted


def ip_address_warnings(path: str, value: Json) -> Iterator[str]:
    """Warnings about one IP address: IPv4 in IPv6 form, or IPv6 not spelled as RFC 5952 has it."""
    try:
        address = ipaddress.ip_address(str(value))
    except ValueError:
        return
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            plain = str(address.ipv4_mapped)
            yield f"{path}: non-standard IP address {go_quoted(value)} is invalid: use {go_quoted(plain)}"
        elif str(address) != value:
            form = go_quoted(str(address))
            yield f"{path}: IPv6 address {go_quoted(value)} should be in RFC 5952 canonical format ({form})"


def cidr_warnings(path: str, value: Json) -> Iterator[str]:
    """Warnings about one CIDR: bits behind its prefix, or not spelled as RFC 5952 has it."""
    try:
        found = ipaddress.ip_interface(str(value))
    except ValueError:
        return
    if "/" not in str(value):
        return
    network = str(found.network)
    if found.ip != found.network.network_address:
        alone = go_quoted(f"{found.ip}/{found.max_prefixlen}")
        where = f"{path}: CIDR value {go_quoted(value)} is ambiguous in this context"
        yield f"{where} (should be {go_quoted(network)} or {alone}?)"
    elif found.version == 6 and str(found.network) != value:
        form = go_quoted(network)
        yield f"{path}: IPv6 CIDR value {go_quoted(value)} should be in RFC 5952 canonical format ({form})"
