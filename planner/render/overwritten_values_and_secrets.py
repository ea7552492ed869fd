"""What a plan takes from people: values that they set by hand, and secret values that are exchanged. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from planner.plan import LEAVING, Action, Change, FieldChange, FieldOp, Plan, SideEffectKind
from planner.render.field_detail import field_detail
from planner.render.git_change_under_review import GitChangeUnderReview
from planner.render.review_summary import NameOf
from planner.render.sentences_with_outside_names import OutsideText, Part
from planner.values import SealedSecret, value_leaves

_MOST = 8  # fields of one object, and readers of one Secret
_NOT_WRITTEN = (*LEAVING, Action.NOOP)
_READS = ("reads", "mounts")
_HOW = {SideEffectKind.RESTART: " (restarts)", SideEffectKind.STALE: " (does not restart, keeps the old value)"}


def overwritten_values(plan: Plan, context: GitChangeUnderReview, name_of: NameOf) -> Iterator[Iterator[Part]]:
    """One sentence for each object with values that somebody else set and that this plan replaces."""
    for change in plan.changes:
        items = [one for one in change.fields if one.manager and one.op in (FieldOp.CHANGE, FieldOp.REMOVE)]
        if change.action not in _NOT_WRITTEN and items:
            yield _overwritten(change, items, context, name_of)


def _overwritten(
    change: Change, items: list[FieldChange], context: GitChangeUnderReview, name_of: NameOf
) -> Iterator[Part]:
    yield OutsideText(name_of(change.address))
    for at, item in enumerate(items[:_MOST]):
        detail = field_detail(item)
        yield "; " if at else ": "
        yield OutsideText(f"{detail.path} {detail.before or '(long)'} -> {_after(item, detail.after)}")
        yield ", set by "
        yield OutsideText(detail.who)
    yield f"; and {len(items) - _MOST} more" if len(items) > _MOST else ""
    if change.source.file:
        yield ". Declared in "
        yield OutsideText(f"{change.source.file}:{change.source.line}")
        if since := context.written.get(change.source.file, ""):
            yield ", a file last changed in "
            yield OutsideText(since)
    yield ". To keep the live value, run first: "
    yield OutsideText(context.command_of("drift --adopt", change.address))
    yield "; or leave the field to its other managers with "
    yield OutsideText("hwplan.dev/ignore-fields")
    yield "."


def _after(item: FieldChange, after: str) -> str:
    return after or ("nothing" if item.op is FieldOp.REMOVE else "(long)")


def describe_secret_changes(plan: Plan, context: GitChangeUnderReview, name_of: NameOf) -> Iterator[Iterator[Part]]:
    """One sentence for each Secret that changes: its keys with the source of each, its readers, and how a holder of the
    value compares it."""
    for change in plan.changes:
        items = [one for one in change.fields if one.sensitive and one.path]
        if (
            (change.address.kind, change.address.group) == ("Secret", "")
            and change.action not in _NOT_WRITTEN
            and items
        ):
            yield _secret(plan, change, items, context, name_of)


def _secret(
    plan: Plan, change: Change, items: list[FieldChange], context: GitChangeUnderReview, name_of: NameOf
) -> Iterator[Part]:
    sources = {
        str(path[-1]): leaf.ref
        for path, leaf in value_leaves(change.desired)
        if isinstance(leaf, SealedSecret) and path
    }
    yield OutsideText(name_of(change.address))
    for at, item in enumerate(items[:_MOST]):
        detail = field_detail(item)
        yield "; key " if at else ": key "
        yield OutsideText(
            " ".join([str(item.path[-1]), *(" -> ".join(filter(None, (detail.before, detail.after))).split())])
        )
        if source := sources.get(str(item.path[-1]), "").removeprefix("file:"):
            yield " from "
            yield OutsideText(source)
    yield f"; and {len(items) - _MOST} more" if len(items) > _MOST else ""
    yield ". Read by "
    yield from _readers(plan, change, name_of)
    yield ". Whoever has the value can compare its fingerprint with "
    yield OutsideText(context.command_of("secret status --target", change.address))
    yield "."


def _readers(plan: Plan, change: Change, name_of: NameOf) -> Iterator[Part]:
    named = f"{change.address.kind}/{change.address.name}"
    found = [
        one
        for one in plan.sets_off
        if one.address.namespace == change.address.namespace
        and one.text.startswith(_READS)
        and one.text.replace(":", " ").replace(",", " ").split()[1] == named
    ]
    if not found:
        yield "nothing yet" if change.action is Action.CREATE else "nothing known"
    for at, one in enumerate(found[:_MOST]):
        yield ", " if at else ""
        yield OutsideText(name_of(one.address))
        yield _HOW.get(one.kind, " (later)")
    yield f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
