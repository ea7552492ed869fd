"""Drift: the reading and predicting of a plan, judged instead of planned."""

from __future__ import annotations

from planner.app.make import inputs_of
from planner.app.request import Request
from planner.app.session import opened
from planner.drift import DriftReport
from planner.planning import drift_report


def drift_of(request: Request) -> DriftReport:
    """The drift report of the selection. Raises only when nothing at all can be judged (no config, no cluster)."""
    with opened(request) as session:
        gathered = inputs_of(session)
        return drift_report(gathered.inputs, gathered.snapshot)
