"""One resource of a plan page as a line: its symbol, its reason, what it comes after, who drifted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import assert_never

from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import Action, BlockedResource, Change, DriftedField, FieldChange, FieldOp, Plan
from planner.render.blocked_reasons_and_warnings import blocked_reason, source_location
from planner.render.change_fields import fields_without_manager_named_on_line, shown_change_fields
from planner.render.field_detail import FieldDetail, field_detail
from planner.render.symbols import action_symbol
from planner.text_safe import safe_text

_MOST_NEEDS = 3  # named on a line; of more only `why` and the graph say


@dataclass(frozen=True, slots=True)
class PlanLine:
    """The line of one resource on a plan page. `number` is its place in the order of execution, 0 when it is not
    executed.

    `why` is the reason in a word or two; `hint` what else belongs on the line: what it comes after, who drifted it,
    where it is declared. `remedy` says what would unblock it.
    """

    number: int
    symbol: str
    address: str
    action: Action
    why: str
    hint: str = ""
    remedy: str = ""
    details: tuple[FieldDetail, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanScopeGroup:
    """The lines of one scope (and place, where a plan spans several), in the order of execution."""

    title: str
    lines: tuple[PlanLine, ...]


@dataclass(frozen=True, slots=True)
class PlanLineContext:
    """What the lines of one page share: whether addresses need their place, remarks, and the numbers of changes."""

    placed: bool
    notes: Mapping[Address, str]
    numbers: Mapping[Address, int] = field(default_factory=dict)
    create_lines: int = 0
    full: bool = False

    def name(self, address: Address) -> str:
        return safe_text(str(address) if self.placed else address.local)


def group_plan_lines_by_scope(changes: Sequence[Change], context: PlanLineContext) -> tuple[PlanScopeGroup, ...]:
    """The lines of a plan grouped by scope, in the order in which the scopes begin."""
    found: dict[str, list[PlanLine]] = {}
    for change in changes:
        scope = safe_text(change.scope) or ("no longer declared" if change.reason == "pruned" else "(no scope)")
        title = f"{safe_text(change.address.node_lane)} {scope}" if context.placed else scope
        found.setdefault(title, []).append(_line(change, context))
    return tuple(PlanScopeGroup(title, tuple(lines)) for title, lines in found.items())


def _line(change: Change, context: PlanLineContext) -> PlanLine:
    return PlanLine(
        number=context.numbers[change.address],
        symbol=action_symbol(change.action),
        address=context.name(change.address),
        action=change.action,
        why=safe_text(change.reason),
        hint=", ".join(_hints(change, context)),
        details=shown_change_fields(change, context.create_lines, full=context.full),
    )


def _why_deleted(change: Change) -> list[str]:
    match change.reason:
        case "pruned":
            return ["no longer declared"]
        case "destroyed" | "":
            return []
    return [safe_text(change.reason)] if change.reason.startswith("obsolete") else []


def _hints(change: Change, context: PlanLineContext) -> list[str]:
    note = [safe_text(context.notes[change.address])] if change.address in context.notes else []
    match change.action:
        case Action.CREATE | Action.RUN:
            secrets = [] if context.create_lines and change.action is Action.CREATE else _fingerprints(change)
            return [*_after(change, context), *secrets, *note]
        case Action.UPDATE | Action.ADOPT | Action.REPLACE:
            who = _drifters(change.fields)
            forced = [_forced(change)] if change.forced else []
            return [
                *(who or [source_location(change.source)] * bool(change.source.file)),
                *forced,
                *_taken_over(change),
                *note,
            ]
        case Action.DELETE:
            return [*(note or _why_deleted(change)), *_after(change, context)]
        case Action.FORGET:
            return [*note, "stays, and is ours no longer"]
        case Action.NOOP:
            return note
        case _ as never:
            assert_never(never)


def _taken_over(change: Change) -> list[str]:
    return [f"owns what {safe_text(', '.join(change.take_over))} owned"] if change.take_over else []


def _forced(change: Change) -> str:
    taken = "1 field" if len(change.forced) == 1 else f"{len(change.forced)} fields"
    return f"overwrites {taken} of others"


def _after(change: Change, context: PlanLineContext) -> list[str]:
    """The names of the changes that it waits for, if they are few: its own Namespace goes without saying."""
    own = ("Namespace", change.address.namespace)
    needs = [need for need in change.needs if need in context.numbers and (need.kind, need.name) != own]
    needs.sort(key=lambda need: context.numbers[need])
    if not needs or len(needs) > _MOST_NEEDS:
        return []
    return [f"after {', '.join(safe_text(f'{need.kind}/{need.name}') for need in needs)}"]


def _fingerprints(change: Change) -> list[str]:
    secret = [(item.path[-1], field_detail(item).after) for item in change.fields if item.sensitive and item.path]
    named = [f"{safe_text(str(key))} {mark}" for key, mark in secret[:3]]
    return [*named, f"{len(secret) - 3} more secrets"] if len(secret) > 3 else named


def _drifters(fields: Sequence[FieldChange]) -> list[str]:
    """The other managers of the changed fields, each with its latest time."""
    latest: dict[str, str] = {}
    for item in fields:
        if item.manager and item.op is not FieldOp.DISOWN:
            latest[item.manager] = max(latest.get(item.manager, ""), item.time)
    return [safe_text(f"{manager}, {time}" if time else manager) for manager, time in sorted(latest.items())]


def plan_line_of_blocked_resource(blocked: BlockedResource, context: PlanLineContext) -> PlanLine:
    """The line of the plan page for a resource that cannot be planned: its reason, what would help, and where it is
    declared."""
    where = source_location(blocked.source)
    remedy = "  ".join(part for part in (safe_text(blocked.remedy), f"({where})" if where else "") if part)
    found = tuple(field_detail(item) for item in blocked.fields)
    why = "; ".join(
        filter(None, (blocked_reason(blocked, full=context.full), safe_text(context.notes.get(blocked.address, ""))))
    )
    return PlanLine(0, "!", context.name(blocked.address), blocked.action, "blocked", why, remedy, found)


def plan_drift_lines(plan: Plan, context: PlanLineContext) -> tuple[PlanLine, ...]:
    """What the changes do not say already: fields that nobody declared, and drift of what is not changed."""
    changed = {change.address for change in plan.changes}
    found: dict[Address, list[DriftedField]] = {}
    for drift in plan.drift:
        if not (drift.declared and drift.address in changed):
            found.setdefault(drift.address, []).append(drift)
    return tuple(_drift_line(address, items, context) for address, items in found.items())


def _drift_line(address: Address, items: Sequence[DriftedField], context: PlanLineContext) -> PlanLine:
    fields = fields_without_manager_named_on_line([item.field for item in items])
    why = "drifted" if any(item.declared for item in items) else "not declared"
    hint = "; ".join(_drifters([item.field for item in items]))
    return PlanLine(0, "?", context.name(address), Action.NOOP, why, hint, details=fields)
