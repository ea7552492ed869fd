"""Which fields of a change a page shows, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.plan import Action, Change, FieldChange, FieldOp
from planner.render.field_detail import MOST_LINES, FieldDetail, field_detail
from planner.resource import APPLIED, GENERATED, SET_LABEL

ALL_LINES = 1_000_000
_IDENTITY = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))


def shown_change_fields(change: Change, create_lines: int, *, full: bool) -> tuple[FieldDetail, ...]:
    """The fields of a change: of a create at most `create_lines` lines, of anything else the first ones of each field,
    all of them when `full`."""
    if change.action in (Action.DELETE, Action.NOOP):
        return ()
    if change.action is Action.CREATE:
        return _of_create(change, create_lines)
    return fields_without_manager_named_on_line(change.fields, ALL_LINES if full else MOST_LINES)


def _of_create(change: Change, most: int) -> tuple[FieldDetail, ...]:
    """The fields of a new object but for its identity and what hwplan writes on every object; a cut is named."""
    shown: list[FieldDetail] = []
    left = most
    fields = [item for item in change.fields if most and item.path not in _IDENTITY and not _is_ours(item)]
    for at, item in enumerate(fields):
        found = field_detail(item, max(1, left))
        left -= max(1, len(found.lines))
        shown.append(found)
        if left <= 0 and at + 1 < len(fields):
            rest = len(fields) - at - 1
            shown.append(FieldDetail(FieldOp.ADD, "…", note=f"{rest} more field{'s' * (rest != 1)}: --full"))
            break
    return tuple(shown)


def _is_ours(item: FieldChange) -> bool:
    """Whether a field is our label, or holds nothing but what hwplan writes."""
    if item.path[:2] == ("metadata", "labels"):
        return item.path[2:] == (SET_LABEL,) or (isinstance(item.after, dict) and set(item.after) == {SET_LABEL})
    annotations = {SET_LABEL, APPLIED, GENERATED}
    if item.path[:2] == ("metadata", "annotations"):
        return item.path[2:3] in [(one,) for one in annotations] or (
            isinstance(item.after, dict) and set(item.after) <= annotations
        )
    return False


def fields_without_manager_named_on_line(
    fields: Sequence[FieldChange], most: int = MOST_LINES
) -> tuple[FieldDetail, ...]:
    """The fields, without their manager where the line itself names the only one."""
    one = len({(item.manager, item.time) for item in fields if item.op is not FieldOp.DISOWN}) == 1
    return tuple(
        field_detail(item, most) if item.op is FieldOp.DISOWN or not one else replace(field_detail(item, most), who="")
        for item in fields
    )
