"""The plan that a JSON document describes: the reverse of planner.plan_document. Pure; checks no file."""

from __future__ import annotations

from typing import Any

from planner.address import Address
from planner.field_path import parse_path
from planner.plan import (
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
from planner.source_line_ref import SourceRef
from planner.values import (
    JsonObject,
    decode_special_leaves,
)


def plan_of_document(body: JsonObject) -> Plan:
    """The plan. Raises ValueError, KeyError, TypeError and AttributeError for a document of another shape."""
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
    return bare._replace(node_lane=item["address"].removesuffix(bare.local).removesuffix(":"))


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
        in_clear=tuple(parse_path(path) for path in item.get("inClear", ())),
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
