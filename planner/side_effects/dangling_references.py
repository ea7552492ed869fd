"""Objects that still name what is planned to be deleted, and what becomes of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from planner.address import Address
from planner.graph import Edge, references_to_deleted
from planner.plan import SideEffect, SideEffectKind
from planner.resource import Resource
from planner.side_effects.untouched_objects import UntouchedObjects

_MOST = 4  # objects named
# What becomes of what names it, by the rule of the edge (planner.graph.rules).
_BECOMES: Mapping[str, str] = {
    "env": "pods that start from now on cannot, unless the reference is optional",
    "volume": "pods that start from now on cannot mount it",
    "service-account": "no new pod can be made",
    "pull-secret": "new pods may not pull their image",
    "binding": "it loses these rights",
    "role": "the binding gives nothing any more",
    "service": "its pods lose their names in DNS",
    "backend": "requests to it fail",
    "certificate": "it has no certificate any more",
}


def effects_of_dangling_references(
    gone: Sequence[Resource], resources: Mapping[Address, Resource], others: UntouchedObjects
) -> Iterator[SideEffect]:
    """For each deleted object, those that name it, declared or not, with the field that does."""
    going = {one.address for one in gone}
    known = {one.address: one for one in (*others.live, *(one for _, one in others.all_delivered()))} | dict(resources)
    staying = [one for address, one in known.items() if address not in going]
    if not going or not staying:
        return
    users: dict[Address, dict[Address, Edge]] = {}
    for edge in references_to_deleted(going, [*staying, *gone]):
        if not edge.explicit:
            users.setdefault(edge.before, {}).setdefault(edge.after, edge)
    for address, edges in sorted(users.items()):
        yield SideEffect(address, SideEffectKind.REFERENCE, _told(sorted(edges.items())))


def _told(found: Sequence[tuple[Address, Edge]]) -> str:
    named = ", ".join(f"{address.local} ({edge.field})" for address, edge in found[:_MOST])
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    becomes = dict.fromkeys(_BECOMES[edge.rule] for _, edge in found if edge.rule in _BECOMES)
    return f"by {named}{more}" + "".join(f"; {words}" for words in becomes)
