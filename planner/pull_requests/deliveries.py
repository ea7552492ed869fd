"""A delivery: one pull request on its way from the decision to merge it to the report of its rollout (P10, P21). Pure.

Every step is written down before the next effect begins, so that a monitor that was killed goes on where it was. The
steps only say what is known; what is true is read again from GitHub, git and the cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, field
from enum import StrEnum

from planner.dataclass import dataclass
from planner.plan_id import CHANGE
from planner.pull_requests.github_facts import PullRequestState
from planner.values import JsonObject

_NAMED = 3  # parts that differ


class DeliveryStep(StrEnum):
    """The steps of a delivery, from the decision to merge to the report: how far it is."""

    INTENDED = "intended"  # we are about to ask for the merge, or somebody else merged: verify it
    MERGED = "merged"  # the merge is verified; its commit is to be rolled out
    ENDED = "ended"  # the rollout is over, or was never begun; to be reported
    REPORTED = "reported"  # the comment says so
    VOID = "void"  # it was not merged after all
    MISMATCH = "mismatch"  # the merge is not the predicted one: the lane stops (P10)
    ACCEPTED = "accepted"  # a person looked at the mismatch and resumed the lane


class RolloutOutcome(StrEnum):
    """How the rollout of a delivery ended; the words of `targetValidation.state` (B12), and `no-op`."""

    PASSED = "passed"
    NO_OP = "no-op"  # the lane ran the commit already
    SUPERSEDED = "superseded"
    FAILED = "failed"
    PENDING = "pending"  # it did not end in time and goes on
    HELD = "held"  # it is not the plan that was approved: it waits for an approval of what it is now


@dataclass(frozen=True, slots=True)
class Delivery:
    """One pull request on one lane. `head` is the reviewed head, `commit` the verified merge ("" before that), `base`
    the tip of the base branch before it ("" where somebody else merged). `outcome` is "" before the rollout ended;
    `pending_flush` and `in_sync` are of the git mirror, None for unknown. Times are UTC. `reason` may hold text of
    others; `told` is the digest of the comment that was written last. `approved` is the id that was approved of the
    merge and its rollout ("" where nobody had to), `approved_parts` the digests of what that is made of, until the
    rollout ended."""

    pull: int
    head: str
    step: DeliveryStep
    begun: str
    base: str = ""
    commit: str = ""
    merged_by: str = ""
    ended: str = ""
    outcome: str = ""
    run: str = ""
    newer: str = ""
    pending_flush: bool | None = None
    in_sync: bool | None = None
    reason: str = ""
    told: str = ""
    approved: str = ""
    approved_parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether something is still to be done about it."""
        return self.step in (DeliveryStep.INTENDED, DeliveryStep.MERGED, DeliveryStep.ENDED)

    def document(self) -> JsonObject:
        """For the state."""
        return {**asdict(self), "step": str(self.step)}


def parse_delivery(document: JsonObject) -> Delivery:
    """Make the Delivery of its JSON document in the state."""
    return Delivery(**{**document, "step": DeliveryStep(document["step"])})


def difference_from_approved(approved: Mapping[str, str], now: Mapping[str, str]) -> str:
    """How the parts of a merge and its rollout differ from those that were approved, as a phrase; "" where no part is
    another one or new. A change that was approved and is not there any more was made already, or is not needed."""
    other = [f"{name} is another one" for name in now if approved.get(name, now[name]) != now[name]]
    added = [f"{name} was not in it" for name in now if name not in approved]
    gone = [f"{name} is not in it any more" for name in approved if name not in now and not name.startswith(CHANGE)]
    found = sorted([*other, *added, *gone])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def unaccepted_mismatch(deliveries: Iterable[Delivery]) -> str:
    """The mismatch that nobody has accepted yet, as a phrase; "" for none."""
    return next((f"pull request {one.pull}" for one in deliveries if one.step is DeliveryStep.MISMATCH), "")


def pull_requests_merged_by_others(
    pulls: Iterable[PullRequestState], deliveries: Iterable[Delivery], since: str
) -> list[PullRequestState]:
    """Pull requests that were merged since and that no delivery is about, the oldest merge first (P11)."""
    known = {one.pull for one in deliveries if one.step is not DeliveryStep.VOID}
    found = [one for one in pulls if one.merged and one.number not in known and one.merged_at >= since]
    return sorted(found, key=lambda one: (one.merged_at, one.number))
