"""The plan as a JSON document: its keys (spec 05, "The plan as JSON"), its bytes and its id. Pure; decides nothing.

The id is that of what the plan does and of what it saw (docs/adr/0025): whoever makes the same plan of the same world
gets the same id, from the cluster or from a snapshot of it. The file form is the document, indented, with a final
newline. A file is believed only when writing what was read gives the same bytes again, and its checksum is that of all
of it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any, TypeAlias

from planner import __version__
from planner.address import Address
from planner.errors import ForeignPlan
from planner.path import parse, render
from planner.plan import (
    SCHEMA_VERSION,
    Action,
    Blocked,
    Change,
    ClusterIdentity,
    Drift,
    FieldChange,
    FieldOp,
    Plan,
    Precondition,
    Selection,
    Verified,
)
from planner.source import SourceRef
from planner.values import JsonObject, canonical, decode, digest, encode

_TOOL = "hwplan"
_Home: TypeAlias = tuple[str, str]  # node and lane of a plan that has one of each


def document(plan: Plan) -> JsonObject:
    """The document of a plan, its `id` and `checksum` included."""
    body = _body(plan)
    whole = {"id": digest(_decided(body)), **body}
    return {"checksum": digest(whole), **whole}


def plan_id(plan: Plan) -> str:
    """`sha256:<hex>` of the canonical bytes of the document, less `id` and what only tells where it was made."""
    return digest(_decided(_body(plan)))


def _decided(body: JsonObject) -> JsonObject:
    """What an approval is about: everything but who was asked.

    A snapshot predicts what the server does, but by schemas (`verified`); it says that it is none (`simulated`); the
    same cluster has one `server` name for a job inside and another for a laptop, and one `uid`; `warnings` are what
    those who were asked said besides.
    """
    return {
        **{key: value for key, value in body.items() if key != "warnings"},
        "cluster": {"uid": body["cluster"]["uid"]},
        "changes": [{key: value for key, value in change.items() if key != "verified"} for change in body["changes"]],
    }


def dump(plan: Plan) -> bytes:
    """The bytes of a plan file."""
    return _file_bytes(document(plan))


def compact(plan: Plan) -> tuple[str, bytes]:
    """The id, and the bytes that a state keeps: the same document without white space, in a tenth of the time."""
    whole = document(plan)
    return str(whole["id"]), canonical(whole)


def load(data: bytes) -> Plan:
    """Read a plan file, or what a state keeps.

    Raises ForeignPlan when it is no plan, of another version, or changed by one byte.
    """
    try:
        body = json.loads(data)
        version = body["schemaVersion"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ForeignPlan("this is not a plan file", remedy="make one: hwplan plan --out FILE") from None
    if version != SCHEMA_VERSION:
        raise ForeignPlan(
            f"the plan has schema version {version!r}, this hwplan reads {SCHEMA_VERSION}", remedy="plan again"
        )
    content = {key: value for key, value in body.items() if key != "checksum"}
    if body.get("checksum") != digest(content) or data not in (canonical(body), _file_bytes(body)):
        raise ForeignPlan("the plan file was changed after it was saved", remedy="plan again; a plan is never edited")
    try:
        plan = _plan(body)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ForeignPlan("the plan file is not complete", remedy="plan again") from None
    if body.get("id") != plan_id(plan):
        raise ForeignPlan("the plan file has the id of another plan", remedy="plan again; a plan is never edited")
    return plan


def _file_bytes(body: JsonObject) -> bytes:
    return json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _body(plan: Plan) -> JsonObject:
    home = (_only(plan.selection.nodes), _only(plan.selection.lanes))
    drifted = {drift.address for drift in plan.drift}
    drifted |= {change.address for change in plan.changes if any(field.manager for field in change.fields)}
    counts = Counter(str(change.action) for change in plan.changes if change.action is not Action.NOOP)
    summary = {str(action): counts[str(action)] for action in Action if action is not Action.NOOP}
    return {
        "schemaVersion": SCHEMA_VERSION,
        "tool": {"name": _TOOL, "version": __version__},
        "selection": {key: list(value) if isinstance(value, tuple) else value for key, value in _of(plan.selection)},
        "cluster": asdict(plan.cluster),
        "inputs": {"config": plan.inputs_config, "live": plan.inputs_live},
        "destroy": plan.destroy,
        "summary": {**summary, "noop": plan.unchanged, "blocked": len(plan.blocked), "drifted": len(drifted)},
        "changes": [_change(change, order, home) for order, change in enumerate(plan.changes, 1)],
        "blocked": [_blocked(blocked, home) for blocked in plan.blocked],
        "drift": [_drift(drift, home) for drift in plan.drift],
        "warnings": list(plan.warnings),
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
        "precondition": asdict(change.precondition),
        "source": asdict(change.source),
        "fields": [field_document(field) for field in change.fields],
        "desired": encode(change.desired),
        "expects": change.expects,
        "forced": [render(path) for path in change.forced],
        "migrate": change.migrate,
        "wait": change.wait,
        "waitSeconds": change.wait_seconds,
    }


def _blocked(blocked: Blocked, home: _Home) -> JsonObject:
    return {
        **address_document(blocked.address, home),
        "action": str(blocked.action),
        "reason": blocked.reason,
        "evidence": blocked.evidence,
        "remedy": blocked.remedy,
        "source": asdict(blocked.source),
        "fields": [field_document(field) for field in blocked.fields],
    }


def _drift(drift: Drift, home: _Home) -> JsonObject:
    reason = "set by another manager" if drift.declared else "not declared"
    return {
        **address_document(drift.address, home),
        "declared": drift.declared,
        "reason": reason,
        "fields": [field_document(drift.field)],
    }


def address_document(address: Address, home: _Home) -> JsonObject:
    """The address, whole and in parts. It carries its place only where a plan spans several (spec 05)."""
    node, _, lane = address.place.partition("/")
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


def field_document(field: FieldChange) -> JsonObject:
    """`before` stands where there was a value, `after` where there will be one; null is a value."""
    sides: JsonObject = {}
    if field.op is not FieldOp.ADD:
        sides["before"] = encode(field.before)
    if field.op is not FieldOp.REMOVE:
        sides["after"] = encode(field.after)
    who = {"manager": field.manager, "time": field.time} if field.manager else {}
    return {"path": render(field.path), "op": str(field.op), **sides, "sensitive": field.sensitive, **who}


# Reading


def _plan(body: JsonObject) -> Plan:
    names = {item["address"]: _address(item) for item in body["changes"]}
    return Plan(
        selection=Selection(**{key: _frozen(value) for key, value in body["selection"].items()}),
        cluster=ClusterIdentity(**body["cluster"]),
        inputs_config=body["inputs"]["config"],
        inputs_live=body["inputs"]["live"],
        changes=tuple(_read_change(item, names) for item in body["changes"]),
        blocked=tuple(_read_blocked(item) for item in body["blocked"]),
        drift=tuple(Drift(_address(item), read_field(item["fields"][0]), item["declared"]) for item in body["drift"]),
        warnings=tuple(body["warnings"]),
        unchanged=body["summary"]["noop"],
        destroy=body["destroy"],
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _address(item: JsonObject) -> Address:
    bare = Address("", item["kind"], item["group"], item["namespace"], item["name"])
    return replace(bare, place=item["address"].removesuffix(bare.local).removesuffix(":"))


def _read_change(item: JsonObject, names: dict[str, Address]) -> Change:
    return Change(
        address=names[item["address"]],
        action=Action(item["action"]),
        api_version=item["apiVersion"],
        scope=item["scope"],
        reason=item["reason"],
        precondition=Precondition(**item["precondition"]),
        source=SourceRef(**item["source"]),
        desired=decode(item["desired"]),
        fields=tuple(read_field(field) for field in item["fields"]),
        needs=tuple(names[need] for need in item["needs"]),
        verified=Verified(item["verified"]),
        expects=item["expects"],
        forced=tuple(parse(path) for path in item["forced"]),
        migrate=item["migrate"],
        wait=item["wait"],
        wait_seconds=item["waitSeconds"],
    )


def _read_blocked(item: JsonObject) -> Blocked:
    return Blocked(
        _address(item),
        Action(item["action"]),
        item["reason"],
        item["evidence"],
        item["remedy"],
        SourceRef(**item["source"]),
        tuple(read_field(field) for field in item["fields"]),
    )


def read_field(item: JsonObject) -> FieldChange:
    """The reverse of `field_document`. Raises KeyError and ValueError for anything else."""
    return FieldChange(
        parse(item["path"]),
        FieldOp(item["op"]),
        decode(item.get("before")),
        decode(item.get("after")),
        item["sensitive"],
        item.get("manager", ""),
        item.get("time", ""),
    )
