"""The effect of a plan, and the plan's id: the digest of it. What an approval is about, and nothing else. Pure.

The effect is the cluster and, by address, what is done to each resource: action, document, predicted fields,
precondition, needs, forced fields, migration, waits; and which resources are blocked. Left out is everything that
changes no byte of what the executor sends: where a document stands, reasons, warnings, drift, versions, how the
selection was spelled, the position in the plan, resources that are only waited for (docs/adr/0030).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner.address import Address, is_hwplan_kind
from planner.document_editing import remove_field, replace_value
from planner.field_path import render_path
from planner.plan import Action, Change, FieldChange, FieldOp, Plan
from planner.resource import APPLIED
from planner.values import (
    Json,
    JsonObject,
    JsonValue,
    OutputRef,
    OutputTemplate,
    SealedSecret,
    document_digest,
    encode_special_leaves,
    is_plain_json,
    outputs_in_document,
)

CHANGE = "change of "  # before the name of what a plan does besides what follows a merge
SHOWN_DIGITS = 32  # hex digits of an id that are enough to approve by: 128 bits


def plan_id(plan: Plan) -> str:
    """`sha256:<hex>` of the effect of `plan`."""
    return document_digest(document_hashed_for_plan_id(plan))


def short_plan_id(identifier: str) -> str:
    """An id as pages show it, and as `--plan-id` takes it: its algorithm and the first 32 hex digits."""
    algorithm, colon, digits = identifier.rpartition(":")
    return f"{algorithm}{colon}{digits[:SHOWN_DIGITS]}"


def document_hashed_for_plan_id(plan: Plan) -> JsonObject:
    """What the id of a plan is the digest of, as a JSON document, the same for every plan that does the same to the
    same objects."""
    home = _home(plan)
    needs = _needs(plan)
    done = [change for change in plan.changes if change.action is not Action.NOOP]
    return {
        "cluster": plan.cluster.uid,
        "changes": {_name(change.address, home): _change(change, needs[change.address], home) for change in done},
        "blocked": sorted({_name(one.address, home) for one in plan.blocked}),
    }


def merge_and_rollout_effect(plan: Plan, pull: JsonObject, follows: Mapping[Address, JsonObject]) -> JsonObject:
    """A pull request and everything that follows its merge, the same before and after it; its digest is the id.

    `pull` says what is merged: repository, number, head, base, method. `follows` are the documents of what takes the
    merge commit, directly or not, as they are declared: what the merge makes is named there by the resource that makes
    it, so neither the commit nor how far the way has been gone already is part of the id. Everything else that the plan
    does or that is blocked counts as in any plan.
    """
    home = _home(plan)
    rest = [one for one in plan.changes if one.address not in follows and one.address.kind != "PullRequest"]
    known = {one.address for one in rest}
    apart = [replace(one, needs=tuple(need for need in one.needs if need in known)) for one in rest]
    blocked = tuple(one for one in plan.blocked if one.address.kind != "PullRequest")
    documents: JsonObject = {
        _name(address, home): _plain(remove_field(document, ("metadata", "annotations", APPLIED)), home)
        for address, document in follows.items()
    }
    rolled = document_hashed_for_plan_id(replace(plan, changes=tuple(apart), blocked=blocked))
    return {"pull": pull, "follows": documents, **rolled}


def parts_of_merge_and_rollout(effect: JsonObject) -> dict[str, str]:
    """A digest of each part of such an effect, by its name, so that what differs can be said without the effects. A
    blocked resource is none: nothing is done about it."""
    parts = {"the pull request": effect["pull"], "the cluster": effect["cluster"], **effect["follows"]}
    done = {f"{CHANGE}{name}": change for name, change in effect["changes"].items()}
    return {name: document_digest(part).removeprefix("sha256:")[:SHOWN_DIGITS] for name, part in (parts | done).items()}


def planned_actions_by_address(plan: Plan) -> Mapping[Address, JsonObject]:
    """What is done to each object, whatever it comes after and whatever version of it was seen: comparable between two
    plans of one cluster."""
    home = _home(plan)
    done = [change for change in plan.changes if change.action is not Action.NOOP]
    return {one.address: {**_change(one, frozenset(), home), "precondition": None} for one in done}


def _home(plan: Plan) -> str:
    """The place of addresses that name none, so that `--lane all` and the name of the only lane mean the same."""
    selection = plan.selection
    alone = len(selection.nodes) == len(selection.lanes) == 1
    return f"{selection.nodes[0]}/{selection.lanes[0]}" if alone else ""


def _name(address: Address, home: str) -> str:
    return f"{home}:{address.local}" if home and not address.node_lane else str(address)


def _change(change: Change, needs: frozenset[Address], home: str) -> JsonObject:
    """One change. Of a document that takes outputs of others no value is known before they are: it is approved as it
    was declared, and its predicted fields follow from that and from the precondition."""
    takes_outputs = bool(change.made) or bool(outputs_in_document(change.desired))
    own = is_hwplan_kind(change.api_version)
    predicted = change.expects if own or change.action is not Action.CREATE else ""  # docs/adr/0034
    return {
        "action": str(change.action),
        "apiVersion": change.api_version,
        "desired": _plain(_declared(change) if takes_outputs else change.desired, home),
        "fields": [] if takes_outputs else [_field(field, home) for field in change.fields],
        "expects": "" if takes_outputs else predicted,
        "precondition": change.precondition.document(),
        "needs": sorted(_name(need, home) for need in needs),
        "forced": sorted(render_path(path) for path in change.forced),
        "migrate": change.migrate,
        "takeOver": sorted(change.take_over),
        "claims": sorted(render_path(path) for path in change.claims),
        "wait": change.wait,
        "waitSeconds": change.wait_seconds,
    }


def _declared(change: Change) -> JsonObject | None:
    """The document with outputs as they were declared, and without the stamp, which is a digest of their values."""
    if change.desired is None:
        return None
    document = change.desired
    for path, leaf in change.made:
        document = replace_value(document, path, leaf)
    return remove_field(document, ("metadata", "annotations", APPLIED))


def _field(field: FieldChange, home: str) -> JsonObject:
    """A predicted field; who set the value before is evidence, and no part of what is done."""
    before = None if field.op is FieldOp.ADD else _plain(field.before, home)
    after = None if field.op is FieldOp.REMOVE else _plain(field.after, home)
    return {"path": render_path(field.path), "op": str(field.op), "before": before, "after": after}


def _plain(value: JsonValue, home: str) -> Json:
    """The JSON form of a value. A secret is its keyed fingerprint wherever it is read from, and where it has none yet
    the way it will be made; the resources of references have their place."""
    return value if is_plain_json(value) else _in_place(value, home)


def _in_place(value: JsonValue, home: str) -> Json:
    match value:
        case dict():
            return {key: _in_place(item, home) for key, item in value.items()}
        case list() | tuple():
            return [_in_place(item, home) for item in value]
        case SealedSecret(ref, fingerprint):
            return encode_special_leaves(SealedSecret("" if fingerprint else ref, fingerprint))
        case OutputRef():
            return encode_special_leaves(_placed(value, home))
        case OutputTemplate(parts):
            return encode_special_leaves(
                OutputTemplate(tuple(part if isinstance(part, str) else _placed(part, home) for part in parts))
            )
        case _:
            return value


def _placed(ref: OutputRef, home: str) -> OutputRef:
    return ref if ref.address.node_lane else OutputRef(ref.address._replace(node_lane=home), ref.output)


def _needs(plan: Plan) -> Mapping[Address, frozenset[Address]]:
    """What each change comes after, seen through resources that are only waited for: whether something unchanged
    happens to be ready at the moment is nothing that anybody approves."""
    found: dict[Address, frozenset[Address]] = {}
    through: dict[Address, frozenset[Address]] = {}
    for change in plan.changes:  # needs stand before what needs them
        reached = frozenset[Address]().union(*(through.get(need, frozenset((need,))) for need in change.needs))
        found[change.address] = reached
        if change.action is Action.NOOP:
            through[change.address] = reached
    return found
