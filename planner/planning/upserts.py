"""Creates, updates, adoptions, replaces and runs: one verdict per desired resource, in the order of the graph."""

from __future__ import annotations

from dataclasses import field, replace
from typing import assert_never

from planner.address import Address, is_hwplan_kind
from planner.dataclass import dataclass
from planner.plan import Action, BlockedResource, Change, Precondition
from planner.planning.plan_inputs import PlanInputs
from planner.ports import AbsentObject, Observation, PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.resource import Resource


@dataclass(frozen=True, slots=True)
class Upserts:
    """The verdicts: changes in graph order, what is blocked, and how many resources need nothing."""

    changes: tuple[Change, ...] = ()
    blocked: tuple[BlockedResource, ...] = ()
    unchanged: int = 0


@dataclass(slots=True)
class _Ledger:
    """What has been decided so far. `upstream` maps an address to the planned changes that stand before it; `touched`
    are the addresses that change, or that need one that does; `waits` are unchanged and not ready: they are asked
    again, whatever made them, so that what is not as it should be is never taken for done."""

    changes: dict[Address, Change] = field(default_factory=dict)
    blocked: dict[Address, BlockedResource] = field(default_factory=dict)
    upstream: dict[Address, frozenset[Address]] = field(default_factory=dict)
    waits: dict[Address, Change] = field(default_factory=dict)
    touched: set[Address] = field(default_factory=set)
    unchanged: int = 0


def decide_upserts(inputs: PlanInputs) -> Upserts:
    """Decide for each desired resource: create, update, replace, adopt, run or nothing. A resource that needs a blocked
    one is blocked too: apply could not reach it."""
    ledger = _Ledger()
    order = inputs.graph.order()
    for address in order:
        needed = sorted(inputs.graph.needs(address))
        before = frozenset().union(*(_reach(ledger, need) for need in needed))
        verdict = _judge(inputs, inputs.resources[address], needed, before, ledger)
        match verdict:
            case BlockedResource():
                ledger.blocked[address] = verdict
            case Change(action=Action.NOOP):
                ledger.unchanged += 1
                ledger.waits[address] = verdict
            case Change():
                ledger.changes[address] = verdict
            case None:
                ledger.unchanged += 1
        ledger.upstream[address] = before
        if address in ledger.changes or address in ledger.blocked or ledger.touched.intersection(needed):
            ledger.touched.add(address)
    changes = {**ledger.changes, **ledger.waits}
    return Upserts(
        tuple(changes[address] for address in order if address in changes),
        tuple(ledger.blocked[address] for address in order if address in ledger.blocked),
        ledger.unchanged,
    )


def _reach(ledger: _Ledger, need: Address) -> frozenset[Address]:
    """The nearest planned nodes at or before `need`: unchanged resources are looked through."""
    if need in ledger.changes or need in ledger.waits:
        return frozenset((need,))
    return ledger.upstream.get(need, frozenset())


def _judge(
    inputs: PlanInputs,
    resource: Resource,
    needed: list[Address],
    before: frozenset[Address],
    ledger: _Ledger,
) -> Change | BlockedResource | None:
    """The verdict on one resource; None when there is nothing to do."""
    address = resource.address
    seen = inputs.observations.get(address, AbsentObject(address))
    if reason := inputs.unsourced.get(address):
        return BlockedResource(address, _action_if(seen), reason, source=resource.source)
    if isinstance(seen, UnreadableObject):
        return BlockedResource(address, Action.UPDATE, f"unreadable: {seen.reason}", source=resource.source)
    preview = inputs.previews[address]
    action = _action(preview, seen, resource)
    if preview.blocked:
        return BlockedResource(
            address, action, preview.blocked, preview.evidence, preview.remedy, resource.source, preview.fields
        )
    if missing := next((one for one in preview.lacks if one not in ledger.changes and one not in ledger.blocked), None):
        return BlockedResource(
            address, Action.RUN, f"{missing} is not there", remedy=_DECLARE_IT, source=resource.source
        )
    if (action is Action.NOOP and not preview.awaiting) or _has_no_cause(preview, needed, ledger):
        return None
    if action is not Action.NOOP and (cause := next((need for need in needed if need in ledger.blocked), None)):
        return BlockedResource(address, action, f"needs {cause}, which is blocked", source=resource.source)
    change = _change(resource, seen, preview, action, before)
    return replace(change, made=inputs.made[address]) if address in inputs.made else change


_DECLARE_IT = "declare it, or correct its address"


def _has_no_cause(preview: Preview, needed: list[Address], ledger: _Ledger) -> bool:
    """Whether this is a run that only follows a change, and nothing that it follows changes."""
    match preview.on_change:
        case None:
            return False
        case ():
            return not ledger.touched.intersection(needed)
        case causes:
            changes = any(cause in ledger.changes or cause in ledger.blocked for cause in causes)
            return not changes and not any(_is_replaced(ledger, need) for need in needed)


def _is_replaced(ledger: _Ledger, address: Address) -> bool:
    change = ledger.changes.get(address)
    return change is not None and change.action is Action.REPLACE


def _change(
    resource: Resource, seen: Observation, preview: Preview, action: Action, before: frozenset[Address]
) -> Change:
    precondition = seen.precondition if isinstance(seen, PresentObject) else Precondition(absent=True)
    return Change(
        address=resource.address,
        action=action,
        api_version=resource.api_version,
        scope=resource.scope,
        reason=_reason(preview, action),
        precondition=precondition,
        source=resource.source,
        desired=preview.desired if preview.desired is not None else resource.manifest,
        fields=preview.fields,
        needs=tuple(sorted(before)),
        verified=preview.verified,
        expects=preview.expects,
        forced=preview.forced,
        migrate=preview.migrate,
        take_over=preview.take_over,
        claims=preview.claims,
        wait=resource.options.wait,
        wait_seconds=resource.options.wait_seconds,
    )


def _action(preview: Preview, seen: Observation, resource: Resource) -> Action:
    match preview.effect:
        case PreviewEffect.NONE:
            return Action.NOOP
        case PreviewEffect.CREATE:
            return Action.CREATE
        case PreviewEffect.UPDATE:
            # Only objects of a cluster carry the label that says whose they are.
            labelled = not is_hwplan_kind(resource.api_version)
            ours = isinstance(seen, PresentObject) and seen.owned_by == resource.owned_by
            return Action.UPDATE if ours or not labelled else Action.ADOPT
        case PreviewEffect.REPLACE:
            return Action.REPLACE
        case PreviewEffect.RUN:
            return Action.RUN
        case _ as never:
            assert_never(never)


def _action_if(seen: Observation) -> Action:
    return Action.CREATE if isinstance(seen, AbsentObject) else Action.UPDATE


def _reason(preview: Preview, action: Action) -> str:
    """Why, for the reader only: `declared`, `drifted`, both, `adopted`, or the field that forces a replace."""
    if action is Action.NOOP:
        return f"not ready: {preview.awaiting}"
    if action is Action.ADOPT:
        return "adopted"
    if action is Action.RUN and preview.evidence and preview.on_change is None:
        return f"declared, {preview.evidence}"
    foreign = any(change.manager for change in preview.fields)
    if preview.drifted:
        return "drifted"
    return "declared, drifted" if foreign else "declared"
