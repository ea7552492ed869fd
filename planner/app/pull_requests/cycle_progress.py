"""What one cycle works with and writes down: deliveries step by step, the memory of the lane, and what went wrong."""

from __future__ import annotations

import json
from dataclasses import field, replace

from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.dataclass import dataclass
from planner.pull_requests.cycle_record import CycleRecord
from planner.pull_requests.deliveries import Delivery, DeliveryStep, parse_delivery
from planner.pull_requests.lane_memory import LaneMemory, parse_lane_memory
from state.state_store import StateStore


@dataclass(slots=True)
class CycleProgress:
    """How far a cycle is. It changes, because each step of a delivery is durable before the next thing is done: what
    is here when an error ends a cycle is what the state has.

    `deliveries` are those of the lane by pull request, with the number of their newest step; `touched` the pull
    requests that this cycle did something about, `mergeable` those whose merge was decided now, or is to be verified.
    `notes` are for the reader, `errors` make the cycle a failed one, `unknown` says that something could not be read or
    written, `interrupted` that somebody ended the command. With `dry_run` nothing is stored."""

    place: MonitoredLane
    store: StateStore
    purpose: str
    dry_run: bool = False
    memory: LaneMemory = field(default_factory=LaneMemory)
    deliveries: dict[int, tuple[int, Delivery]] = field(default_factory=dict)
    touched: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    unknown: bool = False
    mergeable: set[int] = field(default_factory=set)
    interrupted: bool = False

    def load(self) -> None:
        """Read what earlier cycles wrote. Raises StateError."""
        key = self.place.key
        for row in self.store.pulls.deliveries(key):
            self.deliveries[row.pull] = (row.number, parse_delivery(json.loads(row.record)))
        self.memory = parse_lane_memory(self.store.pulls.memory(key))

    def known(self) -> list[Delivery]:
        """Every delivery of the lane as far as it is."""
        return [one for _, one in self.deliveries.values()]

    def delivery(self, pull: int) -> Delivery:
        """The delivery of a pull request."""
        return self.deliveries[pull][1]

    def step(self, one: Delivery) -> None:
        """The next step of a delivery, durable before anything else is done about it.

        Raises StalePlan when another monitor wrote one meanwhile, StateError."""
        number, before = self.deliveries.get(one.pull, (0, None))
        if before == one:
            return
        if not self.dry_run:
            self.store.pulls.append_delivery(self.place.key, one.pull, number + 1, json.dumps(one.document()))
        self.deliveries[one.pull] = (number + 1, one)
        if one.pull not in self.touched:
            self.touched.append(one.pull)

    def forget(self, pulls: list[int]) -> None:
        """Nothing was asked for: what this cycle meant to merge is judged anew."""
        for number in pulls:
            one = self.delivery(number)
            if not one.merged_by and number in self.touched:
                self.step(replace(one, step=DeliveryStep.VOID))

    def trouble(self, text: str) -> None:
        """Something could not be read or written: nothing is known to be wrong with the lane."""
        self.unknown = True
        self.notes.append(text)

    def save(self, record: CycleRecord) -> None:
        """Write the cycle and the memory. Raises StateError."""
        key, document = self.place.key, record.document()
        text = json.dumps(self.memory.document())
        if text != self.store.pulls.memory(key):
            self.store.pulls.write_memory(key, text)
        self.store.pulls.append_cycle(
            key, self.purpose, record.result, record.content(), json.dumps(document), repeats=record.may_repeat
        )
