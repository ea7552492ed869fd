"""What a plan page says, before anybody decides how it looks: built once from a Plan, laid out by thin renderers.

Every string in a view is safe to show. Decides order, grouping and wording; knows no width, colour or markup.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from planner.address import Address
from planner.plan import Action, Blocked, Change, Drift, FieldChange, FieldOp, Plan, Selection, Verified
from planner.plan_document import plan_id
from planner.render.detail import Detail, detail
from planner.render.risks import Risk, risks
from planner.render.text_safe import safe
from planner.source import SourceRef

_MOST_PLACES = 4  # named in the header


@dataclass(frozen=True, slots=True)
class Line:
    """One resource. `number` is its place in the order of execution, 0 when it is not executed.

    `why` is the reason in a word or two; `hint` what else belongs on the line: what it comes after, who drifted it,
    where it is declared. `remedy` tells what would unblock it.
    """

    number: int
    symbol: str
    address: str
    action: Action
    why: str
    hint: str = ""
    remedy: str = ""
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one scope (and place, where a plan spans several), in the order of execution."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class PlanView:
    """A whole page: `title` is the first line, `verdict`, `identifier` and `command` are the last ones.

    `marker` names the selection, not the plan, so that a page can take the place of an older one.
    """

    title: str
    simulated: bool
    groups: tuple[Group, ...]
    blocked: tuple[Line, ...]
    drift: tuple[Line, ...]
    warnings: tuple[str, ...]
    verdict: str
    identifier: str
    command: str
    empty: bool
    risks: tuple[Risk, ...] = ()
    marker: str = ""


def make_view(plan: Plan, *, command: str = "", notes: Mapping[Address, str] | None = None) -> PlanView:
    """The view of `plan`. `command` applies exactly this plan; `notes` are remarks of this machine about a resource."""
    words = _Words(len({change.address.place for change in plan.changes}) > 1, notes or {}, _numbers(plan))
    return PlanView(
        title=_title(plan),
        simulated=plan.cluster.simulated,
        groups=_groups(plan.changes, words),
        blocked=tuple(_blocked_line(blocked, words) for blocked in plan.blocked),
        drift=_drift_lines(plan, words),
        warnings=(*(safe(warning) for warning in plan.warnings), *_remarks(plan, words)),
        verdict=_verdict(plan),
        identifier=plan_id(plan),
        command=safe(command) if any(change.action is not Action.NOOP for change in plan.changes) else "",
        empty=plan.is_empty,
        risks=risks(plan),
        marker=marker(plan.selection),
    )


def _remarks(plan: Plan, words: _Words) -> Iterator[str]:
    """Remarks about what has no line in the plan."""
    shown = {change.address for change in plan.changes} | {blocked.address for blocked in plan.blocked}
    return (f"{words.name(one)}: {safe(note)}" for one, note in sorted(words.notes.items()) if one not in shown)


@dataclass(frozen=True, slots=True)
class _Words:
    """What the lines of one page share: whether addresses need their place, remarks, and the numbers of changes."""

    placed: bool
    notes: Mapping[Address, str]
    numbers: Mapping[Address, int] = field(default_factory=dict)

    def name(self, address: Address) -> str:
        return safe(str(address) if self.placed else address.local)


def _numbers(plan: Plan) -> dict[Address, int]:
    return {change.address: number for number, change in enumerate(plan.changes, 1)}


# --- first and last line -------------------------------------------------------------------------------------------


def _title(plan: Plan) -> str:
    cluster = plan.cluster
    parts = [
        f"{'destroy ' if plan.destroy else ''}{place_words(plan.selection)} on {safe(cluster.server) or 'a cluster'}"
        f" (uid {safe(cluster.uid[:8]) or 'unknown'})",
        f"config {short_digest(plan.inputs_config)}",
    ]
    parts += [f"only {safe(' '.join(plan.selection.targets))}"] if plan.selection.targets else []
    parts += [f"without {safe(' '.join(plan.selection.exclude))}"] if plan.selection.exclude else []
    return " · ".join(parts + ["simulated"] * cluster.simulated)


def place_words(selection: Selection) -> str:
    """What is looked at, in words: `D601/v03`, `nodes D601 D602 / lanes v02 v03`, or the name of plain manifests."""
    if selection.name or not selection.nodes:
        return safe(selection.name or selection.product or "plan")
    if len(selection.nodes) == len(selection.lanes) == 1:
        return safe(f"{selection.nodes[0]}/{selection.lanes[0]}")
    return f"{_some('node', selection.nodes)} / {_some('lane', selection.lanes)}"


def marker(selection: Selection) -> str:
    """`hwplan:plan:PRODUCT.NODE.LANE`: the same for every plan of a selection, in letters that need no escape.

    What a name holds besides letters, digits, `_` and `+` is replaced, and told apart by a digest.
    """
    parts = [selection.product or selection.name, "+".join(selection.nodes), "+".join(selection.lanes)]
    parts += ["+".join(selection.scopes), *selection.targets, *selection.exclude] if selection.targets else []
    name = ".".join(part for part in parts if part) or "plan"
    plain = re.sub(r"[^A-Za-z0-9_.+-]|-(?=-)", "_", name)[:120]
    told = plain if plain == name else f"{plain}.{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:12]}"
    return f"hwplan:plan:{told}"


def _some(noun: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_PLACES} more" if len(names) > _MOST_PLACES else ""
    return f"{noun}{'s' * (len(names) != 1)} {safe(' '.join(names[:_MOST_PLACES]))}{more}"


def short_digest(digest: str) -> str:
    """The first six characters of a digest, behind its algorithm."""
    return safe(digest.rpartition(":")[2][:6]) or "unknown"


_COUNTED = (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.ADOPT, Action.RUN, Action.DELETE)


def _verdict(plan: Plan) -> str:
    counts = [f"{plan.count(action)} {action}" for action in _COUNTED if plan.count(action)]
    changes = sum(plan.count(action) for action in _COUNTED)
    waits = plan.count(Action.NOOP)
    head = f"{_plural(changes, 'change')}: {', '.join(counts)}" if counts else "nothing to do"
    head += f", {len(plan.blocked)} blocked" if plan.blocked else ""
    parts = [head, f"{plan.unchanged} unchanged"]
    parts += [f"{waits} waited for"] if waits else []
    return " · ".join(parts + _vouched(plan))


def _vouched(plan: Plan) -> list[str]:
    """Who vouches for what will be there; deletes and waits have no after-state to vouch for."""
    written = [change for change in plan.changes if change.action not in (Action.DELETE, Action.NOOP)]
    named = (
        (Verified.SERVER, "previewed by the server"),
        (Verified.SCHEMA, "by schema"),
        (Verified.NO, "not previewed"),
    )
    counts = [(words, sum(change.verified is by for change in written)) for by, words in named]
    told = ", ".join(f"{words}: {count}" for words, count in counts if count)
    return [told] if told else []


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


# --- lines ---------------------------------------------------------------------------------------------------------


def _groups(changes: Sequence[Change], words: _Words) -> tuple[Group, ...]:
    """Changes by scope, in the order in which the scopes begin."""
    found: dict[str, list[Line]] = {}
    for change in changes:
        scope = safe(change.scope) or ("no longer declared" if change.reason == "pruned" else "(no scope)")
        title = f"{safe(change.address.place)} {scope}" if words.placed else scope
        found.setdefault(title, []).append(_line(change, words))
    return tuple(Group(title, tuple(lines)) for title, lines in found.items())


def symbol(action: Action) -> str:
    """The one character that stands for an action."""
    match action:
        case Action.CREATE:
            return "+"
        case Action.UPDATE:
            return "~"
        case Action.REPLACE:
            return "±"
        case Action.DELETE:
            return "-"
        case Action.ADOPT:
            return "^"
        case Action.RUN:
            return ">"
        case Action.NOOP:
            return "="
        case _ as never:
            assert_never(never)


def _line(change: Change, words: _Words) -> Line:
    return Line(
        number=words.numbers[change.address],
        symbol=symbol(change.action),
        address=words.name(change.address),
        action=change.action,
        why=safe(change.reason),
        hint=", ".join(_hints(change, words)),
        details=_details(change),
    )


def _hints(change: Change, words: _Words) -> list[str]:
    note = [safe(words.notes[change.address])] if change.address in words.notes else []
    match change.action:
        case Action.CREATE | Action.RUN:
            return [*_after(change, words), *_fingerprints(change), *note]
        case Action.UPDATE | Action.ADOPT | Action.REPLACE:
            who = _drifters(change.fields)
            forced = [_forced(change)] if change.forced else []
            return [*(who or _place(change.source)), *forced, *note]
        case Action.DELETE:
            return [*(note or ["no longer declared"] * (change.reason == "pruned")), *_after(change, words)]
        case Action.NOOP:
            return note
        case _ as never:
            assert_never(never)


def _forced(change: Change) -> str:
    taken = "1 field" if len(change.forced) == 1 else f"{len(change.forced)} fields"
    return f"takes {taken} from others"


def _after(change: Change, words: _Words) -> list[str]:
    """The numbers of the nearest changes that it waits for."""
    numbers = sorted(words.numbers[need] for need in change.needs if need in words.numbers)
    if not numbers:
        return []
    shown = ", ".join(map(str, numbers[-4:]))
    return [f"after {shown}" if len(numbers) <= 4 else f"after {shown} and {len(numbers) - 4} earlier"]


def _fingerprints(change: Change) -> list[str]:
    secret = [(item.path[-1], detail(item).after) for item in change.fields if item.sensitive and item.path]
    named = [f"{safe(str(key))} {mark}" for key, mark in secret[:3]]
    return [*named, f"{len(secret) - 3} more secrets"] if len(secret) > 3 else named


def _drifters(fields: Sequence[FieldChange]) -> list[str]:
    """The other managers of the changed fields, each with its latest time."""
    latest: dict[str, str] = {}
    for item in fields:
        if item.manager and item.op is not FieldOp.DISOWN:
            latest[item.manager] = max(latest.get(item.manager, ""), item.time)
    return [safe(f"{manager}, {time}" if time else manager) for manager, time in sorted(latest.items())]


def _place(source: SourceRef) -> list[str]:
    return [safe(f"{source.file}:{source.line}" if source.line else source.file)] if source.file else []


def _details(change: Change) -> tuple[Detail, ...]:
    """The fields of a change. A create is told by its address: all its fields are new (the JSON form lists them)."""
    if change.action in (Action.CREATE, Action.DELETE, Action.NOOP):
        return ()
    return _told_once(change.fields)


def _told_once(fields: Sequence[FieldChange]) -> tuple[Detail, ...]:
    """The fields, without their manager where the line itself names the only one."""
    one = len({(item.manager, item.time) for item in fields if item.op is not FieldOp.DISOWN}) == 1
    return tuple(detail(item) if item.op is FieldOp.DISOWN or not one else _without_who(item) for item in fields)


def _without_who(change: FieldChange) -> Detail:
    found = detail(change)
    return Detail(found.op, found.path, found.before, found.after, found.note, found.lines)


def _blocked_line(blocked: Blocked, words: _Words) -> Line:
    where = ", ".join(_place(blocked.source))
    remedy = f"{safe(blocked.remedy)}  ({where})" if blocked.remedy and where else safe(blocked.remedy)
    because = ": ".join(safe(part) for part in (blocked.reason, blocked.evidence) if part)
    found = tuple(detail(item) for item in blocked.fields)
    return Line(0, "!", words.name(blocked.address), blocked.action, "blocked", because, remedy, found)


def _drift_lines(plan: Plan, words: _Words) -> tuple[Line, ...]:
    """What the changes do not tell already: fields that nobody declared, and drift of what is not changed."""
    changed = {change.address for change in plan.changes}
    found: dict[Address, list[Drift]] = {}
    for drift in plan.drift:
        if not (drift.declared and drift.address in changed):
            found.setdefault(drift.address, []).append(drift)
    return tuple(_drift_line(address, items, words) for address, items in found.items())


def _drift_line(address: Address, items: Sequence[Drift], words: _Words) -> Line:
    fields = _told_once([item.field for item in items])
    why = "drifted" if any(item.declared for item in items) else "not declared"
    hint = "; ".join(_drifters([item.field for item in items]))
    return Line(0, "?", words.name(address), Action.NOOP, why, hint, details=fields)


def field_sign(op: FieldOp) -> str:
    """The character in front of a field."""
    match op:
        case FieldOp.ADD:
            return "+"
        case FieldOp.CHANGE:
            return "~"
        case FieldOp.REMOVE:
            return "-"
        case FieldOp.DISOWN:
            return "="
        case _ as never:
            assert_never(never)
