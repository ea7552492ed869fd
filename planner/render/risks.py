"""What a reviewer must not overlook: the dangerous parts of a plan, found by rule and reported in a fixed order.

Pure over a Plan, all text safe to show. It warns and decides nothing: what is refused is decided by the guards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from planner.dataclass import dataclass
from planner.field_path import FieldPath, render_path
from planner.plan import LEAVING, Action, BlockedResource, Change, FieldChange, FieldOp, Plan, SideEffectKind
from planner.render.blocked_reasons_and_warnings import blocked_reason, source_location
from planner.render.loosened_lane_rules import lane_rules_loosened_by_change
from planner.resource import PROTECT, REPLACE, WAIT
from planner.text_safe import safe_text
from planner.values import Json, JsonValue

_MOST_FIELDS = 4  # named in one line
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")


class RiskKind(StrEnum):
    """Kinds of risk, the gravest first. The value is what a reader sees."""

    BLOCKED = "blocked"
    LOSS = "data loss"
    OUTAGE = "downtime"
    BROKEN = "broken reference"
    DELETE = "delete"
    REPLACE = "replace"
    COMMAND = "command"
    GATE = "gate loosened"
    RETENTION = "retention shortened"
    FORCED = "overwritten fields"
    SECRET = "secret changed"  # noqa: S105 - a word for the reader
    STALE = "old value stays"
    ADOPT = "adopt"


_OF_EFFECTS = {
    SideEffectKind.LOSS: RiskKind.LOSS,
    SideEffectKind.OUTAGE: RiskKind.OUTAGE,
    SideEffectKind.BROKEN: RiskKind.BROKEN,
    SideEffectKind.STALE: RiskKind.STALE,
}


SHOWN_AS_RISKS = frozenset(_OF_EFFECTS)  # effects that stand in the list of risks: a page with both says them once


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk of a plan: its kind, the object, and what exactly. `address` is written as elsewhere on the page."""

    danger: RiskKind
    address: str
    text: str
    remedy: str = ""


def find_risks(plan: Plan) -> tuple[Risk, ...]:
    """Find every risk of the plan; by danger, and then in the order of execution."""
    placed = len({change.address.node_lane for change in plan.changes}) > 1
    found = [_blocked(blocked, placed) for blocked in plan.blocked]
    for change in plan.changes:
        name = safe_text(str(change.address) if placed else change.address.local)
        found += [Risk(danger, name, text) for danger, text in _dangers(change)]
    found += [
        Risk(_OF_EFFECTS[one.kind], safe_text(str(one.address) if placed else one.address.local), safe_text(one.text))
        for one in plan.sets_off
        if one.kind in _OF_EFFECTS
    ]
    order = list(RiskKind)
    return tuple(sorted(found, key=lambda risk: order.index(risk.danger)))


def _blocked(blocked: BlockedResource, placed: bool) -> Risk:
    name = safe_text(str(blocked.address) if placed else blocked.address.local)
    where = source_location(blocked.source)
    remedy = "  ".join(part for part in (safe_text(blocked.remedy), f"({where})" if where else "") if part)
    return Risk(RiskKind.BLOCKED, name, blocked_reason(blocked), remedy)


def _dangers(change: Change) -> Iterator[tuple[RiskKind, str]]:
    match change.action:
        case Action.DELETE:
            yield RiskKind.DELETE, "no longer declared" if change.reason == "pruned" else safe_text(change.reason)
        case Action.REPLACE:
            yield RiskKind.REPLACE, safe_text(change.reason)
        case Action.ADOPT:
            yield RiskKind.ADOPT, safe_text(change.reason)
        case Action.RUN:
            yield from _of_a_run(change)
        case _:
            pass
    if change.forced:
        yield RiskKind.FORCED, _listed([_taken(change, path) for path in change.forced])
    if change.action in (Action.CREATE, *LEAVING, Action.NOOP):
        return  # a create rotates and loosens nothing; a delete is reported as such
    secret = [item for item in change.fields if item.sensitive and item.op in (FieldOp.CHANGE, FieldOp.REMOVE)]
    if secret:
        yield RiskKind.SECRET, _listed([render_path(item.path) for item in secret])
    rules = list(lane_rules_loosened_by_change(change))
    if shortened := [text for retained, text in rules if retained]:
        yield RiskKind.RETENTION, _listed(shortened)
    gates = [text for item in change.fields if (text := _loosened(change, item))]
    gates += [text for retained, text in rules if not retained]
    if gates:
        yield RiskKind.GATE, _listed(gates)


