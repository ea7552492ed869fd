"""What a monitor remembers survives the state whole, and a memory of another version is none."""

from __future__ import annotations

import json

import pytest

from planner.pull_requests.failure_issues import (
    CountedLaneFailures,
    FailureIssueFamily,
    SingleTargetFailure,
    add_failures_to_counts,
)
from planner.pull_requests.lane_memory import LaneMemory, RememberedCandidateFacts, parse_lane_memory
from planner.pull_requests.predicted_merge_verification import ConflictingFile
from tests.unit.pulls.samples import GREEN, HEAD, pull

FAILED = SingleTargetFailure(FailureIssueFamily.CHECK, "#17", "the check ci ended failure", "2026-11-04T12:00:00Z")
CLASH = (ConflictingFile("app.py", "c" * 40, 12), ConflictingFile("b.py"))
MEMORY = LaneMemory(
    cycle=7,
    since="2026-11-04T12:00:00Z",
    facts={
        17: RememberedCandidateFacts(pull(17, labels=("a", "b")), "row", (GREEN,), (), 6, "basis", False, "x", CLASH)
    },
    statuses={17: (HEAD, "pending", "waits")},
    issues={"check": "digest"},
    failures={
        FailureIssueFamily.CHECK: add_failures_to_counts(CountedLaneFailures(FailureIssueFamily.CHECK), [FAILED])
    },
    seen={"check/#17": "key"},
    approved={17: (HEAD, "sha256:" + "e" * 64, "olga")},
    withdrawn={18: "text"},
)


def test_it_is_the_same_after_the_state() -> None:
    assert parse_lane_memory(json.dumps(MEMORY.document())) == MEMORY


@pytest.mark.parametrize("key", sorted(MEMORY.document()))
def test_a_memory_of_another_version_is_none(key: str) -> None:
    document = MEMORY.document()
    del document[key]
    assert parse_lane_memory(json.dumps(document)) == LaneMemory()


def test_facts_of_another_version_are_read_anew_and_nothing_else_is_lost() -> None:
    document = MEMORY.document()
    document["facts"]["17"]["conflicts"] = ["app.py"]
    found = parse_lane_memory(json.dumps(document))
    assert found.facts == {} and found.failures == MEMORY.failures and found.since == MEMORY.since


@pytest.mark.parametrize("text", ["", "null", "[]", "3", "{", '"x"'])
def test_no_memory_at_all(text: str) -> None:
    assert parse_lane_memory(text) == LaneMemory()
