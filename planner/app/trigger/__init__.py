"""`hwplan trigger`: one rollout of one lane: planned (`opening`), carried out (`running`), told about (`report`)."""

from __future__ import annotations

from planner.app.trigger.opening import Trigger, open_trigger
from planner.app.trigger.report import TriggerReport
from planner.app.trigger.running import run_trigger

__all__ = ["Trigger", "TriggerReport", "open_trigger", "run_trigger"]
