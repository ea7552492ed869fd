"""What a rollout will probably take: median and 90th percentile of each stage, from the runs of the lane before. Pure.

A stage counts from the first node that began in it to the last that ended, so that nodes side by side count once. The
critical path is the longest chain of stages that wait for each other: what was promoted is flushed while Argo CD syncs.
It is networkx's, imported only where a stage was measured: a rollout with nothing to do does not pay for it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median

from planner.address import Address
from planner.dataclass import dataclass
from planner.rfc3339 import parse_time
from planner.rollout.rollout_stages import RolloutStage, pipeline_run_names_in_plan, rollout_stage_of_plan_node

# Which stage waits for which.
_WAITS = (
    (RolloutStage.MIRROR, RolloutStage.CONTROL_PLANE),
    (RolloutStage.CONTROL_PLANE, RolloutStage.PIPELINE),
    (RolloutStage.PIPELINE, RolloutStage.FLUSH),
    (RolloutStage.PIPELINE, RolloutStage.ARGO),
    (RolloutStage.ARGO, RolloutStage.PROBE),
)


@dataclass(frozen=True, slots=True)
class PastChangeDuration:
    """How long one change of the plan of a past rollout took, and when it ended (ISO 8601). `done`: its effect was
    made, and well."""

    address: Address
    done: bool
    seconds: float
    ended: str


@dataclass(frozen=True, slots=True)
class StageDurationForecast:
    """Seconds that a stage takes: expected (the median), and what nine of ten do not exceed."""

    stage: RolloutStage
    expected: float
    p90: float


@dataclass(frozen=True, slots=True)
class RolloutDurationForecast:
    """What the planned stages will probably take. `runs` past rollouts are behind it; with none nothing is known."""

    stages: tuple[StageDurationForecast, ...]
    path: tuple[RolloutStage, ...]
    expected: float
    p90: float
    runs: int
    budget: float

    @property
    def breaks_budget(self) -> str:
        """`no`, `probably` (it is expected to), `possibly` (at the 90th percentile), `unknown`."""
        if not self.runs:
            return "unknown"
        if self.expected > self.budget:
            return "probably"
        return "possibly" if self.p90 > self.budget else "no"


def stage_seconds(nodes: Collection[PastChangeDuration]) -> Mapping[RolloutStage, float]:
    """Seconds of each stage of one past run; only nodes that did something count."""
    runs = pipeline_run_names_in_plan(node.address for node in nodes)
    spans: dict[RolloutStage, list[tuple[float, float]]] = {}
    for node in nodes:
        if node.done and (end := parse_time(node.ended)) is not None:
            at = end.timestamp()
            spans.setdefault(rollout_stage_of_plan_node(node.address, runs), []).append((at - node.seconds, at))
    return {stage: max(end for _, end in found) - min(begin for begin, _ in found) for stage, found in spans.items()}


def forecast_rollout_duration(
    past: Iterable[Mapping[RolloutStage, float]], planned: Collection[RolloutStage], budget: float
) -> RolloutDurationForecast:
    """Forecast how long the planned stages of a rollout take, from the stage times of past rollouts (those with a
    pipeline).

    A planned stage that no past rollout had is left out. The total's percentile is that of the totals of single runs.
    """
    rollouts = [one for one in past if RolloutStage.PIPELINE in one]
    stages = tuple(_of_stage(stage, rollouts) for stage in RolloutStage if stage in planned and _times(stage, rollouts))
    known = {one.stage: one for one in stages}
    path = _critical({stage: one.expected for stage, one in known.items()})
    totals = [sum(one.get(stage, known[stage].expected) for stage in path) for one in rollouts]
    return RolloutDurationForecast(
        stages,
        path,
        sum(known[stage].expected for stage in path),
        nearest_rank_percentile(totals, 0.9),
        len(rollouts),
        budget,
    )


def nearest_rank_percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank); 0 for none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0


def _of_stage(stage: RolloutStage, rollouts: Sequence[Mapping[RolloutStage, float]]) -> StageDurationForecast:
    times = _times(stage, rollouts)
    return StageDurationForecast(stage, median(times), nearest_rank_percentile(times, 0.9))


def _times(stage: RolloutStage, rollouts: Sequence[Mapping[RolloutStage, float]]) -> list[float]:
    return [one[stage] for one in rollouts if stage in one]


def _critical(seconds: Mapping[RolloutStage, float]) -> tuple[RolloutStage, ...]:
    """The longest chain of measured stages; a stage that was not measured takes no time, and joins its neighbours."""
    if not seconds:
        return ()
    from networkx import DiGraph, dag_longest_path

    graph: DiGraph[RolloutStage] = DiGraph()
    for before, after in _WAITS:
        graph.add_edge(before, after, seconds=seconds.get(after, 0.0))
    return tuple(stage for stage in dag_longest_path(graph, weight="seconds") if stage in seconds)
