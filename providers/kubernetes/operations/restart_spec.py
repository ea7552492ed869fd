"""What the spec of a Restart names: the workload, the objects that it follows, and how a plan calls those. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from planner.address import Address
from planner.resource import Resource
from planner.values import JsonObject, JsonValue, OutputRef, OutputTemplate


def address_of_restarted_workload(spec: JsonObject) -> Address:
    """The address of the workload that is restarted, without a node_lane."""
    return _bare(Address.parse(str(spec["target"])))


def followed_objects_of_restart_spec(spec: JsonObject) -> Iterator[Address]:
    """The addresses of the objects that `on` of a Restart names, without a node_lane; outputs are values and no
    objects."""
    return (found for written in spec.get("on") or () if (found := parse_followed_object(written)))


def objects_deciding_restart(spec: JsonObject) -> tuple[Address, ...]:
    """The addresses of all objects that decide whether a restart is due: the workload and what it follows."""
    return (address_of_restarted_workload(spec), *followed_objects_of_restart_spec(spec))


def parse_followed_object(written: JsonValue) -> Address | None:
    """The address of the object that an entry of `on` names, or None for the value of an output."""
    found = _parsed(written)
    return _bare(found) if found else None


def followed_addresses_of_restart(resource: Resource) -> Iterator[Address]:
    """The addresses in `on` of a Restart, as the plan calls them: of objects, and of what gives outputs not known
    yet."""
    for written in resource.manifest["spec"].get("on") or ():
        for part in written.parts if isinstance(written, OutputTemplate) else (written,):
            found = part.address if isinstance(part, OutputRef) else _parsed(part)
            if found is not None:
                yield address_with_default_lane(resource, found)


def address_with_default_lane(resource: Resource, address: Address) -> Address:
    """The address, with the node_lane of the resource that wrote it where it has none."""
    return address._replace(node_lane=address.node_lane or resource.address.node_lane)


def _parsed(written: JsonValue) -> Address | None:
    try:
        return Address.parse(written) if isinstance(written, str) else None
    except ValueError:
        return None


def _bare(address: Address) -> Address:
    return address._replace(node_lane="")
