"""What an execution came to: the end of every change, the verdict over all of them, and its exit code (spec 05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import assert_never

from planner.address import Address
from planner.dataclass import dataclass
from planner.events import ChangeEnded, ChangeResult
from planner.values import JsonObject


class RunVerdict(StrEnum):
    """How the run as a whole ended; the words of `state history`."""

    DONE = "done"
    FAILED = "failed"
    STALE = "stale"
    PENDING = "pending"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class RunResult:
    """The end of every change, in plan order. `seconds` is the time of the whole run; `warnings` come from providers.

    `interrupted` is true when the run was asked to stop before everything was over, `late` when its own time ran out.
    """

    outcomes: Mapping[Address, ChangeEnded]
    outputs: Mapping[Address, JsonObject] = field(repr=False)
    warnings: tuple[tuple[Address, str], ...]
    seconds: float
    interrupted: bool = False
    late: bool = False


def run_verdict(result: RunResult) -> RunVerdict:
    """The one word for a result. What needs a person most comes first:

    interrupted (the rest is not even tried), failed or unknown (or skipped because of something that was not in the
    plan's changes), stale, pending, done. Skipped and cancelled changes count as what caused them.
    """
    if result.interrupted:
        return RunVerdict.INTERRUPTED
    seen = {ended.result for ended in result.outcomes.values()}
    orphaned = any(ended.cause not in result.outcomes for ended in result.outcomes.values() if ended.cause)
    if orphaned or seen & {ChangeResult.FAILED, ChangeResult.UNKNOWN}:
        return RunVerdict.FAILED
    if ChangeResult.STALE in seen:
        return RunVerdict.STALE
    return (
        RunVerdict.PENDING if result.late or seen & {ChangeResult.PENDING, ChangeResult.CANCELLED} else RunVerdict.DONE
    )


def exit_code_of_run(result: RunResult) -> int:
    """The exit code of `apply`: 0 done, 1 failed, 3 stale, 4 pending, 130 interrupted."""
    match run_verdict(result):
        case RunVerdict.DONE:
            return 0
        case RunVerdict.FAILED:
            return 1
        case RunVerdict.STALE:
            return 3
        case RunVerdict.PENDING:
            return 4
        case RunVerdict.INTERRUPTED:
            return 130
        case never:
            assert_never(never)
