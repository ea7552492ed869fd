"""Carries out a plan: every change after what it needs, each effect between a durable begin and a durable end.

Takes the plan as it is and adds nothing to it. Knows providers and observers only by their protocols, and no storage,
no terminal and no cluster.
"""

from __future__ import annotations

from planner.executor.execution import execute
from planner.executor.observers import ObserverChain
from planner.executor.options import ErrorPolicy, ExecutionOptions, WaitPolicy
from planner.executor.outcome import RunResult, Verdict, exit_code, verdict

__all__ = [
    "ErrorPolicy",
    "ExecutionOptions",
    "ObserverChain",
    "RunResult",
    "Verdict",
    "WaitPolicy",
    "execute",
    "exit_code",
    "verdict",
]
