"""Carrying out a plan: guards, lease, freshness, execution, and how it ended. Adds nothing to the plan."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from planner.address import is_hwplan_kind
from planner.app.approvals_and_shown_plans import refuse_unapproved_plan
from planner.app.ended_kubernetes_jobs import find_kubernetes_jobs_gone_since_interrupted_run
from planner.app.lane_holds import RolloutUnderHold, refuse_plan_against_hold
from planner.app.plan_with_inputs import PlanWithInputs, count_owned_live_objects
from planner.app.read_and_preview import read_with_all_providers
from planner.app.secret_source_changes_since_plan import secret_sources_changed_since_plan
from planner.app.session import Session
from planner.app.snapshot_records import is_saved_snapshot
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import ForeignPlan, PermanentError, StalePlan, StateError
from planner.events import EventObserver
from planner.executor import (
    ExecutionOptions,
    ObserverChain,
    RunResult,
    WaitPolicy,
    execute_plan,
    exit_code_of_run,
    run_verdict,
)
from planner.plan import Action, Change, Plan
from planner.plan_bytes import encode_compact_plan
from planner.plan_id import plan_id
from planner.planning import refuse_plan_by_guards
from planner.ports import AbsentObject, Observation, PresentObject, Provider, ReadResult, UnreadableObject
from planner.resource import Resource

_FAILED = 1


@dataclass(frozen=True, slots=True)
class ApplyChoices:
    """Choices of the caller: guards whose danger is accepted, patience for the lock in seconds, those of the executor,
    and who watches (`watch` makes an observer for a plan).

    `held` is the hold that the plan rolls out. `admit` is called when the lock is held, and refuses by raising;
    `begun` with the number of the run, before anything is done.
    """

    options: ExecutionOptions
    allow: tuple[str, ...] = ()
    lock_timeout: float = 0.0
    watch: Callable[[Plan], EventObserver] | None = None
    held: RolloutUnderHold | None = None
    admit: Callable[[], None] | None = None
    begun: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True)
class RunReport:
    """The report of a run: its number, the plan, how every change ended, and the verdict. `run` is 0 and `result`
    None when there was nothing to do."""

    plan: Plan
    plan_id: str
    run: int
    result: RunResult | None

    @property
    def all_done(self) -> bool:
        """Whether every change ended well; what is blocked is no change."""
        return self.result is None or exit_code_of_run(self.result) == 0

    @property
    def exit_code(self) -> int:
        """The exit code of `apply`: blocked resources count as failed, because what was asked for is not there."""
        code = exit_code_of_run(self.result) if self.result else 0
        return code or (_FAILED if self.plan.blocked else 0)


def apply_fresh_plan(made: PlanWithInputs, session: Session, how: ApplyChoices, *, approved: str = "") -> RunReport:
    """Apply a plan that this command has just made, with its inputs. Raises StalePlan when it is not the `approved`
    one."""
    _refuse_snapshot(session)
    if approved:
        refuse_unapproved_plan(session.request, approved, made.plan)
    if made.plan.blocked:
        refuse_plan_against_hold(
            made.plan, session.store, how.held
        )  # what is blocked may be so because the lane is held
    if _nothing(made.plan, how):
        return RunReport(made.plan, made.identifier, 0, None)
    refuse_plan_by_guards(made.plan, made.snapshot, owned_live=made.owned_live, allow=how.allow)
    return _run(made.plan, session, how, made.identifier)


def apply_saved_plan(plan: Plan, session: Session, how: ApplyChoices) -> RunReport:
    """Apply a plan that was made earlier. Raises ForeignPlan for another cluster and StalePlan when the world moved;
    both before anything is written."""
    _refuse_snapshot(session)
    identity = session.world.identity()
    if identity.uid != plan.cluster.uid:
        raise ForeignPlan(
            f"the plan is for cluster {plan.cluster.uid[:8]} ({plan.cluster.server}), "
            f"this is {identity.uid[:8]} ({identity.server})",
            remedy="choose the cluster with --kubeconfig, --context or --live, or plan again here",
        )
    if _nothing(plan, how):
        return RunReport(plan, plan_id(plan), 0, None)
    seen = _look_again(plan, session)
    snapshot = session.store.snapshot(session.stack.owned)
    refuse_plan_by_guards(
        plan, snapshot, owned_live=count_owned_live_objects(seen, session.stack.owned), allow=how.allow
    )
    _check_fresh(plan, seen, session)
    return _run(plan, session, how)


def resume_run(session: Session, plan: Plan, how: ApplyChoices) -> RunReport:
    """Finish the newest run that did not end well: what is done stays, what was begun is looked at first."""
    _refuse_snapshot(session)
    left = session.store.unfinished_run()
    if left is None:
        raise StateError("there is no unfinished run to resume", remedy="hwplan plan shows what is left to do")
    options = replace(
        how.options, done=left.done, ended=find_kubernetes_jobs_gone_since_interrupted_run(plan, left, session)
    )
    return _run(plan, session, replace(how, options=options), resumes=left.info.number)


def _refuse_snapshot(session: Session) -> None:
    """A saved snapshot is for planning. Raises ForeignPlan before anything is looked at, locked or recorded."""
    if is_saved_snapshot(session.request.live):
        raise ForeignPlan(
            "a saved snapshot cannot be written",
            where=f"--live {session.request.live}",
            remedy="apply on the cluster that was saved: the same command without --live",
        )


def _nothing(plan: Plan, how: ApplyChoices) -> bool:
    """Whether there is nothing to do, nor anything to wait for that is to be waited for."""
    return not plan.applyable and (not plan.changes or how.options.wait is not WaitPolicy.ALL)


def _run(
    plan: Plan, session: Session, how: ApplyChoices, identifier: str = "", *, resumes: int | None = None
) -> RunReport:
    identifier = identifier or plan_id(plan)
    document = encode_compact_plan(plan, identifier)
    operation = "destroy" if plan.destroy else "apply"
    others = (how.watch(plan),) if how.watch else ()
    with session.store.acquire(operation, identifier, how.lock_timeout) as lease:
        refuse_plan_against_hold(plan, session.store, how.held)
        if how.admit:
            how.admit()
        run = session.store.begin_run(lease, identifier, plan, document, operation=operation, resumes=resumes)
        if how.begun:
            how.begun(run.number)
        with _draining(how.options.cancel):
            result = execute_plan(
                plan, _provider_of(session), session.stack.vault, ObserverChain(run.observer, *others),
                session.world.clock, how.options,
            )  # fmt: skip
        run.end(run_verdict(result))
    return RunReport(plan, identifier, run.number, result)


def _provider_of(session: Session) -> Callable[[Change], Provider]:
    def provider_of(change: Change) -> Provider:
        return session.world.providers.of(change.api_version, change.address.kind)

    return provider_of


@contextmanager
def _draining(cancel: threading.Event) -> Iterator[None]:
    """The first interrupt lets what runs finish; nothing new begins."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: cancel.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _look_again(plan: Plan, session: Session) -> ReadResult:
    """Read everything that the plan touches, and what else is ours where anything is declared."""
    touched = [_as_resource(change) for change in plan.changes if change.action is not Action.NOOP]
    stack = session.stack
    also = {
        KindInNamespace(one.address.node_lane, one.api_version, one.address.kind, one.address.namespace)
        for one in stack.resources
        if not is_hwplan_kind(one.api_version)
    }
    seen, unsupported = read_with_all_providers(session.world.providers, touched, stack.owned, also)
    for address, reason in sorted(unsupported.items()):
        raise PermanentError(reason, where=str(address))
    return seen


