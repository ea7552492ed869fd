"""Fills outputs of applied resources into the documents of later changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner.address import Address
from planner.plan import Change
from planner.values import Json, JsonObject, OutputRef, outputs_in_document, substitute_outputs


def fill_outputs(change: Change, outputs: Mapping[Address, JsonObject]) -> Change:
    """The change with every output that is known put in; itself when it has nothing to fill."""
    if change.desired is None or not outputs_in_document(change.desired):
        return change
    filled = substitute_outputs(change.desired, lambda ref: _lookup(ref, change.address.node_lane, outputs))
    return replace(change, desired=filled)


def unresolved_outputs(change: Change) -> tuple[str, ...]:
    """The outputs that are still missing, as `Kind/name#output`, sorted."""
    found: set[str] = set()
    for leaf in outputs_in_document(change.desired):
        refs = (
            (leaf,)
            if isinstance(leaf, OutputRef)
            else tuple(part for part in leaf.parts if isinstance(part, OutputRef))
        )
        found.update(str(ref) for ref in refs)
    return tuple(sorted(found))


def _lookup(ref: OutputRef, node_lane: str, outputs: Mapping[Address, JsonObject]) -> Json | None:
    known = outputs.get(ref.address)
    if known is None and not ref.address.node_lane:
        known = outputs.get(ref.address._replace(node_lane=node_lane))
    if known is None or ref.output in known:
        return known and known[ref.output]
    value: Json = known
    for key in ref.output.split("."):  # any status path is an output: `status.loadBalancer.ip`
        value = value.get(key) if isinstance(value, dict) else None
    return value
