"""The rollouts of what is merged, the oldest first, unless something stops the lane."""

from __future__ import annotations

from functools import partial

from planner.app.pull_requests.approved_rollout import admit_approved_rollout
from planner.app.pull_requests.cycle_context import CycleContext
from planner.app.pull_requests.delivery_rollout import RolloutInterrupted, roll_out_delivery
from planner.app.pull_requests.pull_requests_reader import PullRequestCycleReading
from planner.app.pull_requests.standing_failures import remember_failures_of_cycle
from planner.errors import HwplanError, LockedError
from planner.pull_requests.deliveries import (
    DeliveryStep,
    RolloutOutcome,
    unaccepted_mismatch,
)
from planner.pull_requests.merge_queue import CycleDecision


def roll_out_merged_pull_requests(
    context: CycleContext, reading: PullRequestCycleReading, decision: CycleDecision, now: str
) -> None:
    """Roll out each merged pull request, the oldest first, unless something stops the lane."""
    stopping = [one for one in decision.lane if one.code in ("merge-mismatch", "hold", "self-stop")]
    merged = [one for one in context.progress.known() if one.step is DeliveryStep.MERGED]
    if not merged:
        return
    if stopping or unaccepted_mismatch(context.progress.known()):
        why = stopping[0].reason if stopping else "a merge is not the predicted one"
        context.progress.notes.append(f"nothing is rolled out: {why}")
        return
    tip = _tip(context)
    covering = {one.commit for one in context.progress.known() if one.commit}
    admit = partial(admit_approved_rollout, context)
    for one in sorted(merged, key=lambda one: (one.begun, one.pull)):
        try:
            ended = roll_out_delivery(
                context.progress.place, one, context.how, tip=tip, covered=tip in covering, admit=admit
            )
        except (LockedError, RolloutInterrupted) as error:
            context.progress.trouble(f"the rollout of {one.commit[:12]}: {error.message}")
            context.progress.interrupted = isinstance(error, RolloutInterrupted)
            return
        except HwplanError as error:
            context.progress.errors.append(f"the rollout of {one.commit[:12]}: {error.message}")
            return
        context.progress.step(ended)
        if ended.outcome == RolloutOutcome.HELD:
            context.progress.notes.append(f"the rollout of {one.commit[:12]} is held: {ended.reason}")
            return
        context.progress.memory = remember_failures_of_cycle(
            context.progress.place, None, context.progress.memory, now, ended
        )


def _tip(context: CycleContext) -> str:
    """What the branch stands on now; "" for unknown. A merge of this cycle has moved it."""
    try:
        return context.reader.client.branch_rules(context.progress.place.repo, context.progress.place.branch).tip
    except HwplanError:
        return ""
