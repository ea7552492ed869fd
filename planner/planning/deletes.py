"""Deletes: pruned and destroyed objects in reverse dependency order, after the updates that stop using them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.address import Address
from planner.graph import ResourceGraph, build_graph
from planner.plan import Action, Change
from planner.ports import Present
from planner.resource import Options, Resource
from planner.source import SourceRef

_LIVE = SourceRef("(live)")
_REWRITES = frozenset({Action.UPDATE, Action.ADOPT, Action.REPLACE})


def delete_changes(doomed: Sequence[Present], upserts: Sequence[Change], reason: str) -> tuple[Change, ...]:
    """The deletes in execution order, all for one `reason`.

    What uses a thing goes before the thing (edges of the live objects, reversed). An object may still be in use by one
    that is being updated in this plan: its delete waits for the updates in its namespace.
    """
    if not doomed:
        return ()
    live = {present.address: present for present in doomed}
    live_graph = build_graph([_as_resource(present) for present in doomed])
    order = tuple(reversed(live_graph.order()))
    updates = _updates_by_namespace(upserts)
    return tuple(_delete(live[address], _needs(address, live_graph, live, updates), reason) for address in order)


def _needs(
    address: Address, graph: ResourceGraph, live: Mapping[Address, Present], updates: Mapping[str, tuple[Address, ...]]
) -> tuple[Address, ...]:
    users = [user for user in graph.needed_by(address) if user in live]
    return tuple(sorted({*users, *updates.get(address.namespace, ())}))


def _updates_by_namespace(upserts: Sequence[Change]) -> Mapping[str, tuple[Address, ...]]:
    found: dict[str, list[Address]] = {}
    for change in upserts:
        if change.action in _REWRITES:
            found.setdefault(change.address.namespace, []).append(change.address)
    return {namespace: tuple(addresses) for namespace, addresses in found.items()}


def _delete(present: Present, needs: tuple[Address, ...], reason: str) -> Change:
    return Change(
        address=present.address,
        action=Action.DELETE,
        api_version=str((present.value or {}).get("apiVersion", "")),
        scope=present.scope,
        reason=reason,
        precondition=present.precondition,
        source=_LIVE,
        needs=needs,
    )


def _as_resource(present: Present) -> Resource:
    value = present.value or {}
    return Resource(
        present.address,
        str(value.get("apiVersion", "")),
        value,
        present.owned_by,
        present.scope,
        _LIVE,
        Options(),
    )
