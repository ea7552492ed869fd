"""Durable memory: what was applied, by which run, and who may write now. Holds no secret byte and knows no provider."""

from __future__ import annotations

from state.applied_records import AppliedResourceVersion
from state.lease import Lease
from state.runs import JournaledNode, RunInfo, UnfinishedRun
from state.state_store import RunRecorder, StateStore

__all__ = ["AppliedResourceVersion", "JournaledNode", "Lease", "RunInfo", "RunRecorder", "StateStore", "UnfinishedRun"]
