"""What the spec of a Restart names: the workload, the objects that it follows, and how a plan calls those. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.address import Address
from planner.resource import Resource
from planner.values import JsonObject, JsonValue, OutputRef, OutputTemplate


def address_of_restarted_workload(spec: JsonObject) -> Address:
    """The workload, without a place."""
    return _bare(Address.parse(str(spec["target"])))


def objects_followed_by_restart(spec: JsonObject) -> Iterator[Address]:
    """The objects that `on` names, without a place; outputs are values and no objects."""
    return (found for written in spec.get("on") or () if (found := parse_restart_cause(written)))


def objects_read_for_restart(spec: JsonObject) -> tuple[Address, ...]:
    """All objects that decide whether a restart is due."""
    return (address_of_restarted_workload(spec), *objects_followed_by_restart(spec))


def parse_restart_cause(written: JsonValue) -> Address | None:
    """The object that an entry of `on` names, or None for the value of an output."""
    found = _parsed(written)
    return _bare(found) if found else None


def addresses_causing_restart(resource: Resource) -> Iterator[Address]:
    """What `on` names, as the plan calls it: objects, and where outputs come from that are not known yet."""
    for written in resource.manifest["spec"].get("on") or ():
        for part in written.parts if isinstance(written, OutputTemplate) else (written,):
            found = part.address if isinstance(part, OutputRef) else _parsed(part)
            if found is not None:
                yield address_with_default_lane(resource, found)


def address_with_default_lane(resource: Resource, address: Address) -> Address:
    """An address that was written without a place means the author's own."""
    return replace(address, node_lane=address.node_lane or resource.address.node_lane)


def _parsed(written: JsonValue) -> Address | None:
    try:
        return Address.parse(written) if isinstance(written, str) else None
    except ValueError:
        return None


def _bare(address: Address) -> Address:
    return replace(address, node_lane="")
