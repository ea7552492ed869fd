"""From what is wanted, what was seen and what was predicted to a Plan: pure, deterministic, the one place that decides.

Reads no clock, file or network; makes no request; knows no kind. Providers predict single resources, this package puts
the predictions in order, blocks what cannot be done, finds what is to be deleted and binds the plan to what was seen.
"""

from __future__ import annotations

from planner.planning.judge_drift import drift_report, is_applied_version_outdated
from planner.planning.leaving_objects import decide_leaving_objects, select_teardown_addresses
from planner.planning.make_plan import make_plan
from planner.planning.plan_guards import fired_guards, refuse_plan_by_guards
from planner.planning.plan_inputs import PlanInputs

__all__ = [
    "PlanInputs",
    "decide_leaving_objects",
    "drift_report",
    "fired_guards",
    "is_applied_version_outdated",
    "make_plan",
    "refuse_plan_by_guards",
    "select_teardown_addresses",
]
