"""The plan as a JSON document: its keys (spec 05, "The plan as JSON") and its bytes. Pure; decides nothing.

The id in it is the digest of what the plan does (planner.plan_id). The file form is the document, indented, with a
final newline. A file is believed only when writing what was read gives the same bytes again, and its checksum is that
of all of it but what guards said when it was shown, which is not read.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeAlias

from planner import __version__
from planner.address import Address
from planner.errors import ForeignPlan
from planner.field_path import parse_path, render_path
from planner.json_shape import json_shape_fault
from planner.plan import (
    SCHEMA_VERSION,
    Action,
    BlockedResource,
    Change,
    ClusterIdentity,
    DriftedField,
    FieldChange,
    FieldOp,
    Plan,
    Precondition,
    Selection,
    SideEffect,
    SideEffectKind,
    VerifiedBy,
)
from planner.plan_id import plan_id
from planner.plan_shape import PLAN_SHAPE
from planner.source_ref import SourceRef
from planner.values import (
    JsonObject,
    JsonValue,
    canonical_bytes,
    decode_special_leaves,
    document_digest,
    encode_special_leaves,
)

_TOOL = "hwplan"
_GUARDS = "guards"
_REMARKS = (_GUARDS, "change", "origins")  # what a page says beside the plan: no part of it, and not read back
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_COUNTED_WHERE_IT_IS = (Action.NOOP, Action.FORGET)  # a file of an older version, without the key, has the same id
_Home: TypeAlias = tuple[str, str]  # node and lane of a plan that has one of each


def plan_document(plan: Plan) -> JsonObject:
    """The document of a plan, its `id` and `checksum` included."""
    whole = _whole(plan, plan_id(plan))
    return {"checksum": document_digest(whole), **whole}


def dump_plan(plan: Plan, *, guards: Sequence[JsonObject] = (), change: JsonObject | None = None,
              origins: Sequence[JsonObject] = ()) -> bytes:  # fmt: skip
    """The bytes of a plan file. The others are remarks that the plan is shown with, and a file has none of them: what
    guards say on this machine, which change is reviewed, and which lines declare its fields."""
    said = {_GUARDS: list(guards), "change": change, "origins": list(origins)}
    return _file_bytes({**plan_document(plan), **{key: value for key, value in said.items() if value}})


def encode_compact_plan(plan: Plan, identifier: str) -> bytes:
    """The bytes that a state keeps of a plan with this id: the same document without white space, in a tenth of the
    time. Each value is made into bytes once, for the checksum and for the document with it."""
    parts = {key: canonical_bytes(value) for key, value in _whole(plan, identifier).items()}
    checksum = hashlib.sha256()
    for piece in _pieces(parts):
        checksum.update(piece)
    parts["checksum"] = canonical_bytes(f"sha256:{checksum.hexdigest()}")
    return b"".join(_pieces(parts))


def _pieces(parts: Mapping[str, bytes]) -> Iterator[bytes]:
    """The canonical bytes of an object whose values are such bytes."""
    for number, key in enumerate(sorted(parts)):
        yield b"," if number else b"{"
        yield canonical_bytes(key)
        yield b":"
        yield parts[key]
    yield b"}" if parts else b"{}"


def load_plan(data: bytes) -> Plan:
    """Read a plan file, or what a state keeps.

    Raises ForeignPlan when it is no plan, of another version, or changed by one byte.
    """
    try:
        body = json.loads(data)
        version = body["schemaVersion"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ForeignPlan("this is not a plan file", remedy="make one: hwplan plan --out FILE") from None
    if type(version) is not int or version != SCHEMA_VERSION:
        shown = version if type(version) is int else "of no number"
        raise ForeignPlan(
            f"the plan has schema version {shown}, this hwplan reads {SCHEMA_VERSION}", remedy="plan again"
        )
    if not _is_as_written(body, data):
        raise ForeignPlan("the plan file was changed after it was saved", remedy="plan again; a plan is never edited")
    try:
        if json_shape_fault(PLAN_SHAPE, body):
            raise ValueError
        plan = _plan(body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ForeignPlan("the plan file is not complete", remedy="plan again") from None
    if body.get("id") != plan_id(plan):
        raise ForeignPlan("the plan file has the id of another plan", remedy="plan again; a plan is never edited")
    return plan


def _is_as_written(body: JsonObject, data: bytes) -> bool:
    """Whether the bytes are those of the document, and its checksum is that of its content."""
    content = {key: value for key, value in body.items() if key not in ("checksum", *_REMARKS)}
    try:
        return body.get("checksum") == document_digest(content) and data in (canonical_bytes(body), _file_bytes(body))
    except (ValueError, RecursionError):  # no text, no number, or nested deeper than anything that was written here
        return False


def _whole(plan: Plan, identifier: str) -> JsonObject:
    return {"id": identifier, **_body(plan)}


def _file_bytes(body: JsonObject) -> bytes:
    text = io.StringIO()
    _indent(body, "\n", text.write)
    text.write("\n")
    return text.getvalue().encode()


def _indent(value: JsonValue, line: str, write: Callable[[str], object]) -> None:
    """`json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False)` in a tenth of its time and memory: that one
    passes every word up through a generator for each level. `line` is the line break before what stands beside value.
    """
    if isinstance(value, dict) and value:
        below = line + " "
        comma = "{" + below
        for key in sorted(value):
            item = value[key]
            if item.__class__ is str:
                write(f"{comma}{_ENCODE(key)}: {_ENCODE(item)}")
            else:
                write(f"{comma}{_ENCODE(key)}: ")
                _indent(item, below, write)
            comma = "," + below
        write(line + "}")
    elif isinstance(value, (list, tuple)) and value:
        below = line + " "
        comma = "[" + below
        for item in value:
            write(comma)
            _indent(item, below, write)
            comma = "," + below
        write(line + "]")
    else:
        write(_ENCODE(value))


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
        **_ownership(change),
        "wait": change.wait,
        "waitSeconds": change.wait_seconds,
        "made": [{"path": render_path(path), "value": encode_special_leaves(leaf)} for path, leaf in change.made],
    }


def _ownership(change: Change) -> JsonObject:
    """Keys that stand only where there is something to say: most changes move no ownership."""
    moved = {"takeOver": list(change.take_over), "claims": [render_path(path) for path in change.claims]}
    return {key: value for key, value in moved.items() if value}


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


# Reading


def _plan(body: JsonObject) -> Plan:
    names = {item["address"]: _address(item) for item in body["changes"]}
    if len(names) != len(body["changes"]):
        raise ValueError("one address twice")
    return Plan(
        selection=Selection(**{key: _frozen(value) for key, value in body["selection"].items()}),
        cluster=ClusterIdentity(**body["cluster"]),
        inputs_config=body["inputs"]["config"],
        inputs_live=body["inputs"]["live"],
        changes=tuple(_read_change(item, names) for item in body["changes"]),
        blocked=tuple(_read_blocked(item) for item in body["blocked"]),
        drift=tuple(_read_drift(item) for item in body["drift"]),
        warnings=tuple(body["warnings"]),
        unchanged=body["summary"]["noop"],
        destroy=body["destroy"],
        sets_off=tuple(_read_effect(one) for one in body.get("effects", ())),
    )


def _read_effect(item: JsonObject) -> SideEffect:
    return SideEffect(_address(item), SideEffectKind(item["effect"]), item["text"])


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _address(item: JsonObject) -> Address:
    bare = Address("", item["kind"], item["group"], item["namespace"], item["name"])
    return replace(bare, node_lane=item["address"].removesuffix(bare.local).removesuffix(":"))


def _read_change(item: JsonObject, names: dict[str, Address]) -> Change:
    return Change(
        address=names[item["address"]],
        action=Action(item["action"]),
        api_version=item["apiVersion"],
        scope=item["scope"],
        reason=item["reason"],
        precondition=Precondition(**item["precondition"]),
        source=SourceRef(**item["source"]),
        desired=decode_special_leaves(item["desired"]),
        fields=tuple(parse_field_change(field) for field in item["fields"]),
        needs=tuple(names[need] for need in item["needs"]),
        verified=VerifiedBy(item["verified"]),
        expects=item["expects"],
        forced=tuple(parse_path(path) for path in item["forced"]),
        migrate=item["migrate"],
        take_over=tuple(item.get("takeOver", ())),
        claims=tuple(parse_path(path) for path in item.get("claims", ())),
        wait=item["wait"],
        wait_seconds=item["waitSeconds"],
        made=tuple((parse_path(one["path"]), decode_special_leaves(one["value"])) for one in item.get("made", ())),
    )


def _read_blocked(item: JsonObject) -> BlockedResource:
    return BlockedResource(
        _address(item),
        Action(item["action"]),
        item["reason"],
        item["evidence"],
        item["remedy"],
        SourceRef(**item["source"]),
        tuple(parse_field_change(field) for field in item["fields"]),
    )


def _read_drift(item: JsonObject) -> DriftedField:
    (field,) = item["fields"]
    return DriftedField(_address(item), parse_field_change(field), item["declared"], item.get("harmless", ""))


def parse_field_change(item: JsonObject) -> FieldChange:
    """The reverse of `field_change_document`. Raises KeyError and ValueError for anything else."""
    return FieldChange(
        parse_path(item["path"]),
        FieldOp(item["op"]),
        decode_special_leaves(item.get("before")),
        decode_special_leaves(item.get("after")),
        item["sensitive"],
        item.get("manager", ""),
        item.get("time", ""),
    )
