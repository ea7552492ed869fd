"""What a monitor remembers of a lane between two cycles, so that it asks GitHub only about what may have changed. Pure.

A cache and a notebook: facts of candidates by head, statuses and issues as they were written last, failures that still
stand. Without it a cycle is slower and decides the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, field

from planner.dataclass import dataclass
from planner.pull_requests.failure_issues import CountedLaneFailures, FailureIssueFamily, TargetFailureCount
from planner.pull_requests.github_facts import CheckResult, PullRequestReview, PullRequestState
from planner.pull_requests.merge_requirements import OWN_CONTEXT
from planner.pull_requests.predicted_merge_verification import ConflictingFile
from planner.values import JsonObject


@dataclass(frozen=True, slots=True)
class RememberedCandidateFacts:
    """What was read about one candidate, remembered for the next cycle. `listed` is the digest of its row in the list.
    `pull` is the single reading, whose mergeability was read on `basis` (a digest of row, checks and base as they were;
    "" for never); `contains` says whether the head holds the base, None for unknown or not asked; `conflicts` is as in
    MergeCandidate. `looked` is the number of the cycle that read it, `first` when this head was seen first (UTC by the
    server's clock)."""

    pull: PullRequestState
    listed: str
    checks: tuple[CheckResult, ...]
    reviews: tuple[PullRequestReview, ...]
    looked: int
    basis: str = ""
    contains: bool | None = None
    first: str = ""
    conflicts: tuple[ConflictingFile, ...] | None = None

    @property
    def settled(self) -> bool:
        """Whether all checks have ended, ours apart: nothing is to be expected soon."""
        return bool(self.others) and all(one.state != "pending" for one in self.others)

    @property
    def others(self) -> tuple[CheckResult, ...]:
        """The checks that are not what we report ourselves."""
        return tuple(one for one in self.checks if not one.name.startswith(OWN_CONTEXT))


@dataclass(frozen=True, slots=True)
class LaneMemory:
    """`since` is when the lane was first looked at (server time): what was merged before is left alone.
    `statuses` are `[head, state, description]` by number, `issues` digests by family, as written last. `seen` are the
    heads or commits on which a failure was counted, by `family/target`. `approved` are `[head, effect, people]` of the
    approvals that counted last, by number, and `withdrawn` the texts about those that do no more, until they are
    commented.
    """

    cycle: int = 0
    since: str = ""
    facts: Mapping[int, RememberedCandidateFacts] = field(default_factory=dict)
    statuses: Mapping[int, tuple[str, str, str]] = field(default_factory=dict)
    issues: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[FailureIssueFamily, CountedLaneFailures] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    approved: Mapping[int, tuple[str, str, str]] = field(default_factory=dict)
    withdrawn: Mapping[int, str] = field(default_factory=dict)

    def document(self) -> JsonObject:
        """For the state."""
        return {
            "cycle": self.cycle,
            "since": self.since,
            "facts": {str(number): asdict(one) for number, one in sorted(self.facts.items())},
            "statuses": {str(number): list(one) for number, one in sorted(self.statuses.items())},
            "issues": dict(sorted(self.issues.items())),
            "failures": {
                str(family): [asdict(t) for t in one.targets] for family, one in sorted(self.failures.items())
            },
            "seen": dict(sorted(self.seen.items())),
            "approved": {str(number): list(one) for number, one in sorted(self.approved.items())},
            "withdrawn": {str(number): one for number, one in sorted(self.withdrawn.items())},
        }


def parse_lane_memory(text: str) -> LaneMemory:
    """The memory in a text of the state. An empty one for no text, and for one of another version: then everything is
    read anew."""
    try:
        return _memory(json.loads(text)) if text else LaneMemory()
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return LaneMemory()


def _memory(document: JsonObject) -> LaneMemory:
    return LaneMemory(
        cycle=document["cycle"],
        since=document["since"],
        facts={int(number): one for number, row in document["facts"].items() if (one := _facts(row)) is not None},
        statuses={int(number): (one[0], one[1], one[2]) for number, one in document["statuses"].items()},
        issues=document["issues"],
        failures={
            FailureIssueFamily(family): CountedLaneFailures(
                FailureIssueFamily(family), tuple(TargetFailureCount(**one) for one in targets)
            )
            for family, targets in document["failures"].items()
        },
        seen=document["seen"],
        approved={int(number): (one[0], one[1], one[2]) for number, one in document["approved"].items()},
        withdrawn={int(number): one for number, one in document["withdrawn"].items()},
    )


def _facts(document: JsonObject) -> RememberedCandidateFacts | None:
    """None for facts that another version wrote: they are read anew, and nothing else is lost with them."""
    try:
        return _read_facts(document)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _read_facts(document: JsonObject) -> RememberedCandidateFacts:
    pull = {**document["pull"], "labels": tuple(document["pull"]["labels"])}
    conflicts = document["conflicts"]
    return RememberedCandidateFacts(
        **{
            **document,
            "pull": PullRequestState(**pull),
            "checks": tuple(CheckResult(**one) for one in document["checks"]),
            "reviews": tuple(PullRequestReview(**one) for one in document["reviews"]),
            "conflicts": None if conflicts is None else tuple(ConflictingFile(**one) for one in conflicts),
        }
    )
