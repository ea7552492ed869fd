"""What a rollout will probably take, from recorded journals."""

from __future__ import annotations

import random
from statistics import median

import pytest

from planner.address import Address
from planner.render.rollout_forecast_and_time_spent import render_rollout_forecast
from planner.rollout.forecast import (
    PastChangeDuration,
    forecast_rollout_duration,
    nearest_rank_percentile,
    stage_seconds,
)
from planner.rollout.rollout_stages import RolloutStage

RUN = "hwlab-v03-ci-poll"
# The journal of one rollout: address, seconds, when it ended.
JOURNAL = [
    ("GitRef/sync-hwlab-v0.3", 2.0, "2026-11-20T09:00:02.000Z"),
    ("GitRef/snapshot-hwlab-v0.3", 1.0, "2026-11-20T09:00:03.000Z"),
    ("Pipeline.tekton.dev/hwlab-v03-ci/hwlab-v03", 0.5, "2026-11-20T09:00:03.500Z"),
    (f"PipelineRun/{RUN}", 90.0, "2026-11-20T09:01:34.000Z"),
    (f"GitRef/flush-{RUN}", 4.0, "2026-11-20T09:01:38.000Z"),
    (f"ArgoSync/{RUN}", 12.0, "2026-11-20T09:01:46.000Z"),
    (f"HttpProbe/{RUN}-gate-1", 1.0, "2026-11-20T09:01:47.000Z"),
]


def nodes(factor: float = 1.0) -> list[PastChangeDuration]:
    return [PastChangeDuration(Address.parse(address), True, seconds * factor, at) for address, seconds, at in JOURNAL]


def test_stages_of_a_journal() -> None:
    """A stage counts from its first node to its last; the flush after the run is told from the one before (B6)."""
    assert stage_seconds(nodes()) == pytest.approx(
        {
            RolloutStage.MIRROR: 3.0,
            RolloutStage.CONTROL_PLANE: 0.5,
            RolloutStage.PIPELINE: 90.0,
            RolloutStage.FLUSH: 4.0,
            RolloutStage.ARGO: 12.0,
            RolloutStage.PROBE: 1.0,
        }
    )


def test_what_did_nothing_does_not_count() -> None:
    skipped = [PastChangeDuration(one.address, False, one.seconds, one.ended) for one in nodes()]
    assert stage_seconds(skipped) == {} and forecast_rollout_duration([{}], list(RolloutStage), 120).runs == 0


@pytest.mark.parametrize(
    ("pipeline", "breaks"), [([60, 70, 80], "no"), ([60, 70, 200], "possibly"), ([130, 150, 170], "probably")]
)
def test_r12_whether_the_budget_breaks_is_known_before(pipeline: list[float], breaks: str) -> None:
    past = [{RolloutStage.PIPELINE: seconds, RolloutStage.ARGO: 10.0, RolloutStage.FLUSH: 3.0} for seconds in pipeline]
    found = forecast_rollout_duration(past, (RolloutStage.PIPELINE, RolloutStage.FLUSH, RolloutStage.ARGO), 120)
    assert found.breaks_budget == breaks
    assert found.path == (RolloutStage.PIPELINE, RolloutStage.ARGO) and found.expected == median(pipeline) + 10


def test_the_flush_is_on_the_critical_path_when_it_takes_longer() -> None:
    past = [{RolloutStage.PIPELINE: 10.0, RolloutStage.ARGO: 3.0, RolloutStage.PROBE: 1.0, RolloutStage.FLUSH: 9.0}]
    assert forecast_rollout_duration(past, list(RolloutStage), 120).path == (RolloutStage.PIPELINE, RolloutStage.FLUSH)


def test_only_what_is_planned_is_told() -> None:
    found = forecast_rollout_duration([stage_seconds(nodes())], (RolloutStage.ARGO, RolloutStage.PROBE), 120)
    assert [one.stage for one in found.stages] == [RolloutStage.ARGO, RolloutStage.PROBE] and found.expected == 13.0


def test_the_percentile_is_the_nearest_rank() -> None:
    """Against its definition: the smallest value that at least nine of ten do not exceed."""
    chance = random.Random(7)
    for _ in range(500):
        values = [chance.choice([1.0, 2.5, 7.0, chance.random()]) for _ in range(chance.randint(1, 30))]
        found = nearest_rank_percentile(values, 0.9)
        assert found in values and sum(one <= found for one in values) >= 0.9 * len(values)
        smaller = [one for one in values if one < found]
        assert len(smaller) < 0.9 * len(values)


def test_the_page() -> None:
    past = [stage_seconds(nodes()), stage_seconds(nodes(1.5))]
    assert render_rollout_forecast(
        forecast_rollout_duration(past, list(RolloutStage), 120), "D601/v03"
    ).splitlines() == [
        "what it will probably take, from 2 rollouts of D601/v03",
        "  stage          expected      p90",
        "  mirror             3.5s     4.0s",
        "  control-plane      0.6s     0.8s",
        "  pipeline          1m52s    2m15s",
        "  flush              5.0s     6.0s",
        "  argo                15s      18s",
        "  probe              1.2s     1.5s",
        "  critical path     2m13s    2m39s",
        "  mirror -> control-plane -> pipeline -> argo -> probe · budget 2m00s: breaks the budget",
    ]


def test_nothing_is_known_without_a_journal() -> None:
    told = render_rollout_forecast(forecast_rollout_duration([], list(RolloutStage), 120), "D601/v03")
    assert told == "what it will probably take: unknown, the journal has no rollout of D601/v03 · budget 2m00s"
