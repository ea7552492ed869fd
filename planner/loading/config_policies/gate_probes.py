"""What a gate may look at: `/health` below the lane's formal public URL, and nothing else (spec 02, S03).

Old edge ports, bare addresses, pages and browsers are evidence at best: they belong into a diagnostic probe. Provenance
is what the answer of `/health` says about the build, so it needs no other URL.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from planner.kind_hook_types import DocumentContext, Report
from planner.spec.lane import GateProbe, Lane
from planner.values import JsonObject

Fault: TypeAlias = tuple[str, str]  # what is wrong, what to do

_REMEDY = "use the formal public URL in the gate, and role: diagnostic for anything else"
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


def check_gate_probe(document: JsonObject, context: DocumentContext, report: Report) -> None:
    """An `HttpProbe` of a template that is a gate: of its lane, or of a node, where it has to fit one of its lanes."""
    spec = document["spec"]
    if spec.get("role") != "gate":
        return
    found = [list(gate_url_faults(str(spec.get("url", "")), lane)) for lane in context.lanes]
    if not context.lanes:
        found = [[("a gate belongs to a lane, and there is none here", _REMEDY)]]
    for text, hint in found[0] if all(found) else ():
        report(("spec", "url"), text, hint)


def gate_probe_faults(probe: GateProbe, lane: Lane) -> Iterator[Fault]:
    """Why a probe may not stand in the gate of the lane; nothing when it may."""
    if probe.role == "diagnostic":
        return
    if probe.kind == "browser":
        yield "a gate never drives a browser", "use a health endpoint; user paths are checked outside of CI/CD"
        return
    yield from gate_url_faults(probe.url, lane)


def gate_url_faults(url: str, lane: Lane) -> Iterator[Fault]:
    """Why a URL may not be a gate of the lane; nothing when it may."""
    parts, port = _split(url)
    if is_ip_address(parts.hostname or ""):
        yield "a gate never probes a bare IP address", _REMEDY
    elif port in lane.legacy_ports:
        yield f"a gate never probes the legacy port {port}", _REMEDY
    elif parts.scheme != "https":
        yield "a gate probes https only", _REMEDY
    elif lane.public_url is None:
        yield "the lane has no publicUrl, so nothing can be its gate", "declare publicUrl, or use role: diagnostic"
    elif not _is_below(url, lane.public_url):
        yield "a gate probes the lane's formal public URL only", _REMEDY
    elif not _is_plain(parts):
        yield "the URL of a gate has no `?`, `#`, `%` or `..` in it", "write the path of the health endpoint as it is"
    elif parts.path.rpartition("/")[2] != "health":
        yield "a gate probes a health endpoint, not a page", "end it in /health; its answer says the provenance"


def public_url_faults(lane: Lane) -> Iterator[Fault]:
    """Why a URL cannot be the formal public URL of the lane."""
    if lane.public_url is None:
        return
    parts, port = _split(lane.public_url)
    if parts.scheme != "https" or not parts.hostname or is_ip_address(parts.hostname):
        yield "publicUrl is not https with a host name", "it is the formal public URL"
    elif port in lane.legacy_ports:
        yield f"publicUrl is on the legacy port {port}", "it is the formal public URL"
    elif not _is_plain(parts):
        yield "publicUrl has a `?`, `#`, `%` or `..` in it", "it is the formal public URL"


def is_ip_address(host: str) -> bool:
    """Whether a host is an IP address in any form that a resolver takes: also one number, octal or hexadecimal ones."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None  # WHATWG: the host ends in a number
    return True


def _split(url: str) -> tuple[SplitResult, int | None]:
    """The parts and the port; a port that is none is 0, which no URL of a gate has."""
    parts = urlsplit(url)
    try:
        return parts, parts.port
    except ValueError:
        return parts, 0


def _is_below(url: str, public: str) -> bool:
    (one, port), (other, public_port) = _split(url), _split(public)
    if (one.hostname, port or 443) != (other.hostname, public_port or 443) or 0 in (port, public_port):
        return False
    return f"{one.path}/".startswith(f"{other.path.rstrip('/')}/")


def _is_plain(parts: SplitResult) -> bool:
    return not (parts.query or parts.fragment or "%" in parts.path or {".", ".."}.intersection(parts.path.split("/")))
