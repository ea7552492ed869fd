"""What a run came to: counts, every failure with its reason and remedy, where the time went, the verdict, what next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Protocol, assert_never

from planner.address import Address
from planner.duration import render_duration as duration
from planner.events import ChangeEnded, ChangeResult
from planner.plan import Plan
from planner.render.blocked_reasons_and_warnings import blocked_reason, deduplicated_warnings, source_location
from planner.text_safe import safe_text

_MOST = 20  # failures shown in full
_SLOWEST = 5
_PROBLEMS = (ChangeResult.FAILED, ChangeResult.STALE, ChangeResult.UNKNOWN, ChangeResult.PENDING)
_ABOUT_TIME = 1.0  # seconds; a shorter run needs no account of its time


class RunResultToRender(Protocol):
    """What a page reads of the result of an execution: outcomes, warnings, seconds."""

    @property
    def outcomes(self) -> Mapping[Address, ChangeEnded]:
        """The end of every change, in plan order."""

    @property
    def warnings(self) -> tuple[tuple[Address, str], ...]:
        """What providers warned of."""

    @property
    def seconds(self) -> float:
        """Time of the whole run."""

    @property
    def interrupted(self) -> bool:
        """Told to stop before the end."""


def render_run_summary(plan: Plan, outcome: RunResultToRender, *, run: int, command: str = "") -> str:
    """The page after a run. The last line is the verdict and, when there is one, the `command` to go on with."""
    ends = outcome.outcomes
    orders = {change.address: order for order, change in enumerate(plan.changes, start=1)}
    sections = (
        _problems(ends, orders),
        _said(ends, orders),
        _skipped(ends),
        _cancelled(ends),
        blocked_lines(plan),
        [
            f"warning: {text}"
            for text in deduplicated_warnings(f"{address}: {text}" for address, text in outcome.warnings)
        ],
        _time(plan, outcome),
    )
    lines = [f"run {run}: {_counts(ends)} in {duration(outcome.seconds)}"]
    for section in sections:
        lines += ["", *section] if section else []
    verdict = _verdict(plan, outcome)
    return "\n".join([*lines, "", f"{verdict}: {command}" if command else verdict])


def _counts(ends: Mapping[Address, ChangeEnded]) -> str:
    counts = {result: sum(ended.result is result for ended in ends.values()) for result in ChangeResult}
    return ", ".join(f"{count} {result}" for result, count in counts.items() if count) or "nothing to do"


def _problems(ends: Mapping[Address, ChangeEnded], orders: Mapping[Address, int]) -> list[str]:
    found = [ended for ended in ends.values() if ended.result in _PROBLEMS]
    lines: list[str] = []
    for ended in found[:_MOST]:
        lines += _told(ended, orders)
        lines += [f"       {safe_text(ended.remedy)}"] if ended.remedy else []
    return [*lines, f"     and {len(found) - _MOST} more"] if len(found) > _MOST else lines


def _said(ends: Mapping[Address, ChangeEnded], orders: Mapping[Address, int]) -> list[str]:
    """What effects that went well have to say, such as the end of a command's log."""
    found = [ended for ended in ends.values() if ended.result is ChangeResult.DONE and ended.message]
    lines = [line for ended in found[:_MOST] for line in _told(ended, orders)]
    return [*lines, f"     and {len(found) - _MOST} more"] if len(found) > _MOST else lines


def _told(ended: ChangeEnded, orders: Mapping[Address, int]) -> list[str]:
    """One end: its headline, and its evidence in lines that nothing in them can leave."""
    headline, *evidence = ended.shown.split("\n")
    head = f"{orders[ended.address]:>4} {ended.result:<8} {ended.action} {safe_text(str(ended.address))}"
    return [f"{head}  {safe_text(headline)}".rstrip(), *(f"       | {safe_text(line)}".rstrip() for line in evidence)]


def _skipped(ends: Mapping[Address, ChangeEnded]) -> list[str]:
    """Skipped changes by the dependency that failed."""
    skipped = [ended for ended in ends.values() if ended.result is ChangeResult.SKIPPED and ended.cause is not None]
    skipped.sort(key=lambda ended: str(ended.cause))
    lines = []
    for cause, group in groupby(skipped, key=lambda ended: str(ended.cause)):
        names = [safe_text(str(ended.address)) for ended in group]
        shown = ", ".join(names[:_SLOWEST]) + (f" and {len(names) - _SLOWEST} more" if len(names) > _SLOWEST else "")
        lines.append(f"skipped, for they need {safe_text(cause)}: {shown}")
    return lines


