"""Carries out a plan: every change after what it needs, each effect after a durable begin.

Takes the plan as it is and adds nothing to it. Knows providers and observers only by their protocols, and no storage,
no terminal and no cluster.
"""

from __future__ import annotations

from planner.executor.execution import execute_plan
from planner.executor.execution_options import EarlierChangeResult, ErrorPolicy, ExecutionOptions, WaitPolicy
from planner.executor.observer_chain import ObserverChain
from planner.executor.run_result import RunResult, RunVerdict, exit_code_of_run, run_verdict

__all__ = [
    "EarlierChangeResult",
    "ErrorPolicy",
    "ExecutionOptions",
    "ObserverChain",
    "RunResult",
    "RunVerdict",
    "WaitPolicy",
    "execute_plan",
    "exit_code_of_run",
    "run_verdict",
]
