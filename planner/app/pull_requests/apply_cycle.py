"""Plans and applies the resources of a cycle like any others, and says what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from planner.address import Address
from planner.app.apply_plan import ApplyChoices, RunReport, apply_fresh_plan
from planner.app.load_desired import stack_without_resources
from planner.app.plan_with_inputs import PlanWithInputs, plan_selected_resources
from planner.app.pull_requests.cycle_resources import SCOPE
from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.app.session import Session, open_session_of_loaded_stack
from planner.dataclass import dataclass
from planner.events import ChangeEnded, ChangeResult
from planner.planning.plan_inputs import PlanInputs
from planner.resource import Resource
from planner.values import JsonObject
from state.state_store import StateStore

_WELL = (ChangeResult.DONE, ChangeResult.UNCHANGED)


@dataclass(frozen=True, slots=True)
class PlannedCycle:
    """The plan of a cycle's GitHub objects, and the session that it was made in."""

    made: PlanWithInputs
    session: Session


@dataclass(frozen=True, slots=True)
class AppliedCycle:
    """What became of the plan of a cycle. `report` is None where there was nothing to apply."""

    planned: PlannedCycle
    report: RunReport | None

    def is_well(self, address: Address) -> bool:
        """Whether the object is as it was declared now."""
        if self.problem(address):
            return False
        ended = self._ended(address)
        return ended is None or ended.result in _WELL

    def problem(self, address: Address) -> str:
        """Why it is not, "" where it is: the words of who failed, or why it was blocked."""
        inputs: PlanInputs = self.planned.made.inputs
        blocked = next((one for one in self.planned.made.plan.blocked if one.address == address), None)
        if blocked is not None:
            return blocked.reason
        ended = self._ended(address)
        if ended is None:
            return "" if address in inputs.resources else "it was not planned"
        return "" if ended.result in _WELL else ended.message or str(ended.result)

    def result(self, address: Address) -> ChangeResult | None:
        """How it ended; None where nothing was to be done about it."""
        ended = self._ended(address)
        return ended.result if ended is not None else None

    def outputs(self, address: Address) -> JsonObject:
        """Its outputs, of this execution or as they were found."""
        run = self.report.result if self.report else None
        if run is not None and (found := run.outputs.get(address)):
            return found
        preview = self.planned.made.inputs.previews.get(address)
        return preview.outputs if preview is not None else {}

    def _ended(self, address: Address) -> ChangeEnded | None:
        run = self.report.result if self.report else None
        return run.outcomes.get(address) if run is not None else None


@contextmanager
def open_session_with_cycle_plan(
    place: MonitoredLane, store: StateStore, resources: tuple[Resource, ...]
) -> Iterator[PlannedCycle]:
    """Plan these GitHub resources of a cycle on the cluster of the lane; the session stays open for who applies the
    plan."""
    stack = replace(
        stack_without_resources(place.request),
        resources=resources,
        product=place.product,
        nodes=(place.node,),
        lanes=(place.lane,),
        scopes=(SCOPE,),
        context=place.context,
        cluster_uid=place.cluster_uid,
        declared_sets=place.sets,
        digest=place.digest,
    )
    with open_session_of_loaded_stack(place.request, store, stack) as session:
        yield PlannedCycle(plan_selected_resources(session), session)


def apply_cycle(planned: PlannedCycle, how: ApplyChoices, admit: Callable[[], None] | None = None) -> AppliedCycle:
    """Apply the plan. `admit` is called under the lease, and refuses by raising. Raises what apply_fresh_plan does."""
    if not planned.made.plan.applyable:
        return AppliedCycle(planned, None)
    return AppliedCycle(planned, apply_fresh_plan(planned.made, planned.session, replace(how, admit=admit)))