def _of_a_run(change: Change) -> Iterator[tuple[RiskKind, str]]:
    """What a run takes away, and what it has a container do."""
    if removed := [render_path(item.path) for item in change.fields if item.op is FieldOp.REMOVE]:
        yield RiskKind.DELETE, _listed(removed)
    spec = (change.desired or {}).get("spec") or {}
    if change.address.kind == "PodExec":
        yield RiskKind.COMMAND, safe_text(f"{' '.join(map(str, spec.get('command') or ()))} in {spec.get('target')}")


def _taken(change: Change, path: FieldPath) -> str:
    """A field and whose it is, where that is known."""
    owner = next((item.manager for item in change.fields if item.path == path and item.manager), "")
    return f"{render_path(path)} (set by {owner})" if owner else render_path(path)


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - _MOST_FIELDS} more" if len(texts) > _MOST_FIELDS else ""
    return ", ".join(safe_text(text) for text in texts[:_MOST_FIELDS]) + more


def _loosened(change: Change, item: FieldChange) -> str:
    """What this field takes away from the checks that guard a rollout; empty when nothing."""
    if item.sensitive or item.op is FieldOp.DISOWN:
        return ""
    path = render_path(item.path)
    if option := _option(item):
        return option
    before, after = _gate(change, item, item.before), _gate(change, item, item.after)
    if before and not after:
        return f"{path} is no longer a gate"
    if change.address.kind == "HttpProbe" and item.op is FieldOp.REMOVE and item.path[:2] == ("spec", "expect"):
        return f"{path} is no longer expected"
    lost = [name for name in _PROBES if _holds(item.path, item.before, name) and not _holds((), item.after, name)]
    gone = [name for name in lost if not (name in item.path and item.op is not FieldOp.REMOVE)]
    return f"{path} loses {', '.join(gone)}" if gone else ""


def _option(item: FieldChange) -> str:
    """An annotation of ours that let less happen before than it does now."""
    before, after = _annotations(item.path, item.before), _annotations(item.path, item.after)
    if before.get(PROTECT) == "true" != after.get(PROTECT):
        return "it is no longer protected"
    if after.get(WAIT) == "none" != before.get(WAIT):
        return "its readiness is no longer waited for"
    return "it may be replaced from now on" if after.get(REPLACE) == "allow" != before.get(REPLACE) else ""


def _annotations(path: FieldPath, value: JsonValue) -> Mapping[str, Json]:
    """The annotations on one side of a field: one of them, or all."""
    if path[:2] != ("metadata", "annotations") or len(path) > 3:
        return {}
    if len(path) == 3:
        return {} if value is None else {str(path[2]): value}
    return value if isinstance(value, dict) else {}


def _gate(change: Change, item: FieldChange, value: JsonValue) -> bool:
    """Whether this side of the field makes the probe a gate."""
    if change.address.kind != "HttpProbe":
        return False
    if item.path == ("spec", "role"):
        return bool(value == "gate")
    return item.path == ("spec",) and isinstance(value, dict) and value.get("role") == "gate"


def _holds(path: tuple[object, ...], value: JsonValue, name: str) -> bool:
    """Whether a container probe is what the path ends in, or stands somewhere inside the value."""
    if path and path[-1] == name:
        return True
    if isinstance(value, dict):
        return name in value or any(_holds((), item, name) for item in value.values())
    return isinstance(value, list) and any(_holds((), item, name) for item in value)
