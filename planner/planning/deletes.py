"""Deletes: pruned and destroyed objects in reverse dependency order, after the updates that stop using them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from planner.address import Address
from planner.graph import ResourceGraph
from planner.plan import Action, Change, FieldChange, FieldOp
from planner.ports import PresentObject
from planner.resource import APPLIED, DEPENDS_ON, SET_LABEL, Resource, ResourceOptions
from planner.source_line_ref import SourceRef

_LIVE = SourceRef("(live)")
REWRITES = frozenset({Action.UPDATE, Action.ADOPT, Action.REPLACE})


def delete_changes(
    going: Sequence[PresentObject],
    upserts: Sequence[Change],
    reason: str,
    live: ResourceGraph,
    reasons: Mapping[Address, str] = MappingProxyType({}),
) -> tuple[Change, ...]:
    """The deletes in execution order, for `reason` or its own of `reasons`.

    `live` is the order of what lives, see planner.graph.graph_of_live_and_declared: what uses a thing goes before
    the thing, also where something stands between the two that does not change. An object may still be in use by
    one that is being updated in this plan: its delete waits for the updates that used it and for those in its
    namespace, which may have used it in a way that no rule knows.
    """
    gone = {present.address: present for present in going}
    updates = [change.address for change in upserts if change.action in REWRITES]
    users = nearest_dependents(live, frozenset(gone).union(updates))
    by_namespace = _by_namespace(updates)
    needs = {address: {*users[address], *by_namespace.get(address.namespace, ())} for address in gone}
    return tuple(
        _delete(gone[address], needs[address], reasons.get(address, reason))
        for address in reversed(live.order())
        if address in gone
    )


def changes_to_forget_objects(retained: Sequence[PresentObject]) -> tuple[Change, ...]:
    """What stays on purpose and is ours no longer: it loses the label of the set, and is never named again."""
    return tuple(_forget(present) for present in sorted(retained, key=lambda one: one.address))


def nearest_dependents(graph: ResourceGraph, wanted: Collection[Address]) -> Mapping[Address, frozenset[Address]]:
    """For every node the nearest of `wanted` that depend on it, looking through all others. Linear in the edges."""
    found: dict[Address, frozenset[Address]] = {}
    for address in reversed(graph.order()):
        direct = graph.needed_by(address)
        found[address] = frozenset().union(*((user,) if user in wanted else found[user] for user in direct))
    return found


def resource_of_live_object(present: PresentObject) -> Resource:
    """A live object as the rules of the graph read it, with what its annotation says of the order."""
    value = present.value or {}
    annotations = (value.get("metadata") or {}).get("annotations") or {}
    options = ResourceOptions(depends_on=tuple(_addresses(annotations.get(DEPENDS_ON))))
    api_version = str(value.get("apiVersion", ""))
    return Resource(present.address, api_version, value, present.owned_by, present.scope, _LIVE, options)


def _addresses(written: object) -> Iterable[Address]:
    """Those that can be read: nothing refuses what lives already."""
    for item in str(written or "").split(","):
        try:
            yield Address.parse(item.strip())
        except ValueError:
            continue


def _by_namespace(addresses: Iterable[Address]) -> Mapping[str, Sequence[Address]]:
    found: dict[str, list[Address]] = {}
    for address in addresses:
        found.setdefault(address.namespace, []).append(address)
    return found


def _delete(present: PresentObject, needs: Collection[Address], reason: str) -> Change:
    return Change(
        address=present.address,
        action=Action.DELETE,
        api_version=str((present.value or {}).get("apiVersion", "")),
        scope=present.scope,
        reason=reason,
        precondition=present.precondition,
        source=_LIVE,
        needs=tuple(sorted(needs)),
    )


def _forget(present: PresentObject) -> Change:
    value = present.value or {}
    return Change(
        address=present.address,
        action=Action.FORGET,
        api_version=str(value.get("apiVersion", "")),
        scope=present.scope,
        reason=_why_it_stays(present),
        precondition=present.precondition,
        source=_LIVE,
        fields=tuple(_lost_fields(value.get("metadata") or {})),
        wait="none",
    )


def _why_it_stays(present: PresentObject) -> str:
    if present.protected:
        return "protected"
    return present.orphan_on_delete or "needed by what stays"


def _lost_fields(metadata: Mapping[str, Mapping[str, str]]) -> Iterable[FieldChange]:
    for where, name in (("annotations", APPLIED), ("labels", SET_LABEL)):
        if (value := (metadata.get(where) or {}).get(name)) is not None:
            yield FieldChange(("metadata", where, name), FieldOp.REMOVE, before=value)
