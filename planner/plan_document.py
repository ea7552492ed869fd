"""The plan as a JSON document: its keys (spec 05, "The plan as JSON"). Pure; decides nothing, knows no file.

The id in it is the digest of what the plan does (planner.plan_id).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any, TypeAlias

from planner import __version__
from planner.address import Address
from planner.document_editing import replace_value
from planner.field_path import render_path
from planner.plan import (
    SCHEMA_VERSION,
    Action,
    BlockedResource,
    Change,
    DriftedField,
    FieldChange,
    FieldOp,
    Plan,
)
from planner.plan_id import plan_id
from planner.redaction.redactor import MASK
from planner.values import (
    JsonObject,
    document_digest,
    encode_special_leaves,
)

_TOOL = "hwplan"
_COUNTED_WHERE_IT_IS = (Action.NOOP, Action.FORGET)  # a file of an older version, without the key, has the same id
_Home: TypeAlias = tuple[str, str]  # node and lane of a plan that has one of each


def plan_document(plan: Plan) -> JsonObject:
    """The document of a plan, its `id` and `checksum` included."""
    whole = plan_document_with_id(plan, plan_id(plan))
    return {"checksum": document_digest(whole), **whole}


def masked_plan_document(plan: Plan) -> JsonObject:
    """The same with the values of secrets masked that a change repeats in clear: what is shown. Where there is one, id
    and checksum stay those of the plan, so that it is not taken for the plan's file (docs/adr/0051)."""
    document = plan_document(plan)
    if any(change.in_clear for change in plan.changes):
        masked = replace(plan, changes=tuple(map(_masked, plan.changes)))
        document["changes"] = _body(masked)["changes"]
    return document


def _masked(change: Change) -> Change:
    masked = change.desired or {}
    for path in change.in_clear:
        masked = replace_value(masked, path, MASK) if path else {}
    return replace(change, desired=masked) if change.in_clear else change


def plan_document_with_id(plan: Plan, identifier: str) -> JsonObject:
    """The document with this `id`, without a checksum."""
    return {"id": identifier, **_body(plan)}


def _body(plan: Plan) -> JsonObject:
    home = (_only(plan.selection.nodes), _only(plan.selection.lanes))
    drifted = {drift.address for drift in plan.drift}
    drifted |= {change.address for change in plan.changes if any(field.manager for field in change.fields)}
    counts = Counter(str(change.action) for change in plan.changes if change.action is not Action.NOOP)
    summary = {str(action): counts[str(action)] for action in Action if action not in _COUNTED_WHERE_IT_IS}
    summary |= {str(Action.FORGET): counts[str(Action.FORGET)]} if counts[str(Action.FORGET)] else {}
    return {
        "schemaVersion": SCHEMA_VERSION,
        "tool": {"name": _TOOL, "version": __version__},
        "selection": {key: list(value) if isinstance(value, tuple) else value for key, value in _of(plan.selection)},
        "cluster": asdict(plan.cluster),
        "inputs": {"config": plan.inputs_config, "live": plan.inputs_live},
        "destroy": plan.destroy,
        "applyable": plan.applyable,
        "complete": plan.complete,
        "errored": bool(plan.blocked),
        "summary": {**summary, "noop": plan.unchanged, "blocked": len(plan.blocked), "drifted": len(drifted)},
        "changes": [_change(change, order, home) for order, change in enumerate(plan.changes, 1)],
        "blocked": [_blocked(blocked, home) for blocked in plan.blocked],
        "drift": [_drift(drift, home) for drift in plan.drift],
        "warnings": list(plan.warnings),
        "effects": [
            {**address_document(one.address, home), "effect": str(one.kind), "text": one.text} for one in plan.sets_off
        ],
    }


def _of(value: Any) -> Iterable[tuple[str, Any]]:
    return asdict(value).items()


def _change(change: Change, order: int, home: _Home) -> JsonObject:
    address = change.address
    return {
        "order": order,
        **address_document(address, home),
        "action": str(change.action),
        "apiVersion": change.api_version,
        "scope": change.scope,
        "reason": change.reason,
        "needs": [str(need) for need in change.needs],
        "verified": str(change.verified),
        "precondition": change.precondition.document(),
        "source": change.source.document(),
        "fields": [field_change_document(field) for field in change.fields],
        "desired": encode_special_leaves(change.desired),
        "expects": change.expects,
        "forced": [render_path(path) for path in change.forced],
        "migrate": change.migrate,
        **_where_any(change),
        "wait": change.wait,
        "waitSeconds": change.wait_seconds,
        "made": [{"path": render_path(path), "value": encode_special_leaves(leaf)} for path, leaf in change.made],
    }


def _where_any(change: Change) -> JsonObject:
    """Keys that stand only where there is something to say: most changes move no ownership and repeat no secret."""
    moved = {"takeOver": list(change.take_over), "claims": [render_path(path) for path in change.claims]}
    clear = {"inClear": [render_path(path) for path in change.in_clear]}
    return {key: value for key, value in (moved | clear).items() if value}


def _blocked(blocked: BlockedResource, home: _Home) -> JsonObject:
    return {
        **address_document(blocked.address, home),
        "action": str(blocked.action),
        "reason": blocked.reason,
        "evidence": blocked.evidence,
        "remedy": blocked.remedy,
        "source": blocked.source.document(),
        "fields": [field_change_document(field) for field in blocked.fields],
    }


def _drift(drift: DriftedField, home: _Home) -> JsonObject:
    reason = "set by another manager" if drift.declared else "not declared"
    harmless = {"harmless": drift.harmless} if drift.harmless else {}
    return {
        **address_document(drift.address, home),
        "declared": drift.declared,
        "reason": reason,
        "fields": [field_change_document(drift.field)],
        **harmless,
    }


def address_document(address: Address, home: _Home) -> JsonObject:
    """The address, whole and in parts. It carries its place only where a plan spans several (spec 05)."""
    node, _, lane = address.node_lane.partition("/")
    return {
        "address": str(address),
        "kind": address.kind,
        "group": address.group,
        "namespace": address.namespace,
        "name": address.name,
        "node": node or home[0],
        "lane": lane or home[1],
    }


def _only(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ""


def field_change_document(field: FieldChange) -> JsonObject:
    """`before` stands where there was a value, `after` where there will be one; null is a value."""
    sides: JsonObject = {}
    if field.op is not FieldOp.ADD:
        sides["before"] = encode_special_leaves(field.before)
    if field.op is not FieldOp.REMOVE:
        sides["after"] = encode_special_leaves(field.after)
    who = {"manager": field.manager, "time": field.time} if field.manager else {}
    return {"path": render_path(field.path), "op": str(field.op), **sides, "sensitive": field.sensitive, **who}
