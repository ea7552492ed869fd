"""Reads who approved what of the candidates that wait for nothing else, and the effect that has to be approved (P7).

The effect is the plan of a whole rollout, so it is made only where somebody who may approve has: without that it
decides nothing, and nobody is shown it (docs/adr/0045).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from planner.app.pull_request_plan import open_pull_request_plan
from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.app.pull_requests.pull_requests_reader import PullRequestsReader
from planner.app.runtime import state_folder
from planner.errors import HwplanError
from planner.pull_requests.approval_file import parse_approval_file
from planner.pull_requests.approvals import Approval, approvals_in_comments, count_approvals
from planner.pull_requests.deliveries import Delivery
from planner.pull_requests.github_facts import BranchRules
from planner.pull_requests.lane_memory import LaneMemory
from planner.pull_requests.merge_candidate import MergeCandidate
from planner.pull_requests.merge_queue import candidate_priority_by_labels
from planner.pull_requests.merge_requirements import unmet_requirements
from planner.rfc3339 import parse_time
from planner.spec.pull_requests import ApprovalRules
from planner.text_safe import markdown_safe
from state.state_store import StateStore

_LOOKS = 3  # candidates that are planned in one cycle: each is the plan of a whole rollout
_FOLDER = "approvals"


def read_candidate_approvals(
    place: MonitoredLane,
    store: StateStore,
    reader: PullRequestsReader,
    candidates: Sequence[MergeCandidate],
    branch: BranchRules | None,
    memory: LaneMemory,
    now: datetime,
) -> tuple[MergeCandidate, ...]:
    """The candidates, the first of the queue with approvals, and with the effect where there are any that may count;
    all as they are where nobody has to approve."""
    if not place.rules.approvals.quorum:
        return tuple(candidates)
    recorded = _recorded(place, store, reader)
    found = {one.pull.number: one for one in candidates}
    looks = _LOOKS
    for one in sorted(candidates, key=lambda one: (-candidate_priority_by_labels(one, place.rules), one.pull.number)):
        lacks = unmet_requirements(one, place.rules, branch, base=place.branch, now=now)
        if not looks or any(lack.code != "approval" for lack in lacks):
            continue
        judged = _approved(place, reader, one, recorded, memory)
        looks -= bool(judged.effect or judged.unreadable)
        found[one.pull.number] = judged
    return tuple(found.values())


def remember_approvals(
    memory: LaneMemory, candidates: Sequence[MergeCandidate], rules: ApprovalRules, now: datetime
) -> LaneMemory:
    """The memory with the approvals that count now, and a text about those that a push or another plan withdrew."""
    approved, withdrawn = dict(memory.approved), dict(memory.withdrawn)
    for one in candidates:
        number, head = one.pull.number, one.pull.head
        before = approved.get(number)
        if before is not None and (head != before[0] or one.effect not in ("", before[1])):
            withdrawn[number] = _withdrawal(before, head, one.effect)
            del approved[number]
        if one.effect:
            people = count_approvals(one.approvals, rules, head=head, effect=one.effect, now=now).people
            if people:
                approved[number] = (head, one.effect, ", ".join(people))
    return replace(memory, approved=approved, withdrawn=withdrawn)


def _withdrawal(before: tuple[str, str, str], head: str, effect: str) -> str:
    """Both values of each."""
    rows = [("head", before[0], head), ("plan", before[1], effect or "not known yet")]
    table = [f"| {name} | `{old}` | `{new}` |" for name, old, new in rows]
    people = markdown_safe(before[2])
    return "\n".join(
        [f"The approval of {people} does not count any more.", "", "| | approved | now |", "|---|---|---|", *table]
    )


def _approved(
    place: MonitoredLane,
    reader: PullRequestsReader,
    one: MergeCandidate,
    recorded: Sequence[Approval],
    memory: LaneMemory,
) -> MergeCandidate:
    number, head = one.pull.number, one.pull.head
    facts = memory.facts.get(number)
    since = parse_time(facts.first) if facts is not None else None
    parts: Mapping[str, str]
    try:
        said = approvals_in_comments(reader.client.comments(place.repo, number), head, since)
        if number not in memory.approved and not _may_count(place, head, [*recorded, *said]):
            here = [approval for approval in recorded if approval.head == head]
            return replace(one, approvals=(*here, *said))
        with open_pull_request_plan(place.request, number) as planned:
            effect, parts = planned.identifier, planned.parts
    except HwplanError as error:
        reader.problems.append(f"the approvals of pull request {number}: {error.message}")
        return replace(one, unreadable="its plan and who approved it")
    here = _of_pull_request(recorded, effect, head)
    return replace(one, effect=effect, effect_parts=parts, approvals=(*here, *said))


def read_approvals_after_merge(
    place: MonitoredLane, store: StateStore, reader: PullRequestsReader, merged: Delivery, effect: str
) -> tuple[Approval, ...]:
    """Who approved `effect` of a pull request since its merge was decided. Raises ProviderError."""
    comments = reader.client.comments(place.repo, merged.pull)
    said = approvals_in_comments(comments, merged.head, parse_time(merged.begun))
    return (*_of_pull_request(_recorded(place, store, reader), effect, merged.head), *said)


def _of_pull_request(recorded: Sequence[Approval], effect: str, head: str) -> list[Approval]:
    """Recorded approvals that are about it. One without a head was given for the plan alone, and that names the head
    itself."""
    return [replace(approval, head=approval.head or head) for approval in recorded if _is_of(approval, effect, head)]


def _may_count(place: MonitoredLane, head: str, approvals: Sequence[Approval]) -> bool:
    """Whether one of them is by somebody who may approve, and of no other head: which plan it names is compared with
    the plan, once that is made."""
    allowed = {name.lower() for name in place.rules.approvals.people}
    return any(one.who.lower() in allowed and one.head in ("", head) for one in approvals)


def _is_of(approval: Approval, effect: str, head: str) -> bool:
    """Whether an approval is about this pull request, or was until its head or its plan changed."""
    named = effect.removeprefix("sha256:").startswith(approval.effect.removeprefix("sha256:"))
    return named or approval.head == head


def _recorded(place: MonitoredLane, store: StateStore, reader: PullRequestsReader) -> list[Approval]:
    """What `hwplan approve` recorded beside the state. A file that is none, or was edited, approves nothing."""
    found = []
    seal = store.fingerprinter().fingerprint
    for file in sorted((state_folder(place.request) / _FOLDER).glob("*.json")):
        try:
            found.append(parse_approval_file(file.read_text(encoding="utf-8"), seal, file.name))
        except HwplanError as error:
            reader.problems.append(f"{file.name}: {error.message}")
        except (OSError, UnicodeDecodeError):
            reader.problems.append(f"{file.name}: it cannot be read")
    return found
