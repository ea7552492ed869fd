"""Plans in files, and the plan of a run that did not end: reading, writing, applying."""

from __future__ import annotations

from pathlib import Path

from planner.app.kept import check_approved
from planner.app.load import Stack, empty, load
from planner.app.request import Request, as_selected
from planner.app.run import How, Report, apply_saved, resume
from planner.app.session import opened_with
from planner.app.world import open_store
from planner.errors import ForeignPlan, HwplanError, StateError
from planner.plan import Plan
from planner.plan_document import dump
from planner.plan_document import load as parse
from planner.values import Sealed, leaves
from state.store import StateStore


def write(plan: Plan, path: Path) -> None:
    """Save a plan, whole or not at all. Raises HwplanError when the file cannot be written."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(dump(plan))
        partial.replace(path)
    except OSError as error:
        raise HwplanError(f"the plan cannot be saved: {error.strerror}", where=str(path)) from error


def read(path: Path) -> Plan:
    """Read a plan. Raises ForeignPlan when it is none, or one byte of it was changed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ForeignPlan(f"the plan cannot be read: {error.strerror}", where=str(path)) from error
    return parse(data)


def apply_file(request: Request, path: Path, how: How, *, approved: str = "") -> Report:
    """Apply the plan in `path` on the cluster it was made for. Raises StalePlan when it is not the approved one."""
    plan = read(path)
    if approved:
        check_approved(request, approved, plan)
    with open_store(request) as store:
        stack = _stack_of(request, plan, store)
        with opened_with(request, store, stack) as session:
            return apply_saved(plan, session, how)


def unfinished(request: Request) -> Plan:
    """The plan of the newest run that did not end well. Raises StateError when all did."""
    with open_store(request) as store:
        return _unfinished(store)


def resume_unfinished(request: Request, how: How) -> Report:
    """Finish that run."""
    with open_store(request) as store:
        plan = _unfinished(store)
        with opened_with(request, store, _stack_of(request, plan, store)) as session:
            return resume(session, plan, how)


def _unfinished(store: StateStore) -> Plan:
    left = store.unfinished_run()
    if left is None:
        raise StateError("there is no unfinished run", remedy="hwplan plan shows what is left to do")
    return parse(left.document)


def _stack_of(request: Request, plan: Plan, store: StateStore) -> Stack:
    """The stack that the plan was made from: for its secrets and its kube context, for nothing else.

    A plan without secrets applies without its configuration.
    """
    chosen = as_selected(request, plan.selection)
    try:
        return load(chosen, store.fingerprinter())
    except HwplanError:
        if _needs_sources(plan):
            raise
        return empty(chosen)


def _needs_sources(plan: Plan) -> bool:
    return any(isinstance(leaf, Sealed) for change in plan.changes for _, leaf in leaves(change.desired))
