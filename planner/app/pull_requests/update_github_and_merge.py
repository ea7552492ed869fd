"""Brings GitHub up to date (statuses, comments, issues), makes the intended merge, and records each result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from planner.address import Address
from planner.app.apply_plan import ApplyChoices
from planner.app.pull_requests.apply_cycle import AppliedCycle, apply_cycle, open_session_with_cycle_plan
from planner.app.pull_requests.cycle_context import CycleContext
from planner.app.pull_requests.cycle_resources import CycleResources, cycle_resources
from planner.app.pull_requests.standing_failures import remember_merge_mismatch
from planner.errors import HwplanError, LockedError, StalePlan
from planner.events import ChangeResult
from planner.pull_requests.deliveries import (
    DeliveryStep,
)
from planner.pull_requests.merge_queue import CycleDecision
from planner.pull_requests.predicted_merge_verification import MISMATCH


def apply_missing_github_resources(
    context: CycleContext, decision: CycleDecision | None, admit: Callable[[], None] | None
) -> None:
    """Plan and apply what GitHub lacks, the intended merge included; `admit` is called under the lease right before,
    and refuses by raising. Raises LockedError; other failures are recorded in the progress of the cycle."""
    wanted = cycle_resources(
        context.progress.place, decision, context.progress.known(), context.progress.memory, context.progress.mergeable
    )
    if not wanted.all():
        return
    try:
        with open_session_with_cycle_plan(context.progress.place, context.progress.store, wanted.all()) as planned:
            if context.show is not None and planned.made.plan.changes:
                context.show(planned)
            _take_results(context, wanted, apply_cycle(planned, _untimed(context), admit))
    except LockedError:
        context.progress.forget(list(wanted.merges))
        raise
    except StalePlan as error:
        context.progress.notes.append(error.message)
        context.progress.forget(list(wanted.merges))
    except HwplanError as error:  # whether the merge was made is looked at by the next cycle, which judges anew
        context.progress.mergeable -= {
            number for number in wanted.merges if not context.progress.deliveries[number][1].merged_by
        }
        context.progress.trouble(f"{error.where}: {error.message}" if error.where else error.message)


def _untimed(context: CycleContext) -> ApplyChoices:
    """The choices without the limit for rollouts: what GitHub is asked has limits of its own."""
    return replace(context.how, options=replace(context.how.options, timeout=None))


def _take_results(context: CycleContext, wanted: CycleResources, settled: AppliedCycle) -> None:
    """Write down what became of everything."""
    for number, resource in wanted.merges.items():
        _take_merge(context, number, settled, resource.address)
    for number, (resource, entry) in wanted.statuses.items():
        if settled.is_well(resource.address):
            context.progress.memory = replace(
                context.progress.memory, statuses={**context.progress.memory.statuses, number: entry}
            )
        else:
            context.progress.trouble(f"the status of pull request {number}: {settled.problem(resource.address)}")
    for family, (resource, wanted_digest) in wanted.issues.items():
        if settled.is_well(resource.address):
            context.progress.memory = replace(
                context.progress.memory, issues={**context.progress.memory.issues, family: wanted_digest}
            )
        else:
            context.progress.trouble(f"the issue {family}: {settled.problem(resource.address)}")
    for number, resource in wanted.withdrawals.items():
        if settled.is_well(resource.address):
            kept = {key: one for key, one in context.progress.memory.withdrawn.items() if key != number}
            context.progress.memory = replace(context.progress.memory, withdrawn=kept)
        else:
            context.progress.trouble(f"the comment on pull request {number}: {settled.problem(resource.address)}")
    for number, (resource, told) in wanted.comments.items():
        one = context.progress.deliveries[number][1]
        if settled.is_well(resource.address):
            step = DeliveryStep.REPORTED if one.step is DeliveryStep.ENDED else one.step
            context.progress.step(replace(one, step=step, told=told))
        elif one.step is not DeliveryStep.VOID and number not in wanted.merges:
            context.progress.trouble(f"the comment on pull request {number}: {settled.problem(resource.address)}")


def _take_merge(context: CycleContext, number: int, settled: AppliedCycle, address: Address) -> None:
    """What became of the merge: verified, a mismatch, unknown (looked at by the next cycle), or not made."""
    one, problem = context.progress.deliveries[number][1], settled.problem(address)
    said = f"pull request {number}: {problem}"
    if not problem:
        commit = str(settled.outputs(address).get("mergeCommit") or "")
        context.progress.step(replace(one, step=DeliveryStep.MERGED, commit=commit))
    elif MISMATCH in problem:
        found = replace(one, step=DeliveryStep.MISMATCH, reason=problem)
        context.progress.step(found)
        context.progress.memory = remember_merge_mismatch(context.progress.memory, found, one.begun)
        context.progress.errors.append(said)
    elif one.merged_by or settled.result(address) is ChangeResult.UNKNOWN:
        context.progress.trouble(said)
    else:
        context.progress.step(replace(one, step=DeliveryStep.VOID, reason=problem))
        (context.progress.errors if settled.result(address) is ChangeResult.FAILED else context.progress.notes).append(
            said
        )
