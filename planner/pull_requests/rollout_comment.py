"""The comment on a pull request about its rollout: one per node and lane, updated in place (S02, P15). Pure.

Nothing of the pull request stands in it. Words of other systems are made safe and cut.
"""

from __future__ import annotations

from planner.pull_requests.deliveries import Delivery, DeliveryStep, RolloutOutcome
from planner.text_safe import markdown_safe

_MOST = 600  # characters of a reason
COMMIT = "\0commit\0"  # where the merge commit stands while nobody knows it

_HEADS = {
    RolloutOutcome.PASSED: "Rolled out",
    RolloutOutcome.NO_OP: "Nothing to roll out: the lane runs this commit already",
    RolloutOutcome.SUPERSEDED: "Superseded: a newer commit of the branch is rolled out instead",
    RolloutOutcome.FAILED: "The rollout failed",
    RolloutOutcome.PENDING: "The rollout did not end in time and goes on",
    RolloutOutcome.HELD: "Merged, and the rollout is held: it is not the plan that was approved",
}
_STATES = {
    RolloutOutcome.NO_OP: RolloutOutcome.PASSED,
    RolloutOutcome.HELD: RolloutOutcome.PENDING,
}  # of targetValidation (B12)


def rollout_comment_marker(node: str, lane: str) -> str:
    """The hidden marker of the rollout comment of a node about a lane."""
    return f"rollout:{lane}:{node}".lower()


def target_validation_state_of_delivery(one: Delivery) -> str:
    """`targetValidation.state` of a delivery: passed, superseded, pending, failed; pending before its end."""
    if one.step is DeliveryStep.MISMATCH:
        return RolloutOutcome.FAILED.value
    return str(_STATES.get(RolloutOutcome(one.outcome), one.outcome)) if one.outcome else RolloutOutcome.PENDING.value


def rollout_comment_body(one: Delivery, node: str, lane: str) -> str:
    """The body of the comment that reports a rollout on its pull request. COMMIT stands for a merge commit that is not
    known yet."""
    rows = [
        ("targetValidation", f"`{target_validation_state_of_delivery(one)}`"),
        ("source commit", f"`{one.commit or COMMIT}`"),
        ("PipelineRun", markdown_safe(one.run) if one.run else "none"),
        ("start", one.begun),
        ("end", one.ended or "not yet"),
        ("git mirror", f"`pendingFlush={_word(one.pending_flush)}` `githubInSync={_word(one.in_sync)}`"),
    ]
    if one.newer:
        rows.append(("superseded by", f"`{one.newer}`"))
    if one.reason:
        rows.append(("reason", markdown_safe(one.reason[:_MOST])))
    table = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    return "\n".join([f"**{_head(one)}** on `{node}/{lane}`.", "", *table])


def _head(one: Delivery) -> str:
    if one.step is DeliveryStep.MISMATCH:
        return "The merge is not the predicted one: nothing is rolled out"
    return _HEADS[RolloutOutcome(one.outcome)] if one.outcome else "Merged; the rollout follows"


def _word(value: bool | None) -> str:
    return "unknown" if value is None else str(value).lower()
