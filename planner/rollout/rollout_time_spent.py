"""Where the time of a rollout went, and the warning when it was too much (R12). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from planner.address import Address
from planner.dataclass import dataclass
from planner.duration import render_duration
from planner.events import ChangeEnded, ChangeResult
from planner.rollout.forecast import PastChangeDuration, stage_seconds
from planner.rollout.rollout_stages import RolloutStage, pipeline_run_names_in_plan, rollout_stage_of_plan_node
from planner.values import JsonObject

OVER_BUDGET = "node-runtime-trigger-over-120s"  # the name is a contract, whatever the budget is


@dataclass(frozen=True, slots=True)
class RolloutTimeSpent:
    """Seconds of a rollout: in all, waiting for the pipeline, per stage; and the mirror as it was seen last."""

    total: float
    pipeline_wait: float
    stages: tuple[tuple[RolloutStage, float], ...]
    mirror: str

    def is_over(self, budget: float) -> bool:
        """Whether the whole, or the wait for the pipeline alone, took longer than the budget in seconds."""
        return max(self.total, self.pipeline_wait) > budget

    @property
    def split(self) -> str:
        """The stages in a line."""
        return " · ".join(f"{stage} {render_duration(seconds)}" for stage, seconds in self.stages) or "no stage ended"


def rollout_time_spent(
    ends: Mapping[Address, ChangeEnded], outputs: Mapping[Address, JsonObject], total: float
) -> RolloutTimeSpent:
    """How the time of a rollout was spent, in all and by stage. `ends` and `outputs` are those of the execution,
    `total` its seconds."""
    runs = pipeline_run_names_in_plan(ends)
    began = (ChangeResult.DONE, ChangeResult.UNCHANGED, ChangeResult.FAILED, ChangeResult.PENDING, ChangeResult.UNKNOWN)
    nodes = [PastChangeDuration(one.address, one.result in began, one.seconds, one.at) for one in ends.values()]
    seconds = stage_seconds(nodes)
    wait = max(
        (
            one.seconds
            for one in ends.values()
            if rollout_stage_of_plan_node(one.address, runs) is RolloutStage.PIPELINE
        ),
        default=0.0,
    )
    ordered = tuple((stage, seconds[stage]) for stage in RolloutStage if stage in seconds)
    return RolloutTimeSpent(total, wait, ordered, _mirror(ends, outputs, runs))


def over_budget_warning(spent: RolloutTimeSpent, budget: float) -> str:
    """The warning that a rollout took more than its budget, also after success; empty when everything was in time."""
    if not spent.is_over(budget):
        return ""
    return (
        f"{OVER_BUDGET}: total {render_duration(spent.total)}, pipeline wait {render_duration(spent.pipeline_wait)}, "
        f"git mirror {spent.mirror} (budget {render_duration(budget)}); {spent.split}"
    )


def _mirror(ends: Mapping[Address, ChangeEnded], outputs: Mapping[Address, JsonObject], runs: frozenset[str]) -> str:
    """`pendingFlush` and `githubInSync` as the flush after the run left them; unknown when it did not come to that."""
    flush = next((address for address in ends if rollout_stage_of_plan_node(address, runs) is RolloutStage.FLUSH), None)
    if flush is None:
        return "not touched"
    ended = ends[flush]
    if ended.result in (ChangeResult.DONE, ChangeResult.UNCHANGED):
        seen = outputs.get(flush, {})
        pending, synced = seen.get("pendingFlush", False), seen.get("inSync", True)
        return f"pendingFlush={_word(pending)} githubInSync={_word(synced)}"
    return f"flush {ended.result}"


def _word(value: object) -> str:
    return str(value).lower()
