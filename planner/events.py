"""What happens while a plan is executed: a closed union of frozen events with one consumer method.

Three consumers read them (journal first, then progress and log). Events carry addresses, times and reasons, never
values. Times are UTC ISO-8601 with milliseconds, given by the clock of the run.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeAlias

from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import Action
from planner.values import JsonObject


class ChangeResult(StrEnum):
    """How a node ended."""

    DONE = "done"  # effect made (and ready, if it was waited for)
    UNCHANGED = "unchanged"  # the world already was as planned: made by an earlier, killed run, or a no-op
    FAILED = "failed"
    STALE = "stale"  # precondition did not hold: nothing was written
    UNKNOWN = "unknown"  # the answer was lost; resolved by reading on the next run
    SKIPPED = "skipped"  # something it needs did not end well
    PENDING = "pending"  # effect made, not ready in time
    CANCELLED = "cancelled"  # not begun: the run was interrupted or stopped on an error


@dataclass(frozen=True, slots=True)
class ChangeBegan:
    """Durable before any effect of the node is tried."""

    at: str
    address: Address
    action: Action


@dataclass(frozen=True, slots=True)
class ChangeApplied:
    """The effect was made and read back. `uid` and `outputs` are what later nodes and the state need.
    Durable before anything else happens where it `vanishes` by itself: then nothing else says that it was made."""

    at: str
    address: Address
    action: Action
    uid: str
    outputs: JsonObject
    already: bool = False
    vanishes: bool = False


@dataclass(frozen=True, slots=True)
class ChangeWaiting:
    """Not ready yet. Sent when `message` changes, and every 15 s; not at every look."""

    at: str
    address: Address
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ChangeEnded:
    """The node is over. The first line of `message` says why, or what came of it; further lines are evidence. `printed`
    are lines that a command printed: for those who watch, stored by nobody. `cause` names the failed dependency of a
    skipped node; `warnings` are what the provider reported beside the result."""

    at: str
    address: Address
    action: Action
    result: ChangeResult
    seconds: float
    message: str = ""
    remedy: str = ""
    cause: Address | None = None
    printed: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Message and printed lines together, for the reader of the run."""
        return f"{self.message}\n{self.printed}" if self.printed else self.message


Event: TypeAlias = ChangeBegan | ChangeApplied | ChangeWaiting | ChangeEnded


class EventObserver(Protocol):
    """Consumes events, in the order in which they happen, from any thread; one call at a time."""

    def on(self, event: Event) -> None:
        """Take one event. The journal returns from a Began only when it is durable."""
