"""Whether the rollout after a merge is the plan that was approved before it (P7, docs/adr/0049)."""

from __future__ import annotations

from dataclasses import replace

from planner.app.pull_request_plan import open_pull_request_plan
from planner.app.pull_requests.candidate_approvals import read_approvals_after_merge
from planner.app.pull_requests.cycle_context import CycleContext
from planner.dataclass import dataclass
from planner.plan_id import short_plan_id
from planner.pull_requests.approvals import count_approvals
from planner.pull_requests.deliveries import Delivery, RolloutOutcome, difference_from_approved
from planner.values import document_digest


@dataclass(frozen=True, slots=True)
class AdmittedRollout:
    """A delivery that may be rolled out, or whose outcome is HELD. `config` is the digest of the configuration that was
    compared, "" where nothing had to be."""

    delivery: Delivery
    config: str = ""


def admit_approved_rollout(context: CycleContext, one: Delivery, tip: str = "") -> AdmittedRollout:
    """Plan the pull request again, now that it is merged, and compare that with what was approved. `tip` is the commit
    that is rolled out in place of the merge, which contains it, "" for the merge itself: nobody approved the tip.

    Where a part is another one, the rollout waits until as many as have to have approved what it is now. Raises
    HwplanError where that cannot be known.
    """
    place = context.progress.place
    rules = place.rules.approvals
    if not one.approved or not rules.quorum:
        return AdmittedRollout(one)
    with open_pull_request_plan(place.request, one.pull) as planned:
        effect, parts, config = planned.identifier, dict(planned.parts), planned.session.stack.digest
    if tip:
        effect, parts = document_digest({"effect": effect, "tip": tip}), {**parts, f"{place.branch} at {tip[:12]}": tip}
    difference = "" if effect == one.approved else difference_from_approved(one.approved_parts, parts)
    begun = replace(one, outcome="" if one.outcome == RolloutOutcome.HELD else one.outcome, reason="")
    if not difference:
        return AdmittedRollout(begun, config)
    found = read_approvals_after_merge(place, context.progress.store, context.reader, one, effect)
    counted = count_approvals(found, rules, head=one.head, effect=effect, now=context.reader.now())
    if len(counted.people) >= rules.quorum:
        return AdmittedRollout(replace(begun, approved=effect, approved_parts=parts), config)
    have = f", {len(counted.people)} of {rules.quorum} have" if counted.people else ""
    reason = (
        f"approved was plan {short_plan_id(one.approved)}, it is {short_plan_id(effect)} now: {difference};"
        f" to go on, approve that{have}: hwplan approve {short_plan_id(effect)}"
    )
    return AdmittedRollout(replace(one, outcome=str(RolloutOutcome.HELD), reason=reason), config)
