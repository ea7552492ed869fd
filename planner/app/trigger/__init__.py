"""`hwplan trigger`: one rollout of one lane: planned (`opening`), carried out (`running`), told about (`report`)."""

from __future__ import annotations

from planner.app.trigger.rollout_plan import PlannedRollout, open_rollout_plan
from planner.app.trigger.rollout_report import RolloutReport
from planner.app.trigger.run_rollout import run_rollout

__all__ = ["PlannedRollout", "RolloutReport", "open_rollout_plan", "run_rollout"]
