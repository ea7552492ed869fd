"""One cycle as it is stored and printed: every candidate with each unmet requirement, its place, what is next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from planner.dataclass import dataclass
from planner.pull_requests.deliveries import Delivery
from planner.pull_requests.merge_queue import CandidateVerdict, CycleDecision
from planner.pull_requests.rollout_comment import target_validation_state_of_delivery
from planner.values import JsonObject, document_digest

# How a cycle ended. `failed` counts towards the self-stop (P17), `done` and `resumed` end the count, others do neither.
IDLE, WAITING, DONE, FAILED, PENDING, UNKNOWN = "idle", "waiting", "done", "failed", "pending", "unknown"
RESUMED, DRY_RUN = "resumed", "dry-run"
_CODES = {FAILED: 1, UNKNOWN: 1, PENDING: 4}


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """`purpose` is `monitor` or `once`, `at` the beginning (UTC), `base` the tip of the branch ("" where it could not
    be read). `error` says what went wrong and `fault` whose it is: `user`, `operator` or "". `deliveries` are those
    that this cycle worked on."""

    purpose: str
    at: str
    base: str
    result: str
    decision: CycleDecision
    deliveries: tuple[Delivery, ...] = ()
    error: str = ""
    fault: str = ""
    requests: int = 0
    notes: tuple[str, ...] = ()
    number: int = field(default=0, compare=False)

    @property
    def exit_code(self) -> int:
        """0 for a cycle that did what there was to do, 1 failed or unreadable, 4 a rollout that goes on."""
        return _CODES.get(self.result, 0)

    @property
    def may_repeat(self) -> bool:
        """Whether such cycles are counted instead of listed (P19)."""
        return self.result in (IDLE, WAITING)

    def document(self) -> JsonObject:
        """For programs and for the state."""
        return {
            "purpose": self.purpose,
            "at": self.at,
            "base": self.base or None,
            "result": self.result,
            "error": self.error or None,
            "fault": self.fault or None,
            "requests": self.requests,
            "notes": list(self.notes),
            "lane": [{"code": one.code, "reason": one.reason, "holder": one.holder} for one in self.decision.lane],
            "paused": self.decision.paused or None,
            "merge": self.decision.merge.pull.number if self.decision.merge else None,
            "candidates": [candidate_document(one) for one in self.decision.verdicts],
            "deliveries": [delivery_document(one) for one in self.deliveries],
        }

    def content(self) -> str:
        """A digest of everything but when it was and how many requests it took."""
        return document_digest({**self.document(), "at": "", "requests": 0})


def candidate_document(verdict: CandidateVerdict) -> JsonObject:
    """The JSON document of one candidate, with its verdict. Texts of the pull request are as they were read."""
    pull = verdict.candidate.pull
    return {
        "number": pull.number,
        "title": pull.title,
        "author": pull.author,
        "head": pull.head,
        "branch": pull.head_branch,
        "position": verdict.position,
        "next": verdict.next_action,
        "unmet": [{"code": one.code, "reason": one.reason, "holder": one.holder} for one in verdict.unmet],
    }


def delivery_document(one: Delivery) -> JsonObject:
    """The JSON document of one delivery."""
    return {
        "number": one.pull,
        "head": one.head,
        "step": str(one.step),
        "mergeCommit": one.commit or None,
        "mergedBy": one.merged_by or None,
        "start": one.begun,
        "end": one.ended or None,
        "outcome": one.outcome or None,
        "pipelineRun": one.run or None,
        "supersededBy": one.newer or None,
        "targetValidation": {"state": target_validation_state_of_delivery(one)},
        "gitMirror": {"pendingFlush": one.pending_flush, "githubInSync": one.in_sync},
        "reason": one.reason or None,
    }


def fault_of_user_or_operator(decision: CycleDecision) -> str:
    """Whose the first reason is that keeps the lane from merging: `operator` for the lane's own, else `user`."""
    holders: Sequence[str] = [one.holder for one in decision.lane]
    return "operator" if any(holder in ("operator", "github") for holder in holders) else "user" if holders else ""
