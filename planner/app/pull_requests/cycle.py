"""One cycle of a monitor: read, decide, merge at most one, roll out, report, write down (P2, P12, P17, P19, P21).

What is about to be done is in the state before it is done, so that a cycle that was killed is gone on with by the next
one: it reads what became of the effect, and makes only what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from planner.address import Address
from planner.app.apply_plan import ApplyChoices
from planner.app.pull_requests.apply_cycle import AppliedCycle, PlannedCycle, apply_cycle, plan_cycle
from planner.app.pull_requests.cycle_book import CycleBook
from planner.app.pull_requests.cycle_decision import decide_cycle, reading_with_approvals, recheck_before_merge
from planner.app.pull_requests.cycle_resources import CycleResources, cycle_resources
from planner.app.pull_requests.delivery_rollout import RolloutInterrupted, roll_out_delivery
from planner.app.pull_requests.pull_requests_reader import PullRequestsReader, PullRequestsReading
from planner.app.pull_requests.standing_failures import remember_failures_of_cycle, remember_mismatch
from planner.errors import HwplanError, LockedError, ProviderError, StalePlan
from planner.events import NodeResult
from planner.pull_requests.cycle_record import (
    DONE,
    DRY_RUN,
    FAILED,
    IDLE,
    PENDING,
    UNKNOWN,
    WAITING,
    CycleRecord,
    fault_of_user_or_operator,
)
from planner.pull_requests.deliveries import (
    Delivery,
    DeliveryStep,
    RolloutOutcome,
    merged_by_others,
    unaccepted_mismatch,
)
from planner.pull_requests.github_facts import PullRequestState
from planner.pull_requests.merge_check import MISMATCH
from planner.pull_requests.merge_queue import CycleDecision


@dataclass(slots=True)
class Cycle:
    """One cycle at work. `mergeable` are the pull requests whose merge was decided now, or is to be verified."""

    book: CycleBook
    reader: PullRequestsReader
    how: ApplyChoices
    show: Callable[[PlannedCycle], None] | None = None
    mergeable: set[int] = field(default_factory=set)
    interrupted: bool = False

    def run(self) -> CycleRecord:
        """The whole cycle. Raises LockedError where somebody else holds the state, StateError, ConfigError."""
        self.book.load()
        at = self.reader.now()
        self._recover()
        reading, self.book.memory = self.reader.read(self.book.memory)
        self._forget_closed(reading)
        reading = reading_with_approvals(self.book, self.reader, reading)
        decision = decide_cycle(self.book, reading)
        self._enter_others(reading)
        for problem in reading.problems:
            self.book.trouble(problem)
        chosen = decision.merge
        if chosen is not None:
            number, head = chosen.pull.number, chosen.pull.head
            self._intend(Delivery(number, head, DeliveryStep.INTENDED, _instant(at), base=reading.tip))
        self.book.memory = remember_failures_of_cycle(
            self.book.place, decision, self.book.memory, _instant(reading.now)
        )
        if self.book.dry_run:
            return self._dry(at, reading, decision)
        self._settle(
            decision,
            None if chosen is None else lambda: recheck_before_merge(self.book, self.reader, decision, reading),
        )
        self._roll_out(reading, decision, _instant(reading.now))
        self._settle(None, None)
        record = self._record(at, reading, decision)
        self.book.save(record)
        return record

    # Reading and deciding

    def _forget_closed(self, reading: PullRequestsReading) -> None:
        """Statuses and approvals of pull requests that are open no more are nobody's business."""
        if reading.candidates is not None:
            numbers = {one.pull.number for one in reading.candidates}
            memory = self.book.memory
            statuses = {number: one for number, one in memory.statuses.items() if number in numbers}
            approved = {number: one for number, one in memory.approved.items() if number in numbers}
            withdrawn = {number: one for number, one in memory.withdrawn.items() if number in numbers}
            self.book.memory = replace(memory, statuses=statuses, approved=approved, withdrawn=withdrawn)

    def _enter_others(self, reading: PullRequestsReading) -> None:
        """Pull requests that a person, a queue or another node merged enter at the verification (P11)."""
        for pull in merged_by_others(reading.merged, self.book.known(), self.book.memory.since):
            if pull.base_branch == self.book.place.branch:
                by = self._merged_by(pull)
                self._intend(Delivery(pull.number, pull.head, DeliveryStep.INTENDED, pull.merged_at, merged_by=by))

    def _merged_by(self, pull: PullRequestState) -> str:
        """Who merged it: lists do not say."""
        try:
            return self.reader.client.pull(self.book.place.repo, pull.number).merged_by or "others"
        except ProviderError:
            return "others"

    def _recover(self) -> None:
        """What became of the merges that a cycle asked for, or was about to, before it was killed (P21). One that was
        not made is judged anew."""
        for one in self.book.known():
            if one.step is not DeliveryStep.INTENDED:
                continue
            try:
                merged = self.reader.client.pull(self.book.place.repo, one.pull).merged
            except ProviderError as error:
                self.book.trouble(f"pull request {one.pull}: {error.described()}")
                continue
            if merged:
                self.mergeable.add(one.pull)
            else:
                self.book.step(replace(one, step=DeliveryStep.VOID, reason="it was not merged"))

    def _intend(self, one: Delivery) -> None:
        self.book.step(one)
        self.mergeable.add(one.pull)

    # Effects

    def _settle(self, decision: CycleDecision | None, admit: Callable[[], None] | None) -> None:
        """Have GitHub say what is so now, and the merge made that is intended."""
        wanted = cycle_resources(self.book.place, decision, self.book.known(), self.book.memory, self.mergeable)
        if not wanted.all():
            return
        try:
            with plan_cycle(self.book.place, self.book.store, wanted.all()) as planned:
                if self.show is not None and planned.made.plan.changes:
                    self.show(planned)
                self._take(wanted, apply_cycle(planned, self._untimed(), admit))
        except LockedError:
            self.book.forget(list(wanted.merges))
            raise
        except StalePlan as error:
            self.book.notes.append(error.message)
            self.book.forget(list(wanted.merges))
        except HwplanError as error:  # whether the merge was made is looked at by the next cycle, which judges anew
            self.mergeable -= {number for number in wanted.merges if not self.book.deliveries[number][1].merged_by}
            self.book.trouble(f"{error.where}: {error.message}" if error.where else error.message)

    def _untimed(self) -> ApplyChoices:
        """The choices without the limit for rollouts: what GitHub is asked has limits of its own."""
        return replace(self.how, options=replace(self.how.options, timeout=None))

    def _take(self, wanted: CycleResources, settled: AppliedCycle) -> None:
        """Write down what became of everything."""
        for number, resource in wanted.merges.items():
            self._merged(number, settled, resource.address)
        for number, (resource, entry) in wanted.statuses.items():
            if settled.is_well(resource.address):
                self.book.memory = replace(self.book.memory, statuses={**self.book.memory.statuses, number: entry})
            else:
                self.book.trouble(f"the status of pull request {number}: {settled.problem(resource.address)}")
        for family, (resource, wanted_digest) in wanted.issues.items():
            if settled.is_well(resource.address):
                self.book.memory = replace(self.book.memory, issues={**self.book.memory.issues, family: wanted_digest})
            else:
                self.book.trouble(f"the issue {family}: {settled.problem(resource.address)}")
        for number, resource in wanted.withdrawals.items():
            if settled.is_well(resource.address):
                kept = {key: one for key, one in self.book.memory.withdrawn.items() if key != number}
                self.book.memory = replace(self.book.memory, withdrawn=kept)
            else:
                self.book.trouble(f"the comment on pull request {number}: {settled.problem(resource.address)}")
        for number, (resource, told) in wanted.comments.items():
            one = self.book.deliveries[number][1]
            if settled.is_well(resource.address):
                step = DeliveryStep.REPORTED if one.step is DeliveryStep.ENDED else one.step
                self.book.step(replace(one, step=step, told=told))
            elif one.step is not DeliveryStep.VOID and number not in wanted.merges:
                self.book.trouble(f"the comment on pull request {number}: {settled.problem(resource.address)}")

    def _merged(self, number: int, settled: AppliedCycle, address: Address) -> None:
        """What became of the merge: verified, a mismatch, unknown (looked at by the next cycle), or not made."""
        one, problem = self.book.deliveries[number][1], settled.problem(address)
        said = f"pull request {number}: {problem}"
        if not problem:
            commit = str(settled.outputs(address).get("mergeCommit") or "")
            self.book.step(replace(one, step=DeliveryStep.MERGED, commit=commit))
        elif MISMATCH in problem:
            found = replace(one, step=DeliveryStep.MISMATCH, reason=problem)
            self.book.step(found)
            self.book.memory = remember_mismatch(self.book.memory, found, one.begun)
            self.book.errors.append(said)
        elif one.merged_by or settled.result(address) is NodeResult.UNKNOWN:
            self.book.trouble(said)
        else:
            self.book.step(replace(one, step=DeliveryStep.VOID, reason=problem))
            (self.book.errors if settled.result(address) is NodeResult.FAILED else self.book.notes).append(said)

    def _roll_out(self, reading: PullRequestsReading, decision: CycleDecision, now: str) -> None:
        """The rollouts of what is merged, the oldest first, unless something stops the lane."""
        stopping = [one for one in decision.lane if one.code in ("merge-mismatch", "hold", "self-stop")]
        merged = [one for one in self.book.known() if one.step is DeliveryStep.MERGED]
        if not merged:
            return
        if stopping or unaccepted_mismatch(self.book.known()):
            why = stopping[0].reason if stopping else "a merge is not the foretold one"
            self.book.notes.append(f"nothing is rolled out: {why}")
            return
        tip = self._tip()
        covering = {one.commit for one in self.book.known() if one.commit}
        for one in sorted(merged, key=lambda one: (one.begun, one.pull)):
            try:
                ended = roll_out_delivery(self.book.place, one, self.how, tip=tip, covered=tip in covering)
            except (LockedError, RolloutInterrupted) as error:
                self.book.trouble(f"the rollout of {one.commit[:12]}: {error.message}")
                self.interrupted = isinstance(error, RolloutInterrupted)
                return
            except HwplanError as error:
                self.book.errors.append(f"the rollout of {one.commit[:12]}: {error.message}")
                return
            self.book.step(ended)
            self.book.memory = remember_failures_of_cycle(self.book.place, None, self.book.memory, now, ended)

    def _tip(self) -> str:
        """What the branch stands on now; "" for unknown. A merge of this cycle has moved it."""
        try:
            return self.reader.client.branch_rules(self.book.place.repo, self.book.place.branch).tip
        except HwplanError:
            return ""

    # Writing down

    def _dry(self, at: datetime, reading: PullRequestsReading, decision: CycleDecision) -> CycleRecord:
        wanted = cycle_resources(self.book.place, decision, self.book.known(), self.book.memory, self.mergeable)
        if wanted.all() and self.show is not None:
            with plan_cycle(self.book.place, self.book.store, wanted.all()) as planned:
                self.show(planned)
        return replace(self._record(at, reading, decision), result=UNKNOWN if self.book.unknown else DRY_RUN)

    def _record(self, at: datetime, reading: PullRequestsReading, decision: CycleDecision) -> CycleRecord:
        touched = tuple(self.book.deliveries[number][1] for number in self.book.touched)
        return CycleRecord(
            purpose=self.book.purpose,
            at=_instant(at),
            base=reading.tip,
            result=self._result(decision, touched),
            decision=decision,
            deliveries=touched,
            error="; ".join(self.book.errors),
            fault="operator" if self.book.errors or self.book.unknown else fault_of_user_or_operator(decision),
            requests=reading.requests,
            notes=tuple(self.book.notes),
        )

    def _result(self, decision: CycleDecision, touched: Iterable[Delivery]) -> str:
        outcomes = {one.outcome for one in touched if one.outcome}
        if self.book.errors or RolloutOutcome.FAILED in outcomes:
            return FAILED
        if self.book.unknown:
            return UNKNOWN
        if RolloutOutcome.PENDING in outcomes:
            return PENDING
        if outcomes or any(one.step is DeliveryStep.MERGED for one in touched):
            return DONE
        return WAITING if decision.verdicts else IDLE


def _instant(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
