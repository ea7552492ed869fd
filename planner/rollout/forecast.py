"""What a rollout will probably take: median and 90th percentile of each stage, from the runs of the lane before. Pure.

A stage counts from the first node that began in it to the last that ended, so that nodes side by side count once. The
critical path is the chain of stages that wait for each other: what was promoted is flushed while Argo CD syncs.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from planner.address import Address
from planner.rollout.stages import Stage, run_names, stage_of

_BEFORE = (Stage.MIRROR, Stage.CONTROL_PLANE, Stage.PIPELINE)
_BRANCHES = ((Stage.FLUSH,), (Stage.ARGO, Stage.PROBE))


@dataclass(frozen=True, slots=True)
class NodeTime:
    """How long one node of a past run took, and when it ended (ISO 8601). `done`: its effect was made, and well."""

    address: Address
    done: bool
    seconds: float
    ended: str


@dataclass(frozen=True, slots=True)
class StageForecast:
    """Seconds that a stage takes: expected (the median), and what nine of ten do not exceed."""

    stage: Stage
    expected: float
    p90: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the planned stages will probably take. `runs` past rollouts are behind it; with none nothing is known."""

    stages: tuple[StageForecast, ...]
    path: tuple[Stage, ...]
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


def stage_seconds(nodes: Collection[NodeTime]) -> Mapping[Stage, float]:
    """Seconds of each stage of one past run; only nodes that did something count."""
    runs = run_names(node.address for node in nodes)
    spans: dict[Stage, list[tuple[float, float]]] = {}
    for node in nodes:
        if node.done and (end := _instant(node.ended)) is not None:
            spans.setdefault(stage_of(node.address, runs), []).append((end - node.seconds, end))
    return {stage: max(end for _, end in found) - min(begin for begin, _ in found) for stage, found in spans.items()}


def forecast(past: Iterable[Mapping[Stage, float]], planned: Collection[Stage], budget: float) -> Forecast:
    """The forecast for the stages that are planned, from the stage times of past rollouts (those with a pipeline).

    A planned stage that no past rollout had is left out. The total's percentile is that of the totals of single runs.
    """
    rollouts = [one for one in past if Stage.PIPELINE in one]
    stages = tuple(_of_stage(stage, rollouts) for stage in Stage if stage in planned and _times(stage, rollouts))
    known = {one.stage: one for one in stages}
    path = _critical({stage: one.expected for stage, one in known.items()})
    totals = [sum(one.get(stage, known[stage].expected) for stage in path) for one in rollouts]
    return Forecast(
        stages,
        path,
        sum(known[stage].expected for stage in path),
        percentile(totals, 0.9),
        len(rollouts),
        budget,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank); 0 for none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0


def _of_stage(stage: Stage, rollouts: Sequence[Mapping[Stage, float]]) -> StageForecast:
    times = _times(stage, rollouts)
    return StageForecast(stage, median(times), percentile(times, 0.9))


def _times(stage: Stage, rollouts: Sequence[Mapping[Stage, float]]) -> list[float]:
    return [one[stage] for one in rollouts if stage in one]


def _critical(seconds: Mapping[Stage, float]) -> tuple[Stage, ...]:
    """The stages in a row, and of what goes on side by side the branch that takes longer."""
    longest = max(_BRANCHES, key=lambda branch: sum(seconds.get(stage, 0.0) for stage in branch))
    return tuple(stage for stage in (*_BEFORE, *longest) if stage in seconds)


def _instant(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
