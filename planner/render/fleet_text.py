"""A fleet for people: one row for each shard, what is in the way below its row, a verdict, the next command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from planner.fleet import COUNTED, UNKNOWN_STATES, FleetReport, Shard, ShardResult, ShardState
from planner.render.graph_groups import count_noun
from planner.render.terminal_style import column_count, pad_text, with_colour
from planner.text_safe import safe_text

_ALWAYS = ("create", "update", "delete")  # columns; the others only where any shard has some
_MOST_PROBLEMS = 3  # of a shard that is blocked; what keeps a whole shard from being looked at is shown in full
_PLAN_DIGITS = 12
_STATE = 4  # the column of the state
_INDENT = " " * 8
_STYLES = {
    ShardState.ALIGNED: "green",
    ShardState.CHANGES: "yellow",
    ShardState.DRIFT: "yellow",
    ShardState.BLOCKED: "red",
    ShardState.UNREACHABLE: "red",
    ShardState.FAILED: "red",
}


def render_fleet(report: FleetReport, *, command_of: Callable[[str, Shard], str], colour: bool = False) -> str:
    """The page as text. `command_of` gives the command of a verb about one shard."""
    nodes = {one.shard.node for one in report.results}
    head = f"{count_noun(len(report.results), 'shard')} on {count_noun(len(nodes), 'node')}"
    out = [head + " · simulated" * report.simulated, ""]
    if report.results:
        out += [*_table(report.results, command_of, colour), ""]
    return "\n".join([*out, fleet_verdict(report), *_next(report, command_of)]) + "\n"


def fleet_verdict(report: FleetReport) -> str:
    """How many shards are in which state, in a line; the gravest state last."""
    if not report.results:
        return "no shard has this number"
    counts = [f"{report.count(state)} {state}" for state in ShardState if report.count(state)]
    return ", ".join(counts)


def shard_state_text(result: ShardResult) -> str:
    """The state of a shard with how much of it: `drift 2`, `would change 5`."""
    match result.state:
        case ShardState.CHANGES:
            return f"{result.state} {result.changes}"
        case ShardState.DRIFT:
            return f"{result.state} {result.counts.get('drifted', 0)}"
        case ShardState.BLOCKED:
            return f"{result.state} {len(result.problems)}"
        case ShardState.ALIGNED | ShardState.UNREACHABLE | ShardState.FAILED:
            return str(result.state)
        case _:
            assert_never(result.state)


def shard_progress_text(result: ShardResult) -> str:
    """A shard that is done, in a line."""
    shard = result.shard
    named = safe_text(f"{shard.node}/{shard.lane} {shard.product}")
    return f"{shard.index} {named}: {shard_state_text(result)} ({result.seconds:.1f} s)"


def _table(results: Sequence[ShardResult], command_of: Callable[[str, Shard], str], colour: bool) -> list[str]:
    counted = [one for one in COUNTED if one in _ALWAYS or any(row.counts.get(one) for row in results)]
    heads = ["#", "node", "product", "lane", "state", *counted, "plan", "seconds"]
    rows = [_cells(one, counted) for one in results]
    widths = [max(column_count(row[at]) for row in (heads, *rows)) for at in range(len(heads))]
    numbers = {0, *range(_STATE + 1, _STATE + 1 + len(counted)), len(heads) - 1}
    lines = [_line(heads, widths, numbers)]
    for result, cells in zip(results, rows, strict=True):
        lines.append(_line(cells, widths, numbers, _STYLES[result.state] if colour else ""))
        lines += _problems(result, command_of)
    return lines


def _cells(result: ShardResult, counted: Sequence[str]) -> list[str]:
    shard, known = result.shard, result.state not in UNKNOWN_STATES
    counts = [str(result.counts.get(one) or "-") if known else "" for one in counted]
    plan = safe_text(result.plan.rpartition(":")[2][:_PLAN_DIGITS])
    names = [safe_text(name) for name in (shard.node, shard.product, shard.lane)]
    return [str(shard.index), *names, shard_state_text(result), *counts, plan, f"{result.seconds:.1f}"]


def _line(cells: Sequence[str], widths: Sequence[int], numbers: set[int], style: str = "") -> str:
    padded = [
        " " * (width - column_count(cell)) + cell if at in numbers else pad_text(cell, width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    padded[_STATE] = with_colour(padded[_STATE], style, bool(style))
    return f"  {'  '.join(padded)}".rstrip()


def _problems(result: ShardResult, command_of: Callable[[str, Shard], str]) -> list[str]:
    most = len(result.problems) if result.state in UNKNOWN_STATES else _MOST_PROBLEMS
    lines = []
    for one in result.problems[:most]:
        where = f"{safe_text(one.where)}: " if one.where else ""
        lines.append(f"{_INDENT}{where}{safe_text(one.message)}")
        lines += [f"{_INDENT}  {safe_text(one.remedy)}"] if one.remedy else []
    left = len(result.problems) - most
    return [*lines, *([f"{_INDENT}{left} more: {command_of('plan', result.shard)}"] if left > 0 else [])]


def _next(report: FleetReport, command_of: Callable[[str, Shard], str]) -> list[str]:
    """The command that shows the first shard that is not as declared."""
    other = next((one for one in report.results if one.state is not ShardState.ALIGNED), None)
    if other is None:
        return []
    verb = "drift" if other.state is ShardState.DRIFT else "plan"
    return [f"to see number {other.shard.index} alone:", f"  {command_of(verb, other.shard)}"]
