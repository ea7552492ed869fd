"""What one cycle of a monitor is given. Data only."""

from __future__ import annotations

from collections.abc import Callable

from planner.app.apply_plan import ApplyChoices
from planner.app.pull_requests.apply_cycle import PlannedCycle
from planner.app.pull_requests.cycle_progress import CycleProgress
from planner.app.pull_requests.pull_requests_reader import PullRequestsReader
from planner.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CycleContext:
    """What every step of a pull-request cycle needs: lane, readers, state, clock, choices. `progress` is what they
    have done so far, the one part that changes; `show` is handed each plan before it is applied."""

    progress: CycleProgress
    reader: PullRequestsReader
    how: ApplyChoices
    show: Callable[[PlannedCycle], None] | None = None
