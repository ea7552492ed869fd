"""Plans in files, and the plan of a run that did not end: reading, writing, applying."""

from __future__ import annotations

from pathlib import Path

from planner.app.apply_plan import ApplyChoices, RunReport, apply_saved_plan, resume_run
from planner.app.approvals_and_shown_plans import refuse_unapproved_plan
from planner.app.load_desired import DesiredStack, load_desired, stack_without_resources
from planner.app.request import Request, request_of_earlier_plan
from planner.app.runtime import open_state_store
from planner.app.session import open_session_of_loaded_stack
from planner.disk_errors import disk_error_text
from planner.errors import ForeignPlan, HwplanError, StateError
from planner.plan import Plan
from planner.plan_bytes import dump_plan
from planner.plan_bytes import load_plan as parse
from planner.values import SealedSecret, value_leaves
from planner.whole_file import write_whole_file
from state.state_store import StateStore


def write_plan_file(plan: Plan, path: Path) -> None:
    """Save a plan, whole or not at all. Raises HwplanError when the file cannot be written."""
    try:
        write_whole_file(path, dump_plan(plan))
    except OSError as error:
        raise HwplanError(f"the plan cannot be saved: {disk_error_text(error)}", where=str(path)) from error


def read_plan_file(path: Path) -> Plan:
    """Read a plan. Raises ForeignPlan when it is none, or one byte of it was changed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ForeignPlan(f"the plan cannot be read: {disk_error_text(error)}", where=str(path)) from error
    return parse(data)


def read_plan_of_file_or_run(request: Request, name: str) -> Plan:
    """Read the plan of a file, or of an earlier run by its number. Raises ForeignPlan for a broken file, StateError
    for a run without a plan."""
    if not name.isdecimal():
        return read_plan_file(Path(name))
    with open_state_store(request) as store:
        document = store.run_plan(int(name))
    if not document:
        raise StateError(f"there is no plan of run {name}", remedy="hwplan state history lists the runs")
    return parse(document)


def apply_plan_file(request: Request, path: Path, how: ApplyChoices, *, approved: str = "") -> RunReport:
    """Apply the plan in `path` on the cluster it was made for. Raises StalePlan when it is not the approved one."""
    plan = read_plan_file(path)
    if approved:
        refuse_unapproved_plan(request, approved, plan)
    with open_state_store(request) as store:
        stack = _stack_of(request, plan, store)
        with open_session_of_loaded_stack(request, store, stack) as session:
            return apply_saved_plan(plan, session, how)


def plan_of_unfinished_run(request: Request) -> Plan:
    """The plan of the newest run that did not end well. Raises StateError when all did."""
    with open_state_store(request) as store:
        return _unfinished(store)


def resume_unfinished_run(request: Request, how: ApplyChoices) -> RunReport:
    """Resume the newest run that did not end well, from its plan and its journal."""
    with open_state_store(request) as store:
        plan = _unfinished(store)
        with open_session_of_loaded_stack(request, store, _stack_of(request, plan, store)) as session:
            return resume_run(session, plan, how)


def _unfinished(store: StateStore) -> Plan:
    left = store.unfinished_run()
    if left is None:
        raise StateError("there is no unfinished run", remedy="hwplan plan shows what is left to do")
    return parse(left.document)


def _stack_of(request: Request, plan: Plan, store: StateStore) -> DesiredStack:
    """The stack that the plan was made from: for its secrets and its kube context, for nothing else.

    A plan without secrets applies without its configuration.
    """
    chosen = request_of_earlier_plan(request, plan.selection)
    try:
        return load_desired(chosen, store.fingerprinter())
    except HwplanError:
        if _needs_sources(plan):
            raise
        return stack_without_resources(chosen)


def _needs_sources(plan: Plan) -> bool:
    return any(isinstance(leaf, SealedSecret) for change in plan.changes for _, leaf in value_leaves(change.desired))
