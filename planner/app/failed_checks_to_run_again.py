"""Checks (HttpProbe, PrometheusQuery) that did not end well when they were run last: they are asked again.

A check runs after a change of something that it needs (docs/adr/0013). What failed, or was not begun, in the last run
would be skipped by the next plan, where nothing it needs changes any more, and what waits for it would be made.
"""

from __future__ import annotations

from dataclasses import replace

from planner.address import Address
from planner.app.session import Session
from planner.events import ChangeResult
from planner.planning import PlanInputs
from planner.ports import Preview, PreviewEffect

_CHECKS = frozenset(("HttpProbe", "PrometheusQuery"))
_WELL = frozenset((str(ChangeResult.DONE), str(ChangeResult.UNCHANGED)))
_RUNS = 20  # how far back the journal is read


def with_failed_checks_run_again(inputs: PlanInputs, session: Session) -> PlanInputs:
    """The plan inputs, in which each check (HttpProbe, PrometheusQuery) whose last run did not end well is planned
    again although nothing changed, with the run that says so."""
    open_checks = {address for address, preview in inputs.previews.items() if _follows_changes(address, preview)}
    again = _last_results(session, open_checks)
    previews = {
        address: replace(inputs.previews[address], on_change=None, evidence=f"{result} in run {run}")
        for address, (run, result) in again.items()
        if result not in _WELL
    }
    return replace(inputs, previews={**inputs.previews, **previews}) if previews else inputs


def _follows_changes(address: Address, preview: Preview) -> bool:
    return address.kind in _CHECKS and preview.effect is PreviewEffect.RUN and preview.on_change is not None


def _last_results(session: Session, addresses: set[Address]) -> dict[Address, tuple[int, str]]:
    """The newest run in which each of them had a part, and how it ended there."""
    found: dict[Address, tuple[int, str]] = {}
    for run in session.store.history(_RUNS) if addresses else ():
        for node in session.store.nodes(run.number):
            if node.address in addresses:
                found.setdefault(node.address, (run.number, node.result or "not ended"))
        if found.keys() == addresses:
            break
    return found
