"""Latest only: a rollout that another one takes the place of stops where it is, and ends as superseded (R7, B2, B3).

An observer of the execution. Whenever something is waited for, the newest target that was posted is looked at; while
the run of the pipeline is waited for and when it is over, the branch is read as well. The run itself is neither
cancelled nor blamed; nothing that comes after it begins.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import field

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import StalePlan
from planner.events import ChangeEnded, ChangeResult, ChangeWaiting, Event


class RolloutSupersededError(StalePlan):
    """Raised for a rollout that another one took the place of before it began. `newer` is the commit of that one."""

    def __init__(self, newer: str) -> None:
        super().__init__(f"superseded by {newer[:12]}", remedy="trigger again: it takes the newest commit")
        self.newer = newer


@dataclass(slots=True)
class SupersededRolloutStopper:
    """Stops a rollout when a newer commit supersedes it (see planner.events.EventObserver). `posted` reads the newest
    target of the lane, `tip` the commit that the branch stands on; both give "" where that cannot be read, or does not
    count. `cancel` is set when one is not `commit` any more, and then `newer` names it."""

    run: Address
    commit: str
    posted: Callable[[], str]
    tip: Callable[[], str]
    cancel: threading.Event
    newer: str = field(default="")

    def on(self, event: Event) -> None:
        """Take one event."""
        waits = isinstance(event, ChangeWaiting)
        ended = isinstance(event, ChangeEnded) and event.result not in (ChangeResult.SKIPPED, ChangeResult.CANCELLED)
        ours = event.address == self.run
        if self.newer or not (waits or (ended and ours)):
            return
        found = self.posted()
        if found in ("", self.commit) and ours:
            found = self.tip()
        if found not in ("", self.commit):
            self.newer = found
            self.cancel.set()
