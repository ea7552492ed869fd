"""Drift: the reading and predicting of a plan, judged instead of planned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from planner.app.plan_with_inputs import gather_plan_inputs
from planner.app.request import Request
from planner.app.session import Session, open_session
from planner.applied_state import AppliedState
from planner.dataclass import dataclass
from planner.drift import ACKNOWLEDGEMENTS, IGNORE_RULES, DriftAcknowledgement, DriftIgnoreRule, DriftReport
from planner.planning import PlanInputs, drift_report


def detect_drift(request: Request, acknowledgements: Path | None = None, ignore: Path | None = None) -> DriftReport:
    """Compare what lives with what was applied, and give the drift report of the selection. Raises only when nothing
    at all can be judged (no config, no cluster).

    Without a file of acknowledgements or of ignore rules the one in the configuration folder counts, where there is
    one.
    """
    with open_session_with_drift_report(request, acknowledgements, ignore) as (report, _):
        return report


@contextmanager
def open_session_with_drift_report(
    request: Request, acknowledgements: Path | None = None, ignore: Path | None = None
) -> Iterator[tuple[DriftReport, Session]]:
    """The session and its drift report, as detect_drift gives it; the session stays open for who writes about it."""
    rules = load_drift_rules(request, acknowledgements, ignore)
    with open_session(request) as session:
        gathered = gather_plan_inputs(session)
        yield judge_drift(gathered.inputs, gathered.snapshot, rules, session.world.clock.now()), session


@dataclass(frozen=True, slots=True)
class DriftRules:
    """What is no drift although it differs: accepted for a time, or left to its owner for good."""

    acknowledged: tuple[DriftAcknowledgement, ...]
    ignored: tuple[DriftIgnoreRule, ...]


def load_drift_rules(request: Request, acknowledgements: Path | None = None, ignore: Path | None = None) -> DriftRules:
    """The rules in these files, else in those of the configuration folder. Raises ConfigError."""
    return DriftRules(_acknowledged(request, acknowledgements), _ignored(request, ignore))


def judge_drift(inputs: PlanInputs, snapshot: AppliedState, rules: DriftRules, now: str) -> DriftReport:
    """What was read for a plan at `now` (UTC ISO-8601), judged as drift by `rules`."""
    return replace(drift_report(inputs, snapshot, rules.acknowledged, now[:10], rules.ignored), at=now)


def _acknowledged(request: Request, given: Path | None) -> tuple[DriftAcknowledgement, ...]:
    file = given or request.config / ACKNOWLEDGEMENTS
    if given is None and not file.is_file():
        return ()
    from planner.loading.drift_acknowledgements import load_drift_acknowledgements

    return load_drift_acknowledgements(file)


def _ignored(request: Request, given: Path | None) -> tuple[DriftIgnoreRule, ...]:
    file = given or request.config / IGNORE_RULES
    if given is None and not file.is_file():
        return ()
    from planner.loading.drift_ignore_rules import load_ignore_rules

    return load_ignore_rules(file)
