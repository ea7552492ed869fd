"""How deliveries enter a cycle: merges that an earlier one asked for, those of others, and the one decided now."""

from __future__ import annotations

from dataclasses import replace

from planner.app.pull_requests.cycle_context import CycleContext
from planner.app.pull_requests.pull_requests_reader import PullRequestCycleReading
from planner.errors import ProviderError
from planner.pull_requests.deliveries import (
    Delivery,
    DeliveryStep,
    pull_requests_merged_by_others,
)
from planner.pull_requests.github_facts import PullRequestState


def recover_deliveries(context: CycleContext) -> None:
    """Recover the deliveries of a killed cycle: read what became of the merges that it asked for, or was about to
    (P21). One that was not made is judged anew."""
    for one in context.progress.known():
        if one.step is not DeliveryStep.INTENDED:
            continue
        try:
            merged = context.reader.client.pull(context.progress.place.repo, one.pull).merged
        except ProviderError as error:
            context.progress.trouble(f"pull request {one.pull}: {error.described()}")
            continue
        if merged:
            context.progress.mergeable.add(one.pull)
        else:
            context.progress.step(replace(one, step=DeliveryStep.VOID, reason="it was not merged"))


def start_deliveries_of_foreign_merges(context: CycleContext, reading: PullRequestCycleReading) -> None:
    """Pull requests that a person, a queue or another node merged enter at the verification (P11)."""
    for pull in pull_requests_merged_by_others(reading.merged, context.progress.known(), context.progress.memory.since):
        if pull.base_branch == context.progress.place.branch:
            by = _merged_by(context, pull)
            record_intended_merge(
                context, Delivery(pull.number, pull.head, DeliveryStep.INTENDED, pull.merged_at, merged_by=by)
            )


def _merged_by(context: CycleContext, pull: PullRequestState) -> str:
    """Who merged it: lists do not say."""
    try:
        return context.reader.client.pull(context.progress.place.repo, pull.number).merged_by or "others"
    except ProviderError:
        return "others"


def record_intended_merge(context: CycleContext, one: Delivery) -> None:
    """A delivery whose merge is made, or verified, by this cycle; durable before that. Raises StalePlan, StateError."""
    context.progress.step(one)
    context.progress.mergeable.add(one.pull)


def forget_closed_pull_requests(context: CycleContext, reading: PullRequestCycleReading) -> None:
    """Drop statuses and approvals of pull requests that are not open any more from the memory of the lane."""
    if reading.candidates is not None:
        numbers = {one.pull.number for one in reading.candidates}
        memory = context.progress.memory
        statuses = {number: one for number, one in memory.statuses.items() if number in numbers}
        approved = {number: one for number, one in memory.approved.items() if number in numbers}
        withdrawn = {number: one for number, one in memory.withdrawn.items() if number in numbers}
        context.progress.memory = replace(memory, statuses=statuses, approved=approved, withdrawn=withdrawn)
