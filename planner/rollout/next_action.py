"""What to do next about a lane, from its first blocker (decisions A11, A15). A verb with options, no whole command."""

from __future__ import annotations

from planner.rollout import lane_evidence as names
from planner.rollout.lane_evidence import LaneEvidence
from planner.rollout.lane_verdict import LaneVerdict

# Code of a blocker -> verb with its options. What is not here is looked at more closely.
_VERBS = {
    "source-snapshot-missing": "mirror sync --confirm",
    "run-missing": "trigger --confirm",
    "run-failed": "trigger --rerun --confirm",
    "run-errored": "trigger --rerun --confirm",
    "run-aborted": "trigger --rerun --confirm",
    "run-inconclusive": "trigger --rerun --confirm",
    "run-superseded": "trigger --rerun --confirm",  # the branch came back to it
    "image-tag-moved": "status --full",  # what runs is named by digest; a run that succeeded is not made again
    "argo-missing": "apply --scope argo --confirm",
    "runtime-missing": "apply --confirm",
    "argo-behind": "sync --confirm",
    "argo-out-of-sync": "sync --confirm",
    "mirror-pending-flush": "mirror flush --confirm",
}
# A run that succeeded is not made again: what it said shows whether it pushed and promoted (decision A11).
_ITS_LOGS = ("image-missing", "gitops-digest-missing")


def next_lane_command(evidence: LaneEvidence, verdict: LaneVerdict, *, held: str | None = None) -> str:
    """The next command without `hwplan` and without the words that select; "" when there is nothing to do.

    While a stage is at work, what comes after it needs no command of its own: waiting is the next action. A lane that
    went on from a named target has to be looked at by its newest commit. `held` is the commit that the lane is held at
    ("" where it is held at none): of any other, a rollout would be refused (R9).
    """
    if verdict.aligned:
        return ""
    if verdict.superseded and evidence.pinned:
        return "status"
    codes = [one.code for one in verdict.blockers]
    if codes and codes[0] in ("unreadable", "torn", "source-unknown"):
        return "status --full"
    if any(code in ("run-pending", "runtime-not-ready") for code in codes[:1]) or _syncs(evidence, codes):
        return "status --watch"
    run = evidence.get(names.RUN)
    if codes and codes[0] in _ITS_LOGS and run is not None and run.readable and isinstance(run.value, dict):
        return f"status --pipeline-run {run.value['name']} --logs"
    action = next((_VERBS[code] for code in codes if code in _VERBS), "status --full")
    return _under_hold(action, evidence, held) if held is not None and action.startswith("trigger ") else action


def _under_hold(action: str, evidence: LaneEvidence, held: str) -> str:
    """The rollout of the held commit by its name; of another one there is none before the release."""
    return f"{action} --source-commit {held}" if held and held == evidence.commit else "hold release"


def _syncs(evidence: LaneEvidence, codes: list[str]) -> bool:
    """Whether Argo CD is at work on what is the first thing that is missing."""
    first = codes[0] if codes else ""
    values = [one.value for _, one in evidence.items(names.ARGO) if one.readable and isinstance(one.value, dict)]
    return first.startswith("argo-") and any(
        value.get("phase") in ("Running", "Requested", "Terminating") or value.get("health") == "Progressing"
        for value in values
    )