def _check_fresh(plan: Plan, seen: ReadResult, session: Session) -> None:
    """Refuse the plan when one precondition does not hold any more, or a secret is another one at its source."""
    touched = [change for change in plan.changes if change.action is not Action.NOOP]
    found = seen.observations
    moved = [
        text for change in touched if (text := _moved(change, found.get(change.address, AbsentObject(change.address))))
    ]
    moved += secret_sources_changed_since_plan(touched, session.stack.secrets, session.store.fingerprinter())
    if moved:
        more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
        raise StalePlan(f"the world moved since the plan was made: {moved[0]}{more}", remedy="plan again")


def _moved(change: Change, seen: Observation) -> str:
    """What is different from what the plan saw; empty when nothing is."""
    wanted = change.precondition
    match seen:
        case UnreadableObject(reason=reason):
            return f"{change.address} cannot be read ({reason})"
        case AbsentObject():
            return "" if wanted.absent else f"{change.address} is gone"
        case PresentObject() if wanted.absent:
            return f"{change.address} exists now"
        case PresentObject(uid=uid) if wanted.uid and uid != wanted.uid:
            return f"{change.address} was deleted and made again"
        case PresentObject(content=content) if content != wanted.content:
            return f"{change.address} was changed"
    return ""


def _as_resource(change: Change) -> Resource:
    return Resource(
        change.address, change.api_version, change.desired or {}, "", change.scope, change.source
    )  # fmt: skip
