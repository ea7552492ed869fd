"""One effect: calls the provider, tries again where that is safe, and turns what goes wrong into a named result.

The provider reads before it writes, so that a second call finds what the first one may have done. After a lost answer
nothing but such a reading can determine, and an end without one is `unknown`, never `failed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

from planner.dataclass import dataclass
from planner.errors import HwplanError, OutcomeUnknown, PreconditionError, TemporaryError
from planner.events import ChangeResult
from planner.executor.execution_options import ExecutionOptions
from planner.failpoint import hit_failpoint
from planner.plan import LEAVING, Change
from planner.ports import Clock, Provider, Written
from planner.values import Vault

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 30.0
_SLICE = 0.2  # a pause looks this often whether it is to end early


@dataclass(frozen=True, slots=True)
class ApplyFailure:
    """An effect that was not made, or not known to be made."""

    result: ChangeResult
    message: str
    remedy: str = ""
    printed: str = ""


def apply_with_retries(
    change: Change, provider: Provider, vault: Vault, clock: Clock, options: ExecutionOptions
) -> Written | ApplyFailure:
    """Make the effect of `change`. Deliberate errors become a Failure; foreign ones are passed on."""
    lost: OutcomeUnknown | None = None
    attempt = 0
    while True:
        attempt += 1
        try:
            hit_failpoint("node.effect")
            made = provider.delete(change) if change.action in LEAVING else provider.apply(change, vault)
            return replace(made, warnings=(_settled(lost), *made.warnings)) if lost else made
        except OutcomeUnknown as error:
            if lost is not None:
                return _unknown(error, lost, options.again)
            lost = error
        except TemporaryError as error:
            if attempt >= options.attempts or options.cancel.is_set():
                return _unknown(error, lost, options.again) if lost else _failure(ChangeResult.FAILED, error)
            _pause(clock, _delay(change, attempt, error.retry_after), options.cancel.is_set)
        except PreconditionError as error:
            return (
                _unknown(error, lost, options.again)
                if lost
                else ApplyFailure(ChangeResult.STALE, error.message, error.remedy or _PLAN_AGAIN)
            )
        except HwplanError as error:
            return _unknown(error, lost, options.again) if lost else _failure(ChangeResult.FAILED, error)


_PLAN_AGAIN = "plan again: the world moved since this plan was made"


def _failure(result: ChangeResult, error: HwplanError) -> ApplyFailure:
    return ApplyFailure(result, error.message, error.remedy, getattr(error, "printed", ""))


def _settled(lost: OutcomeUnknown) -> str:
    return f"an answer was lost, and reading settled it: {lost.message}"


def _unknown(error: HwplanError, lost: OutcomeUnknown, again: str) -> ApplyFailure:
    first = "" if lost.message == error.message else f" (at first: {lost.message})"
    return ApplyFailure(
        ChangeResult.UNKNOWN,
        f"an answer was lost, and reading did not settle it: {error.message}{first}",
        error.remedy or f"{again} reads again",
        getattr(error, "printed", ""),
    )


def _delay(change: Change, attempt: int, retry_after: float) -> float:
    """Doubling pauses, spread by address so that many nodes do not come back at the same moment."""
    if retry_after > 0:
        return min(retry_after, _LONGEST_PAUSE)
    spread = 0.5 + crc32(f"{change.address}#{attempt}".encode()) / 2**32
    return min(_FIRST_PAUSE * (1 << (attempt - 1)) * spread, _LONGEST_PAUSE)


def _pause(clock: Clock, seconds: float, is_over: Callable[[], bool]) -> None:
    end = clock.monotonic() + seconds
    while (left := end - clock.monotonic()) > 0 and not is_over():
        clock.sleep(min(left, _SLICE))
