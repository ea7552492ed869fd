"""The verdicts about a lane, from its equations (spec 02, S04 and S30). Unknown is never aligned (C7)."""

from __future__ import annotations

from enum import StrEnum

from planner.dataclass import dataclass
from planner.rollout import lane_evidence as names
from planner.rollout.lane_equations import LaneEquation, LaneEquationState, evaluate_lane_equations
from planner.rollout.lane_evidence import LaneEvidence

_RUN_ENDED_BADLY = ("run-failed", "run-errored", "run-aborted")
# Equations of stages that have not begun. Equations are in the order of the stages, so the first one that does not hold
# decides about the target: what comes after it follows from it.
_NOT_YET = ("source-snapshot-missing", "run-missing", "argo-behind", "argo-out-of-sync", "mirror-pending-flush")


class RolloutTargetOutcome(StrEnum):
    """How the rollout of one target commit ended or stands, from its own evidence alone (decision B12)."""

    PASSED = "passed"
    SUPERSEDED = "superseded"
    PENDING = "pending"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class AlignmentBlocker:
    """Why a lane is not aligned: a code for programs, the equation, and a reason for people."""

    code: str
    equation: str
    reason: str


@dataclass(frozen=True, slots=True)
class LaneVerdict:
    """The verdict about a lane: whether it is aligned, and how its target stands. None means that it cannot be
    determined, or that the lane has no such thing."""

    aligned: bool
    blockers: tuple[AlignmentBlocker, ...]
    argo_synced_to_gitops: bool | None
    manager_source_matches_expected: bool | None
    branch_drift: bool | None
    superseded: bool | None
    target: RolloutTargetOutcome
    equations: tuple[LaneEquation, ...]


def judge_lane(evidence: LaneEvidence) -> LaneVerdict:
    """Judge a lane by its evidence: whether it is aligned, what blocks it, how its target stands."""
    made = evaluate_lane_equations(evidence)
    superseded = _superseded(evidence)
    aligned = (
        bool(evidence.commit and made)
        and not evidence.torn
        and all(one.result is LaneEquationState.HOLDS for one in made)
    )
    return LaneVerdict(
        aligned=aligned,
        blockers=tuple(_blockers(evidence, made)),
        argo_synced_to_gitops=_together(made, "argo-behind", "argo-out-of-sync", "argo-missing"),
        manager_source_matches_expected=_together(made, "runtime-source-differs"),
        branch_drift=_branch_drift(evidence),
        superseded=superseded,
        target=_target(evidence, made, aligned, superseded),
        equations=made,
    )


def exit_code_of_lane_status(evidence: LaneEvidence, verdict: LaneVerdict) -> int:
    """0 aligned, or a named target that passed or was superseded (B12); 1 where something could not be read; 4 while
    everything that is missing is under way; else 2."""
    if verdict.aligned or (
        evidence.pinned and verdict.target in (RolloutTargetOutcome.PASSED, RolloutTargetOutcome.SUPERSEDED)
    ):
        return 0
    results = {one.result for one in verdict.equations}
    if evidence.torn or LaneEquationState.UNKNOWN in results or not evidence.commit:
        return 1
    return 2 if LaneEquationState.BROKEN in results or not results else 4


def _blockers(evidence: LaneEvidence, made: tuple[LaneEquation, ...]) -> list[AlignmentBlocker]:
    found = [
        AlignmentBlocker(_code(one), one.name, one.reason) for one in made if one.result is not LaneEquationState.HOLDS
    ]
    if evidence.torn:
        found.insert(0, AlignmentBlocker("torn", "one moment", "objects moved while they were read"))
    if not evidence.commit:
        found.insert(0, AlignmentBlocker("source-unknown", "source", "no commit is known"))
    return found


def _code(one: LaneEquation) -> str:
    return "unreadable" if one.result is LaneEquationState.UNKNOWN else one.code


def _together(made: tuple[LaneEquation, ...], *codes: str) -> bool | None:
    """Whether all equations about something hold; None where there are none, or one is unknown."""
    about = [one.result for one in made if one.code in codes]
    return (
        None
        if not about or LaneEquationState.UNKNOWN in about
        else all(one is LaneEquationState.HOLDS for one in about)
    )


def _branch_drift(evidence: LaneEvidence) -> bool | None:
    """Whether the branch stands on another commit than the target."""
    tip = evidence.get(names.TIP)
    return None if tip is None or not tip.readable or not evidence.commit else bool(tip.value != evidence.commit)


def _superseded(evidence: LaneEvidence) -> bool | None:
    """Whether the branch went on from the target: its tip is another commit that contains it (S31)."""
    held = evidence.get(names.CONTAINS_TIP)
    drift = _branch_drift(evidence)
    if not drift:
        return drift
    if held is None or not held.readable or not isinstance(held.value, dict) or held.value.get("holds") is None:
        return None
    return bool(held.value["holds"])


def _target(
    evidence: LaneEvidence, made: tuple[LaneEquation, ...], aligned: bool, superseded: bool | None
) -> RolloutTargetOutcome:
    results = {one.result for one in made}
    if evidence.torn or not evidence.commit:
        return RolloutTargetOutcome.INCOMPLETE
    if aligned:
        return RolloutTargetOutcome.PASSED
    if any(one.code in _RUN_ENDED_BADLY and one.result is LaneEquationState.BROKEN for one in made):
        return RolloutTargetOutcome.FAILED
    if superseded and results & {LaneEquationState.BROKEN, LaneEquationState.PENDING}:
        return RolloutTargetOutcome.SUPERSEDED
    if LaneEquationState.UNKNOWN in results or not made:
        return RolloutTargetOutcome.INCOMPLETE
    first = next(one for one in made if one.result is not LaneEquationState.HOLDS)
    waits = first.result is LaneEquationState.PENDING or first.code in _NOT_YET
    return RolloutTargetOutcome.PENDING if waits else RolloutTargetOutcome.FAILED
