"""Reads a lane's pull requests from GitHub: the list whole or not at all, and of each candidate what may have changed.

A candidate is read in depth when its row in the list is another one, while a check of it runs, and now and then
besides; mergeability only where nothing else is missing, because GitHub computes it for who asks. So a cycle in which
nothing happened costs a handful of requests, however many are open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import TypeVar

from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.pull_requests.github_facts import BranchRules, IssueFacts, PullRequestState
from planner.pull_requests.lane_memory import LaneMemory, RememberedCandidateFacts
from planner.pull_requests.merge_candidate import MergeCandidate, UnmetRequirement
from planner.pull_requests.merge_queue import candidate_priority_by_labels
from planner.pull_requests.merge_requirements import UNKNOWN, unmet_requirements
from planner.pull_requests.predicted_merge_verification import ConflictingFile, ConflictingMerge
from planner.values import document_digest
from providers.github.client import GitHubClient
from providers.github.conflicting_pull_requests import add_conflicting_pull_requests
from providers.github.provider import GitHubProvider

SETTLED_LOOKS = 3  # settled candidates that are read again in one cycle although their row is the same
WAITING_LOOKS = 2  # of these, first, candidates that lack nothing but a check: one that is run again shows in no list
BASE_LOOKS = 5  # candidates whose mergeability is read in one cycle, the first of the queue first
_T = TypeVar("_T")
_OF_THE_BASE = frozenset({UNKNOWN, "behind", "blocked", "conflict", "not-mergeable", "unreadable"})


@dataclass(frozen=True, slots=True)
class PullRequestCycleReading:
    """What one cycle read. `candidates` is None where the list could not be read whole (P1), `branch` and `issues`
    None where those could not; `merged` are the pull requests that were closed last. `now` is the server's time,
    `problems` say what could not be read."""

    candidates: tuple[MergeCandidate, ...] | None
    branch: BranchRules | None
    issues: tuple[IssueFacts, ...] | None
    merged: tuple[PullRequestState, ...] = ()
    remaining: int | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    problems: tuple[str, ...] = ()
    requests: int = 0

    @property
    def tip(self) -> str:
        """What the base branch stands on, "" for unknown."""
        return self.branch.tip if self.branch is not None else ""


@dataclass(slots=True)
class PullRequestsReader:
    """Reads the pull requests of one lane from GitHub. One connection for all cycles of a monitor: what did not
    change costs no quota."""

    place: MonitoredLane
    provider: GitHubProvider
    problems: list[str] = field(default_factory=list)

    @property
    def client(self) -> GitHubClient:
        """GitHub in the lane's name. Raises ProviderError."""
        return self.provider.clients.of(self.place.access)

    def read(self, memory: LaneMemory) -> tuple[PullRequestCycleReading, LaneMemory]:
        """What stands there now, and the memory with it."""
        self.problems.clear()
        client, place = self.client, self.place
        before = client.connection.requests
        branch = self._try("the rules of the branch", lambda: client.branch_rules(place.repo, place.branch))
        issues = self._try(
            "the issues that may freeze the lane",
            lambda: client.issues(place.repo, labels=place.rules.freeze_label, state="open"),
        )
        closed = self._try("the closed pull requests", lambda: client.closed_pulls(place.repo, place.branch))
        pulls = self._try("the list of pull requests", lambda: client.open_pulls(place.repo, place.branch))
        now = self.now()
        memory = replace(memory, cycle=memory.cycle + 1, since=memory.since or _instant(now))
        candidates = None
        if pulls is not None and place.merges:
            facts, candidates = self._candidates(pulls, memory, branch, now)
            memory = replace(memory, facts=facts)
        quota = client.connection.quota
        reading = PullRequestCycleReading(
            candidates if place.merges else None if pulls is None else (),
            branch,
            issues,
            closed or (),
            quota.remaining if quota is not None else None,
            now,
            tuple(self.problems),
            client.connection.requests - before,
        )
        return reading, memory

    def now(self) -> datetime:
        """The time by the server's clock: ours may be wrong. It names whole seconds that have begun, so the next one
        is never before anything that was written there."""
        return datetime.fromtimestamp(self.client.connection.server_time(), UTC)

    def again(self, candidate: MergeCandidate) -> PullRequestCycleReading:
        """The same of one candidate, all of it read anew: right before its merge. Raises ProviderError."""
        client, place = self.client, self.place
        branch = client.branch_rules(place.repo, place.branch)
        issues = client.issues(place.repo, labels=place.rules.freeze_label, state="open")
        pull = client.pull(place.repo, candidate.pull.number)
        facts = self._on_the_base(pull, self._facts(pull, 0, None), branch)
        quota = client.connection.quota
        return PullRequestCycleReading(
            (_candidate(pull, facts),), branch, issues, (), quota.remaining if quota else None, self.now()
        )

    def _candidates(
        self, pulls: Sequence[PullRequestState], memory: LaneMemory, branch: BranchRules | None, now: datetime
    ) -> tuple[dict[int, RememberedCandidateFacts], tuple[MergeCandidate, ...]]:
        """All candidates, with facts that are new enough."""
        facts: dict[int, RememberedCandidateFacts] = {}
        failed: dict[int, str] = {}
        due = set(self._due(pulls, memory))
        for pull in pulls:
            known = memory.facts.get(pull.number)
            if known is not None and known.pull.head == pull.head:
                facts[pull.number] = known
            if pull.number in due:
                try:
                    facts[pull.number] = self._facts(pull, memory.cycle, facts.get(pull.number))
                except ProviderError as error:
                    failed[pull.number] = error.described()
        looks = BASE_LOOKS
        for pull in sorted(
            pulls, key=lambda one: (-candidate_priority_by_labels(MergeCandidate(one), self.place.rules), one.number)
        ):
            one = facts.get(pull.number)
            if looks and one is not None and pull.number not in failed and self._is_stale(pull, one, branch, now):
                looks -= 1
                try:
                    facts[pull.number] = self._on_the_base(pull, one, branch)
                except ProviderError as error:
                    failed[pull.number] = error.described()
        found = tuple(self._judged(pull, facts.get(pull.number), failed.get(pull.number, "")) for pull in pulls)
        return facts, found

    def _judged(self, pull: PullRequestState, facts: RememberedCandidateFacts | None, failed: str) -> MergeCandidate:
        if failed:
            self.problems.append(f"pull request {pull.number}: {failed}")
            return MergeCandidate(pull, checks=None, reviews=None, unreadable=failed)
        if facts is None:  # its row alone says that it is none of ours yet
            return MergeCandidate(pull, row_only=True)
        return _candidate(pull, facts)

    def _due(self, pulls: Sequence[PullRequestState], memory: LaneMemory) -> Iterator[int]:
        """The numbers of those that are read in depth now."""
        settled: list[RememberedCandidateFacts] = []
        for pull in pulls:
            if self._plain_reasons(pull):
                continue
            known = memory.facts.get(pull.number)
            if known is None or known.listed != _row(pull) or not known.settled:
                yield pull.number
            else:
                settled.append(known)
        settled.sort(key=lambda one: (one.looked, one.pull.number))
        waiting = [one for one in settled if self._waits_for_checks(one)][:WAITING_LOOKS]
        others = [one for one in settled if one not in waiting]
        yield from (one.pull.number for one in [*waiting, *others][:SETTLED_LOOKS])

    def _waits_for_checks(self, facts: RememberedCandidateFacts) -> bool:
        """Whether a check that is run again may make it ready."""
        found = unmet_requirements(
            replace(_candidate(facts.pull, facts), base_read=True),
            self.place.rules,
            BranchRules(),
            base=self.place.branch,
            now=self.now(),
        )
        own = [one for one in found if one.code not in _OF_THE_BASE and one.holder != "reviewer"]
        return bool(own) and all(one.code.startswith("check-") for one in own)

    def _plain_reasons(self, pull: PullRequestState) -> list[UnmetRequirement]:
        """What the row in the list lacks already: then nothing else is asked about it."""
        row = MergeCandidate(pull, row_only=True)
        found = unmet_requirements(row, self.place.rules, BranchRules(), base=self.place.branch, now=self.now())
        return [one for one in found if one.code != "unreadable"]

    def _facts(
        self, pull: PullRequestState, cycle: int, known: RememberedCandidateFacts | None
    ) -> RememberedCandidateFacts:
        """Checks and reviews of the head, anew; what was known of the same head stays. Raises ProviderError."""
        client, repo, listed = self.client, self.place.repo, _row(pull)
        checks = client.checks(repo, pull.head)
        if known is not None and known.listed == listed:  # a review changes the row
            return replace(known, checks=checks, looked=cycle)
        reviews = client.reviews(repo, pull.number)
        if known is not None:
            return replace(known, listed=listed, checks=checks, reviews=reviews, looked=cycle)
        return RememberedCandidateFacts(pull, listed, checks, reviews, cycle, first=_instant(self.now()))

    def _is_stale(
        self, pull: PullRequestState, facts: RememberedCandidateFacts, branch: BranchRules | None, now: datetime
    ) -> bool:
        """Whether mergeability has to be read: nothing else is missing, and something moved since it was."""
        if facts.basis == _basis(facts, branch) and facts.pull.mergeable is not None:
            return False
        missing = unmet_requirements(
            replace(_candidate(pull, facts), base_read=True), self.place.rules, branch, base=self.place.branch, now=now
        )
        return all(one.code in _OF_THE_BASE or one.holder == "reviewer" for one in missing)

    def _on_the_base(
        self, pull: PullRequestState, facts: RememberedCandidateFacts, branch: BranchRules | None
    ) -> RememberedCandidateFacts:
        """The facts with what depends on the base: read by number, and predicted by git. Raises ProviderError."""
        place = self.place
        single = self.client.pull(place.repo, pull.number)
        strict = place.rules.freshness == "merge" or (branch is not None and branch.strict)
        contains = self.client.compare(place.repo, place.branch, pull.head).behind == 0 if strict else None
        conflicts = self._conflicts(single) if single.head == pull.head else None
        return replace(facts, pull=single, basis=_basis(facts, branch), contains=contains, conflicts=conflicts)

    def _conflicts(self, pull: PullRequestState) -> tuple[ConflictingFile, ...] | None:
        """The files that git cannot merge, each with whose change it is (P8). Raises ProviderError where git cannot be
        asked."""
        place = self.place
        found = self.provider.git.predict(place.git, place.branch, pull.head, place.rules.method)
        if not isinstance(found, ConflictingMerge):
            return ()
        named = add_conflicting_pull_requests(found, self.client, place.repo, place.branch)
        return named.files or (ConflictingFile("unrelated history"),)

    def _try(self, what: str, ask: Callable[[], _T]) -> _T | None:
        try:
            return ask()
        except ProviderError as error:
            self.problems.append(f"{what}: {error.described()}")
            return None


