"""From what is wanted, what was seen and what was predicted to a Plan: pure, deterministic, the one place that decides.

Reads no clock, file or network; makes no request; knows no kind. Providers predict single resources, this package puts
the predictions in order, blocks what cannot be done, finds what is to be deleted and binds the plan to what was seen.
"""

from __future__ import annotations

from planner.planning.drift import drift_report, moved_on
from planner.planning.guards import check_guards
from planner.planning.inputs import PlanInputs
from planner.planning.make import doomed, make_plan

__all__ = ["PlanInputs", "check_guards", "doomed", "drift_report", "make_plan", "moved_on"]
