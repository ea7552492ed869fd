"""Reading the state of a git mirror: its refs as they are, and what the newest flush reported."""

from __future__ import annotations

from collections.abc import Collection

from planner.address import Address
from planner.app.apply_plan import RunReport
from planner.app.plan_with_inputs import Only
from planner.app.request import Request
from planner.app.selected_resources_status import read_status_of_selected_resources_in_session
from planner.app.session import open_session
from planner.events import ChangeResult
from planner.resource_status import ResourceStatusTable
from planner.unconfirmed_push_recheck import UnconfirmedPushRecheck, judge_unconfirmed_push_rechecks
from planner.values import JsonObject
from state.state_store import StateStore

_WELL = (ChangeResult.DONE, ChangeResult.UNCHANGED)
_RUNS = 50  # looked through for the newest flush


def read_git_mirror_status(request: Request, only: Only) -> tuple[ResourceStatusTable, UnconfirmedPushRecheck]:
    """Read the refs of the git mirror on both sides, and what the newest flush reported. Raises only when nothing
    can be judged."""
    with open_session(request) as session:
        status = read_status_of_selected_resources_in_session(session, only)
        flushes = {row.address for row in status.rows if row.spec.get("mode") == "fast-forward"}
        return status, read_last_git_mirror_flush(session.store, flushes)


def read_last_git_mirror_flush(store: StateStore, flushes: Collection[Address]) -> UnconfirmedPushRecheck:
    """What the newest run that pushed one of the `flushes` (GitRefs from the mirror to the upstream) reported."""
    for info in store.history(_RUNS):
        rows = [row for row in store.nodes(info.number) if row.address in flushes and row.phase == "END"]
        ended = [row for row in rows if row.result not in ("skipped", "cancelled")]
        if ended:
            said = [
                (row.result in _WELL, [str(row.detail.get("message", "")), *row.detail.get("warnings", ())])
                for row in ended
            ]
            return judge_unconfirmed_push_rechecks(said, run=info.number, at=max(row.at for row in ended))
    return UnconfirmedPushRecheck()


def git_mirror_flush_document(report: RunReport) -> JsonObject:
    """What a flush adds to the JSON of its run: `ok`, and what became of pushes that were not confirmed at once."""
    ends = report.result.outcomes.values() if report.result else ()
    at = max((ended.at for ended in ends), default="")
    said = ((ended.result in _WELL, (ended.message, *ended.warnings)) for ended in ends)
    found = judge_unconfirmed_push_rechecks(said, run=report.run, at=at)
    return {"ok": report.exit_code == 0, **found.document()}