def _candidate(pull: PullRequestState, facts: RememberedCandidateFacts) -> MergeCandidate:
    """The row of the list with the mergeability of the single reading, and the rest of the facts. A single reading of
    another head says nothing about this one (P3)."""
    single = facts.pull
    same = single.head == pull.head
    shown = replace(
        pull,
        mergeable=single.mergeable if same else None,
        mergeable_state=single.mergeable_state if same else "",
        auto_merge=pull.auto_merge or single.auto_merge,
    )
    return MergeCandidate(
        shown,
        checks=facts.checks,
        reviews=facts.reviews,
        contains_base=facts.contains,
        conflicts=facts.conflicts if same else None,
        base_read=same and bool(facts.basis),
    )


def _row(pull: PullRequestState) -> str:
    """A digest of what the list says of a pull request."""
    return document_digest([pull.head, pull.updated_at, sorted(pull.labels), pull.draft, pull.title, pull.auto_merge])


def _basis(facts: RememberedCandidateFacts, branch: BranchRules | None) -> str:
    """A digest of everything that the mergeability of a pull request follows from, but for its head."""
    checks = sorted((one.name, one.state) for one in facts.others)
    base = [branch.tip, list(branch.contexts), branch.strict] if branch is not None else []
    return document_digest([facts.listed, [list(one) for one in checks], base])


def _instant(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
