"""Carries one rollout out, with its budget (S05, S14).

An apply like any other. What is added: the branch is read again while it goes on, the hold of the lane is set, and the
time is accounted for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from planner.app.apply_plan import ApplyChoices, apply_fresh_plan
from planner.app.approvals_and_shown_plans import refuse_unapproved_plan
from planner.app.lane.lane_evidence import CommitOrRunToReport
from planner.app.lane.lane_status import read_lane_status
from planner.app.lane_holds import refuse_plan_against_hold
from planner.app.lane_pipeline_runs import pipeline_run_namespace_and_name_prefix, read_lane_pipeline_runs
from planner.app.trigger.rollout_plan import PlannedRollout
from planner.app.trigger.rollout_report import (
    RolloutReport,
    make_report_of_ended_rollout,
    make_report_of_superseded_rollout,
)
from planner.dataclass import dataclass
from planner.errors import HwplanError, ProviderError
from planner.events import Event, EventObserver
from planner.ports import PresentObject
from planner.rollout.superseded_rollout import RolloutSupersededError, SupersededRolloutStopper
from planner.values import JsonObject
from providers.provider_table import ProviderTable


def run_rollout(trigger: PlannedRollout, how: ApplyChoices, *, approved: str = "") -> RolloutReport:
    """Carry the rollout out, like any plan. Raises what apply_fresh_plan does."""
    made, session = trigger.made, trigger.session
    if approved:
        refuse_unapproved_plan(session.request, approved, made.plan)
    try:
        posted = _posted_since(trigger)
        latest = SupersededRolloutStopper(
            trigger.run.address, trigger.commit, posted, lambda: _tip(trigger), threading.Event()
        )
        report = apply_fresh_plan(made, session, _choices(trigger, how, latest), approved=approved)
    except RolloutSupersededError as error:
        return make_report_of_superseded_rollout(trigger, error.newer)
    if trigger.held and trigger.held.is_new and report.run == 0 and report.exit_code == 0:
        _set_hold(trigger, 0)  # it is there already
    record, problem = _close(trigger) if report.result else (None, "")
    ended = make_report_of_ended_rollout(trigger, report, latest.newer, (record, problem))
    return ended if record is None or ended.exit_code else replace(ended, brief=_brief(trigger, record))


def _brief(trigger: PlannedRollout, record: JsonObject) -> str:
    """What is said of the lane's brief after a rollout that went well, "" where it has none. It never makes a rollout
    fail: `hwplan record-rollout` adds the entry later."""
    if trigger.lane.brief is None:
        return ""
    from planner.app.rollout_brief_entries import append_brief_entry_of_ended_rollout

    try:
        done = append_brief_entry_of_ended_rollout(trigger.session, trigger.head, trigger.lane.brief, record)
    except HwplanError as error:
        return f"no entry in the brief: {error.message}; hwplan record-rollout adds it"
    return f"brief: {'entry added to' if done.written else 'it stands in'} {done.place}"


def _close(trigger: PlannedRollout) -> tuple[JsonObject | None, str]:
    """The closeout record of the commit, and a warning where there is none: what was done stays done."""
    session, target = trigger.session, CommitOrRunToReport(commit=trigger.commit)
    request = replace(session.request, scopes=())
    try:
        return read_lane_status(request, target, closeout=True, config=session.config).record, ""
    except HwplanError as error:
        return None, f"no closeout record was written: {error.message}"


def _choices(trigger: PlannedRollout, how: ApplyChoices, latest: SupersededRolloutStopper) -> ApplyChoices:
    """Those of the caller, and what the rules of the lane add."""
    held = trigger.held

    def admit() -> None:
        if newer := latest.posted():
            raise RolloutSupersededError(newer)
        if held:
            read_lane_pipeline_runs(
                trigger.session.world.cluster, *pipeline_run_namespace_and_name_prefix(trigger.run)
            ).refuse_others(held.commit)

    begun = (lambda run: _set_hold(trigger, run)) if held and held.is_new else None
    choices = replace(how, options=replace(how.options, cancel=latest.cancel), held=held, begun=begun)
    if not _is_latest_only(trigger) and not held:
        return choices
    return replace(choices, admit=admit, watch=lambda plan: _Both(latest, how.watch(plan) if how.watch else None))


def _set_hold(trigger: PlannedRollout, run: int) -> None:
    held = trigger.held
    assert held is not None
    trigger.session.store.set_hold(trigger.key, held.number, held.commit, held.reason, run)


def _is_latest_only(trigger: PlannedRollout) -> bool:
    return trigger.lane.cd.policy == "latest-only" and bool(trigger.commit)


def _posted_since(trigger: PlannedRollout) -> Callable[[], str]:
    """Post what this rollout is about (B2), and give what was posted after it: a commit, or "".

    Nothing is posted where every commit is rolled out, nor by a rollout that the branch, or a hold, has left behind
    while it was planned. Raises RolloutSupersededError for the former.
    """
    store, lane = trigger.session.store, trigger.key
    if not (_is_latest_only(trigger) or trigger.held):
        return lambda: ""
    if not trigger.held:
        if (tip := _tip(trigger)) not in ("", trigger.commit):
            raise RolloutSupersededError(tip)
        refuse_plan_against_hold(trigger.made.plan, store, None)
    mine = store.record_rollout_target(lane, trigger.commit)

    def posted() -> str:
        newest = store.target(lane)
        return newest.commit if newest is not None and newest.number > mine.number else ""

    return posted


@dataclass(frozen=True, slots=True)
class _Both:
    """Two observers, the first one that decides and the one that shows."""

    first: EventObserver
    second: EventObserver | None

    def on(self, event: Event) -> None:
        self.first.on(event)
        if self.second is not None:
            self.second.on(event)


def _tip(trigger: PlannedRollout) -> str:
    """The commit of the branch now; "" where it cannot be read, or the lane is held: that stops nothing."""
    if trigger.held:
        return ""
    providers = ProviderTable(trigger.session.world.providers.tools)  # those of the plan remember what they have read
    try:
        provider = providers.of(trigger.head.api_version, trigger.head.address.kind)
        seen = provider.read([trigger.head], (), ()).observations.get(trigger.head.address)
    except ProviderError:
        return ""
    return str(seen.outputs.get("commit") or "") if isinstance(seen, PresentObject) else ""
