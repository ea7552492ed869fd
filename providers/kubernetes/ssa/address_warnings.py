"""Warnings of the API server about addresses and ranges that are not in their one form. Pure.

Source: apimachinery 1.36 `validation/ip.go`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from planner.values import Json
from providers.kubernetes.ssa.go_quoting import go_quoted


def address_warnings(path: str, value: Json) -> Iterator[str]:
    """Of an IPv4 address in IPv6 form, and of an IPv6 address that is not spelled as RFC 5952 has it."""
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


def range_warnings(path: str, value: Json) -> Iterator[str]:
    """Of a range with bits behind its prefix, and of one that is not spelled as RFC 5952 has it."""
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
