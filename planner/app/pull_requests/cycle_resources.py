"""The resources of a cycle: a merge, statuses, comments and issues, as documents that plan and executor take (P14-P16).

Only what is not known to stand there already is declared: where nothing changed the plan is empty, and nobody asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field

from planner.address import address_of_document
from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.dataclass import dataclass
from planner.pull_requests.commit_status import commit_status_of_candidate
from planner.pull_requests.deliveries import Delivery, DeliveryStep
from planner.pull_requests.failure_issues import (
    CountedLaneFailures,
    FailureIssueFamily,
    failure_issue_body,
    failure_issue_marker,
    failure_issue_title,
)
from planner.pull_requests.lane_memory import LaneMemory
from planner.pull_requests.merge_queue import CycleDecision
from planner.pull_requests.rollout_comment import COMMIT, rollout_comment_body, rollout_comment_marker
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, OutputRef, OutputTemplate, document_digest

SCOPE = "pulls"
STATUSES = 20  # written in one cycle: one write a second, and the merge is not to wait for hundreds
_API = "hwplan.dev/v1"
_SOURCE = SourceRef("the monitor of the lane")


@dataclass(frozen=True, slots=True)
class CycleResources:
    """Resources with what is remembered once they are as declared: `merges` by pull request, `statuses` as LaneMemory
    has them, `comments` the digest of each text by pull request, `issues` by family."""

    merges: Mapping[int, Resource] = field(default_factory=dict)
    statuses: Mapping[int, tuple[Resource, tuple[str, str, str]]] = field(default_factory=dict)
    comments: Mapping[int, tuple[Resource, str]] = field(default_factory=dict)
    issues: Mapping[str, tuple[Resource, str]] = field(default_factory=dict)
    withdrawals: Mapping[int, Resource] = field(default_factory=dict)

    def all(self) -> tuple[Resource, ...]:
        """Every resource."""
        return (
            *self.merges.values(),
            *(one for one, _ in self.statuses.values()),
            *(one for one, _ in self.comments.values()),
            *(one for one, _ in self.issues.values()),
            *self.withdrawals.values(),
        )


def cycle_resources(
    place: MonitoredLane,
    decision: CycleDecision | None,
    deliveries: Iterable[Delivery],
    memory: LaneMemory,
    mergeable: Collection[int] = (),
) -> CycleResources:
    """The resources of a cycle: what has to be on GitHub, as far as it is not known to be. A delivery that is
    INTENDED and among `mergeable` has its merge declared: it was judged now, or is merged already and has to be
    verified."""
    known = list(deliveries)
    intended = [one for one in known if one.step is DeliveryStep.INTENDED and one.pull in mergeable]
    merges = {one.pull: _merge(place, one) for one in intended}
    statuses = dict(_statuses(place, decision, memory)) if decision is not None and place.merges else {}
    comments = dict(_comments(place, known, merges))
    withdrawals = {number: _withdrawal(place, number, text) for number, text in memory.withdrawn.items()}
    return CycleResources(merges, statuses, comments, dict(_issues(place, memory)), withdrawals)


def _merge(place: MonitoredLane, one: Delivery) -> Resource:
    spec = {
        "number": one.pull,
        "base": place.branch,
        "headSha": one.head,
        "method": place.rules.method,
        "freshness": place.rules.freshness,
        "git": place.git,
    }
    return _made(place, "PullRequest", f"pr-{one.pull}", spec)


def _withdrawal(place: MonitoredLane, number: int, text: str) -> Resource:
    marker = f"approval:{place.lane}:{place.node}".lower()
    return _made(place, "GitHubComment", f"pr-{number}-approval", {"number": number, "marker": marker, "body": text})


def _statuses(
    place: MonitoredLane, decision: CycleDecision, memory: LaneMemory
) -> Iterator[tuple[int, tuple[Resource, tuple[str, str, str]]]]:
    """Of candidates alone: a pull request that is none (a draft, another author) gets no status."""
    written, heads = 0, set()
    for verdict in decision.verdicts:  # in the order of the queue: of two with one head the first speaks
        pull = verdict.candidate.pull
        if verdict.candidate.row_only or written >= STATUSES or pull.head in heads:
            continue
        heads.add(pull.head)
        wanted = commit_status_of_candidate(verdict, decision, place.lane)
        entry = (pull.head, wanted.state, wanted.description)
        if memory.statuses.get(pull.number) == entry:
            continue
        written += 1
        spec = {
            "sha": pull.head,
            "context": wanted.context,
            "state": wanted.state,
            "description": wanted.description,
        }
        yield pull.number, (_made(place, "GitHubStatus", f"pr-{pull.number}", spec), entry)


def _comments(
    place: MonitoredLane, deliveries: Iterable[Delivery], merges: Mapping[int, Resource]
) -> Iterator[tuple[int, tuple[Resource, str]]]:
    for one in deliveries:
        if one.step in (DeliveryStep.VOID, DeliveryStep.ACCEPTED, DeliveryStep.REPORTED):
            continue
        if one.step is DeliveryStep.INTENDED and one.pull not in merges:
            continue
        text = rollout_comment_body(one, place.node, place.lane)
        told = document_digest(text)
        if told == one.told:
            continue
        before, unknown, after = text.partition(COMMIT)
        body: str | OutputTemplate = text
        if unknown and one.pull in merges:
            body = OutputTemplate((before, OutputRef(merges[one.pull].address, "mergeCommit"), after))
        elif unknown:
            body = text.replace(COMMIT, "unknown")
        spec = {"number": one.pull, "marker": rollout_comment_marker(place.node, place.lane), "body": body}
        yield one.pull, (_made(place, "GitHubComment", f"pr-{one.pull}-rollout", spec), told)


def _issues(place: MonitoredLane, memory: LaneMemory) -> Iterator[tuple[str, tuple[Resource, str]]]:
    """One for each family (B11). Those of a lane that wants none are made for a mismatch alone: it stops the lane."""
    for family, record in memory.failures.items():
        if not place.spec.gate.failure_issue and family is not FailureIssueFamily.MERGE_MISMATCH:
            continue
        known = memory.issues.get(str(family), "")
        if not record.is_open and not known:
            continue
        spec = failure_issue_spec(place, family, record)
        wanted = document_digest(spec)
        if wanted != known:
            yield (
                str(family),
                (_made(place, "GitHubIssue", f"failure-{place.node}-{place.lane}-{family}", spec), wanted),
            )


def failure_issue_spec(place: MonitoredLane, family: FailureIssueFamily, record: CountedLaneFailures) -> JsonObject:
    """What this node says in the issue of a family of its lane (B11): several nodes roll one lane out (B10)."""
    node_lane = f"{place.node}/{place.lane}"
    command = f"hwplan prs --node {place.node} --lane {place.lane} --once --dry-run"
    if family is FailureIssueFamily.MERGE_MISMATCH:
        command = f"hwplan prs --node {place.node} --lane {place.lane} --resume"
    return {
        "marker": failure_issue_marker(place.lane, family).lower(),
        "formerMarkers": [failure_issue_marker(node_lane, family).lower()],
        "section": place.node.lower(),
        "title": failure_issue_title(place.lane, family),
        "body": failure_issue_body(record, node_lane, command),
        "state": "open" if record.is_open else "closed",
    }


def _made(place: MonitoredLane, kind: str, name: str, spec: JsonObject) -> Resource:
    whole = {"repo": place.repo, "access": place.access, **spec}
    document: JsonObject = {
        "apiVersion": _API,
        "kind": kind,
        "metadata": {"name": name, "annotations": {}},
        "spec": whole,
    }
    return Resource(address_of_document(document), _API, document, "", SCOPE, _SOURCE)
