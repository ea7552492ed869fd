"""The verdicts about a lane, case by case (S30): what is read decides, and unknown is never aligned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from planner.rollout import lane_evidence as names
from planner.rollout.lane_equations import LaneEquationState, evaluate_lane_equations
from planner.rollout.lane_evidence import MOST_READS, EvidenceReading, LaneEvidence, read_at_one_moment
from planner.rollout.lane_verdict import exit_code_of_lane_status, judge_lane
from planner.rollout.next_action import next_lane_command
from tests.unit.rollout.lanes import (
    ARGO_VALUE,
    COMMIT,
    DEPLOYMENT,
    DESCENDANT,
    DIGEST,
    GITOPS,
    IMAGE,
    NEWER,
    OLD_DIGEST,
    OTHER,
    PROBE_VALUE,
    RUN_VALUE,
    VALUES,
    contains,
    lane,
    pod,
    workload,
)

OVERTAKEN = {names.TIP: NEWER, names.CONTAINS_TIP: contains(COMMIT, NEWER)}
NEW_PODS = {DEPLOYMENT: workload(pod("api-2", OLD_DIGEST))}


class Case(NamedTuple):
    name: str
    changes: Mapping[str, Any]
    blockers: tuple[str, ...]
    target: str
    code: int
    next: str = ""


def _promotion(code: int, task: str = "gitops-promote") -> list[dict[str, Any]]:
    """The TaskRuns of a run that failed at one task."""
    steps = [{"name": "promote", "exitCode": code}]
    return [{"task": "source-fetch", "state": "succeeded"}, {"task": task, "state": "failed", "steps": steps}]


ITS_LOGS = f"status --pipeline-run {RUN_VALUE['name']} --logs"  # A11: never run again blindly

CASES = (
    Case("everything holds", {}, (), "passed", 0),
    Case("no run yet", {names.RUN: None}, ("run-missing",), "pending", 2, "trigger --confirm"),
    Case("run at work", {names.RUN: {**RUN_VALUE, "state": "running"}}, ("run-pending",), "pending", 4,
         "status --watch"),
    Case("run failed", {names.RUN: {**RUN_VALUE, "state": "failed"}}, ("run-failed",), "failed", 2,
         "trigger --rerun --confirm"),
    Case("promotion that found the branch gone on (B3)",
         {names.RUN: {**RUN_VALUE, "state": "failed"}, names.TASKS: _promotion(3),
          names.TIP: NEWER, names.CONTAINS_TIP: contains(COMMIT, NEWER)}, ("run-superseded",), "superseded", 2),
    Case("the same on a branch that came back",
         {names.RUN: {**RUN_VALUE, "state": "failed"}, names.TASKS: _promotion(3)}, ("run-superseded",), "failed", 2,
         "trigger --rerun --confirm"),
    Case("promotion that failed",
         {names.RUN: {**RUN_VALUE, "state": "failed"}, names.TASKS: _promotion(1),
          names.TIP: NEWER, names.CONTAINS_TIP: contains(COMMIT, NEWER)}, ("run-failed",), "failed", 2),
    Case("build that failed with the same code",
         {names.RUN: {**RUN_VALUE, "state": "failed"}, names.TASKS: _promotion(3, task="build-api"),
          names.TIP: NEWER, names.CONTAINS_TIP: contains(COMMIT, NEWER)}, ("run-failed",), "failed", 2),
    Case("run of another commit", {names.RUN: {**RUN_VALUE, "commit": OTHER}}, ("run-of-another-commit",), "failed", 2),
    Case("snapshot missing", {names.SNAPSHOT: None}, ("source-snapshot-missing",), "pending", 2,
         "mirror sync --confirm"),
    Case("snapshot ref moved", {names.SNAPSHOT: OTHER}, ("source-snapshot-missing",), "pending", 2),
    Case("branch rewritten", {names.TIP: NEWER, names.CONTAINS_TIP: contains(COMMIT, NEWER, False)},
         ("branch-drift",), "failed", 2),
    Case("image tag moved after the run", {names.REGISTRY + "api": OLD_DIGEST}, ("image-tag-moved",), "failed", 2),
    Case("image gone", {names.REGISTRY + "api": None}, ("image-missing",), "failed", 2, ITS_LOGS),
    Case("registry down", {names.REGISTRY + "api": "!no answer"}, ("unreadable",), "incomplete", 1, "status --full"),
    Case("GitOps names another digest",
         {names.GITOPS_NAMES: {"commit": GITOPS, "digests": [OLD_DIGEST], "images": []}},
         ("gitops-digest-missing",), "failed", 2, ITS_LOGS),
    Case("Argo at a descendant",
         {names.ARGO + "shop": {**ARGO_VALUE, "revision": DESCENDANT},
          names.CONTAINS_ARGO + "shop": contains(GITOPS, DESCENDANT)}, (), "passed", 0),
    Case("Argo at an older commit",
         {names.ARGO + "shop": {**ARGO_VALUE, "revision": OTHER},
          names.CONTAINS_ARGO + "shop": contains(GITOPS, OTHER, False)}, ("argo-behind",), "pending", 2,
         "sync --confirm"),
    Case("Argo syncing",
         {names.ARGO + "shop": {**ARGO_VALUE, "sync": "OutOfSync", "phase": "Running"}},
         ("argo-out-of-sync",), "pending", 4, "status --watch"),
    Case("Argo degraded", {names.ARGO + "shop": {**ARGO_VALUE, "health": "Degraded"}},
         ("argo-unhealthy",), "failed", 2),
    Case("Argo unreadable", {names.ARGO + "shop": "!forbidden"}, ("unreadable",) * 3, "incomplete", 1),
    Case("pods of two revisions",
         {DEPLOYMENT: workload(pod("api-1", DIGEST), pod("api-0", OLD_DIGEST, revision="r0"))},
         ("runtime-digest-differs",), "failed", 2),
    Case("rolling update under way",
         {DEPLOYMENT: workload(pod("api-1", DIGEST), pod("api-0", OLD_DIGEST), complete=False, message="1 of 2")},
         ("runtime-not-ready", "runtime-digest-differs"), "pending", 4, "status --watch"),
    Case("an old pod that is not ready does not count",
         {DEPLOYMENT: workload(pod("api-1", DIGEST), pod("api-0", OLD_DIGEST, ready=False))}, (), "passed", 0),
    Case("a pod without a digest",
         {DEPLOYMENT: workload({**pod("a", DIGEST), "containers": [{"image": f"{IMAGE}:1", "imageID": ""}]})},
         ("unreadable",), "incomplete", 1),
    Case("probe answers from the old pod", {names.PROBE + "gate": {**PROBE_VALUE, "provenance": {"commit": OTHER}}},
         ("probe-provenance",), "failed", 2),
    Case("probe fails", {names.PROBE + "gate": {**PROBE_VALUE, "wrong": "status 502, expected 200"}},
         ("probe-failed",), "failed", 2),
    Case("a diagnostic probe decides nothing",
         {names.PROBE + "edge": {**PROBE_VALUE, "role": "diagnostic", "wrong": "no answer"}}, (), "passed", 0),
    Case("no probe is declared (B24)", {names.PROBE + "gate": ...}, (), "passed", 0),
    Case("flush pending (B6)", {names.MIRROR + "flush": {"from": GITOPS, "to": OTHER, "inSync": False}},
         ("mirror-pending-flush",), "pending", 2, "mirror flush --confirm"),
    Case("tip unreadable", {names.TIP: "!time-out", names.CONTAINS_TIP: ...}, ("unreadable",), "incomplete", 1),
    Case("made from another commit (B13)", {DEPLOYMENT: workload(source=OTHER)},
         ("runtime-source-differs",), "failed", 2),
    Case("does not say from which commit (B13, C7)", {DEPLOYMENT: workload(source=None, sourceField="spec.x")},
         ("unreadable",), "incomplete", 1),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdicts_follow_from_the_evidence(case: Case) -> None:
    """S30, C5, C7: blockers, the state of the target, the exit code and the next command."""
    found = lane(case.changes)
    verdict = judge_lane(found)
    assert tuple(one.code for one in verdict.blockers) == case.blockers
    assert (str(verdict.target), exit_code_of_lane_status(found, verdict)) == (case.target, case.code)
    assert verdict.aligned == (not case.blockers)
    assert not case.next or next_lane_command(found, verdict) == case.next


@pytest.mark.parametrize(
    ("held", "action"),
    [
        (None, "trigger --confirm"),
        (COMMIT, f"trigger --confirm --source-commit {COMMIT}"),
        (OTHER, "hold release"),
        ("", "hold release"),
    ],
)
def test_r9_under_a_hold_only_the_held_commit_is_rolled_out(held: str | None, action: str) -> None:
    """R9: no command is advised that the hold refuses."""
    found = lane({names.RUN: None})
    assert next_lane_command(found, judge_lane(found), held=held) == action


@pytest.mark.parametrize("name", sorted(VALUES))
def test_c7_nothing_that_is_unreadable_is_aligned(name: str) -> None:
    """C7: one reading that fails, whichever it is; the TaskRuns and the tip of the GitOps branch decide nothing."""
    verdict = judge_lane(lane({name: "!forbidden"}))
    harmless = name in (names.TASKS, names.GITOPS)
    assert verdict.aligned == harmless
    assert harmless or str(verdict.target) == "incomplete"


@pytest.mark.parametrize("name", [names.RUN, names.SNAPSHOT, names.ARGO + "shop", DEPLOYMENT, names.REGISTRY + "api"])
def test_c7_absent_is_not_unreadable(name: str) -> None:
    """C7: what was read and is not there is a finding."""
    verdict = judge_lane(lane({name: None}))
    assert not verdict.aligned
    assert LaneEquationState.UNKNOWN not in {one.result for one in verdict.equations}


@pytest.mark.parametrize(
    ("changes", "target", "code"),
    [
        (OVERTAKEN, "passed", 0),  # overtaken, and everything of the target still holds
        (OVERTAKEN | NEW_PODS, "superseded", 0),
        (OVERTAKEN | {names.RUN: None}, "superseded", 0),
        (OVERTAKEN | {names.RUN: {**RUN_VALUE, "state": "failed"}}, "failed", 2),
        (OVERTAKEN | {names.REGISTRY + "api": "!no answer"}, "incomplete", 1),
        (NEW_PODS, "failed", 2),
    ],
)
def test_b12_a_named_target_is_judged_by_its_own_evidence(changes: Mapping[str, Any], target: str, code: int) -> None:
    """B12, S04, S31: passed or superseded ends with 0, whatever the branch did since."""
    found = lane(changes, pinned=True)
    verdict = judge_lane(found)
    assert (str(verdict.target), exit_code_of_lane_status(found, verdict)) == (target, code)
    assert verdict.superseded == (changes.keys() >= OVERTAKEN.keys())
    assert verdict.branch_drift == verdict.superseded


def test_b13_the_source_of_a_workload_counts_only_where_it_is_declared() -> None:
    """B13: null without provenance, and no blocker."""
    assert judge_lane(lane()).manager_source_matches_expected is None
    assert judge_lane(lane({DEPLOYMENT: workload(source=COMMIT)})).manager_source_matches_expected is True
    assert judge_lane(lane({DEPLOYMENT: workload(source=OTHER)})).manager_source_matches_expected is False


def test_c3_identities_are_read_apart() -> None:
    """C3: a change of one identity breaks the equation with it, and no other identity follows."""
    changed = evaluate_lane_equations(lane({names.REGISTRY + "api": OLD_DIGEST}))
    assert [one.name for one in changed if one.result is LaneEquationState.BROKEN] == [
        "registry digest of api = built digest"
    ]


def test_r3_synced_and_healthy_at_another_revision_proves_nothing() -> None:
    """R3: Synced and Healthy, but of a commit that does not contain ours."""
    verdict = judge_lane(lane({names.CONTAINS_ARGO + "shop": contains(GITOPS, OTHER, False)}))
    assert verdict.argo_synced_to_gitops is False
    assert judge_lane(lane({names.ARGO + "shop": "!no answer"})).argo_synced_to_gitops is None


def test_r4_waiting_is_never_a_failure() -> None:
    """R4: while a stage is at work, what follows from it does not fail the target."""
    behind = {names.ARGO + "shop": {**ARGO_VALUE, "sync": "OutOfSync"}, **NEW_PODS}
    assert str(judge_lane(lane(behind)).target) == "pending"


def _readings(*versions: str) -> list[dict[str, EvidenceReading]]:
    return [{"run": EvidenceReading(version, "run", version=version)} for version in versions]


@pytest.mark.parametrize(
    ("versions", "reads", "torn"),
    [
        (("1", "1"), 2, False),
        (("1", "2", "2"), 3, False),
        (("1", "2", "3", "3"), 4, False),
        (("1", "2", "3", "4"), 4, True),
    ],
)
def test_c6_one_moment(versions: tuple[str, ...], reads: int, torn: bool) -> None:
    """C6: read all, read the versions again, at most three times; then torn."""
    answers = iter(_readings(*versions))
    asked: list[int] = []

    def read() -> dict[str, EvidenceReading]:
        asked.append(1)
        return next(answers)

    found, was_torn = read_at_one_moment(read)
    assert (len(asked), was_torn, found["run"].value) == (reads, torn, versions[reads - 1])
    assert reads <= MOST_READS + 1


def test_c6_what_is_torn_is_incomplete() -> None:
    """C6: readings of no one moment are never aligned."""
    found = lane(torn=True)
    verdict = judge_lane(found)
    assert (verdict.aligned, str(verdict.target), exit_code_of_lane_status(found, verdict)) == (False, "incomplete", 1)
    assert verdict.blockers[0].code == "torn"


def test_nothing_is_known_of_a_lane_without_a_commit() -> None:
    assert exit_code_of_lane_status(LaneEvidence("a", ""), judge_lane(LaneEvidence("a", ""))) == 1
