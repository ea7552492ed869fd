"""Which IP addresses are never asked, whatever name leads there (spec 06, Security). For `vet` of the client."""

from __future__ import annotations

import ipaddress

from planner.errors import PermanentError

_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "0.0.0.0/8", "::/128")
)


def refuse_link_local_or_metadata_address(address: str) -> None:
    """Raise PermanentError for an address that is never asked: link-local, metadata services, none at all."""
    plain = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(plain, "ipv4_mapped", None) or plain
    if any(mapped in network for network in _REFUSED if network.version == mapped.version) or mapped.is_multicast:
        raise PermanentError("a link-local, metadata or multicast address is never asked", remedy="use the public name")
