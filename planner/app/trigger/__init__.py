"""`hwplan trigger`: one rollout of one lane: planned (`rollout_plan`), carried out (`run_rollout`), reported
(`rollout_report`)."""

from __future__ import annotations

from planner.app.trigger.rollout_plan import PlannedRollout, open_rollout_plan
from planner.app.trigger.rollout_report import RolloutReport
from planner.app.trigger.run_rollout import run_rollout

__all__ = ["PlannedRollout", "RolloutReport", "open_rollout_plan", "run_rollout"]
