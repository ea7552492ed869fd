"""What distinguishes two plans: in one line for a refused approval, or change by change. Pure; decides nothing."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TypeAlias

from planner.address import Address
from planner.dataclass import dataclass
from planner.field_path import render_path
from planner.plan import Action, BlockedResource, Change, FieldChange, FieldOp, Plan
from planner.values import JsonValue, encode_special_leaves


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """What two plans do to one resource, in a word each ("" for nothing), and how that differs."""

    address: Address
    before: str
    after: str
    text: str


def plan_differences(before: Plan, after: Plan) -> tuple[PlanDifference, ...]:
    """Each resource that the plans do not do the same to, by address. What is only waited for is no change."""
    old, new = _decisions(before), _decisions(after)
    found = (_decision_difference(address, old.get(address), new.get(address)) for address in {**old, **new})
    return tuple(sorted((one for one in found if one), key=lambda one: one.address))


_Decision: TypeAlias = Change | BlockedResource


def _decisions(plan: Plan) -> dict[Address, _Decision]:
    done = (change for change in plan.changes if change.action is not Action.NOOP)
    decisions: tuple[_Decision, ...] = (*done, *plan.blocked)
    return {one.address: one for one in decisions}


def _decision_difference(address: Address, old: _Decision | None, new: _Decision | None) -> PlanDifference | None:
    words = _word(old), _word(new)
    if isinstance(old, Change) and isinstance(new, Change):
        text = _difference(old, new) or (_needs_difference(old, new) if old != new else "")
    else:
        text = "" if words[0] == words[1] else f"{words[0] or 'nothing'} became {words[1] or 'nothing'}"
    return PlanDifference(address, *words, text) if text else None


def _word(decision: _Decision | None) -> str:
    if isinstance(decision, BlockedResource):
        return "blocked"
    return str(decision.action) if decision else ""


def _needs_difference(old: Change, new: Change) -> str:
    if (old.forced, old.take_over, old.claims) != (new.forced, new.take_over, new.claims):
        return "other fields are taken from their managers"
    if (old.wait, old.wait_seconds) != (new.wait, new.wait_seconds):
        return "it is waited for otherwise"
    return "another order" if set(old.needs) != set(new.needs) else ""


def first_plan_difference(approved: Plan, now: Plan) -> str:
    """The first thing in execution order that `now` says and `approved` did not, or the other way round."""
    if approved.cluster.uid != now.cluster.uid:
        return f"approved for cluster {approved.cluster.uid[:8]}, this is {now.cluster.uid[:8]}"
    before = {change.address: change for change in approved.changes}
    for change in now.changes:
        if (old := before.pop(change.address, None)) is None:
            return f"{change.address}: {change.action} was not in it"
        if old != change and (text := _difference(old, change)):
            return f"{change.address}: {text}"
    if before:
        gone = next(iter(before.values()))
        return f"{gone.address}: {gone.action} was in it, and is not wanted any more"
    return _besides_changes(approved, now)


def _difference(old: Change, new: Change) -> str:
    if old.action is not new.action:
        return f"{old.action} became {new.action}"
    for one, other in zip_longest(old.fields, new.fields):
        if one is None or other is None or one.path != other.path:
            return f"another field: {render_path((other or one).path)}"
        if (one.op, one.before, one.after) != (other.op, other.before, other.after):
            return f"{render_path(one.path)}: {_both(_told(one), _told(other))}"
    if old.precondition != new.precondition:
        return "the live object changed since"
    return "" if old.desired == new.desired else "the document to write is another one"


def _both(approved: str, now: str) -> str:
    return f"approved was {approved}, now it is {now}" if approved != now else "another value"


_LONGEST = 60  # characters of one value


def _told(change: FieldChange) -> str:
    """A change in a few words; of a secret not even a fingerprint, which says nothing to a reader of an error."""
    if change.sensitive:
        return f"{change.op} of a secret"
    if change.op is FieldOp.CHANGE:
        return f"{_short(change.before)} -> {_short(change.after)}"
    return f"{change.op} {_short(change.after if change.op is FieldOp.ADD else change.before)}"


def _short(value: JsonValue) -> str:
    text = json.dumps(encode_special_leaves(value), sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… +{len(text) - _LONGEST} characters"


def _besides_changes(approved: Plan, now: Plan) -> str:
    blocked = {one.address for one in approved.blocked} ^ {one.address for one in now.blocked}
    if blocked:
        return f"{min(blocked)}: blocked in one of them only"
    if approved.inputs_config != now.inputs_config:
        return "the configuration is another one, with the same changes"
    if approved.selection != now.selection:
        return "another selection"
    if approved.inputs_live != now.inputs_live:
        return "an object that needs no change was deleted, made or made again"
    return "the evidence (drift, warnings, who changed what and when) is another one"