def _cancelled(ends: Mapping[Address, ChangeEnded]) -> list[str]:
    cancelled = [ended for ended in ends.values() if ended.result is ChangeResult.CANCELLED]
    return [f"{len(cancelled)} cancelled, {safe_text(cancelled[0].message)}"] if cancelled else []


def blocked_lines(plan: Plan) -> list[str]:
    """The lines about what was blocked: what the plan could not do at all, with what would help."""
    lines: list[str] = []
    for one in plan.blocked[:_MOST]:
        lines.append(f"     blocked  {one.action} {safe_text(str(one.address))}  {blocked_reason(one)}")
        where = f"({source_location(one.source)})" if one.source.file else ""
        lines += ["       " + "  ".join(filter(None, (safe_text(one.remedy), where)))] if one.remedy or where else []
    return [*lines, f"     and {len(plan.blocked) - _MOST} more"] if len(plan.blocked) > _MOST else lines


def _time(plan: Plan, outcome: RunResultToRender) -> list[str]:
    if outcome.seconds < _ABOUT_TIME:
        return []
    timed = sorted((e for e in outcome.outcomes.values() if e.seconds), key=lambda e: (-e.seconds, e.address))
    path = longest_chain_of_run(plan, outcome.outcomes)
    total = sum(ended.seconds for ended in path)
    lines = ["slowest"]
    lines += [f"  {duration(ended.seconds):>6}  {safe_text(str(ended.address))}" for ended in timed[:_SLOWEST]]
    if len(path) > 1:
        steps = " -> ".join(f"{safe_text(str(ended.address))} {duration(ended.seconds)}" for ended in path)
        lines += [f"critical path {duration(total)} of {duration(outcome.seconds)}", f"  {steps}"]
    return lines


def longest_chain_of_run(plan: Plan, ends: Mapping[Address, ChangeEnded]) -> Sequence[ChangeEnded]:
    """The chain of changes that took the run its time: from the last end back over the need that ended last."""
    timed = {address: ended for address, ended in ends.items() if ended.seconds}
    needs = {change.address: [need for need in change.needs if need in timed] for change in plan.changes}
    if not timed:
        return ()
    path = [max(timed.values(), key=lambda ended: (ended.at, ended.address))]
    while before := needs[path[-1].address]:
        path.append(max((timed[need] for need in before), key=lambda ended: (ended.at, ended.address)))
    return path[::-1]


def _verdict(plan: Plan, outcome: RunResultToRender) -> str:
    counts = [ended.result for ended in outcome.outcomes.values()]
    total = len(counts)
    worst = next((result for result in _GRAVITY if result in counts), ChangeResult.UNCHANGED)
    if outcome.interrupted:
        over = sum(r in (ChangeResult.DONE, ChangeResult.UNCHANGED) for r in counts)
        return f"interrupted with {over} of {total} over; to go on"
    match worst:
        case ChangeResult.FAILED | ChangeResult.UNKNOWN | ChangeResult.STALE | ChangeResult.PENDING:
            return f"{counts.count(worst)} of {total} {worst}; {_NEXT[worst]}"
        case ChangeResult.SKIPPED | ChangeResult.CANCELLED:
            return f"{counts.count(worst)} of {total} {worst}; to go on"
        case ChangeResult.DONE | ChangeResult.UNCHANGED:
            blocked = f", {len(plan.blocked)} blocked" if plan.blocked else ""
            return f"all {total} done{blocked}; to see that nothing is left"
        case _:
            assert_never(worst)


_GRAVITY = (
    ChangeResult.FAILED,
    ChangeResult.UNKNOWN,
    ChangeResult.STALE,
    ChangeResult.PENDING,
    ChangeResult.SKIPPED,
    ChangeResult.CANCELLED,
    ChangeResult.DONE,
)
_NEXT = {
    ChangeResult.FAILED: "to go on when the cause is mended",
    ChangeResult.UNKNOWN: "to read what became of it and go on",
    ChangeResult.STALE: "the world moved: plan again, or to go on with the rest",
    ChangeResult.PENDING: "to wait on",
}
