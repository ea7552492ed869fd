"""A fleet as data: its shards, what became of each, and what that makes of the whole. Pure; reads and renders nothing.

A fleet is every lane on every node that a configuration has, of all its products or some. A shard is one lane of one
product on one node: what is looked at together, apart from all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum

from planner.dataclass import dataclass
from planner.drift import DriftReport, DriftState
from planner.errors import ConfigError, HwplanError, ProviderError
from planner.plan import Action, ClusterIdentity, Plan
from planner.plan_id import plan_id

COUNTED = tuple(str(action) for action in Action if action is not Action.NOOP)


class ShardState(StrEnum):
    """As declared; a plan of it has changes; somebody else changed it; a part of it cannot be planned; its cluster, or
    another system that all of it needs, does not answer; it could not be looked at."""

    ALIGNED = "aligned"
    CHANGES = "would change"
    DRIFT = "drift"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


UNKNOWN_STATES = frozenset({ShardState.UNREACHABLE, ShardState.FAILED})  # of which nothing was learned


@dataclass(frozen=True, slots=True)
class Shard:
    """One lane of one product on one node. `index` is its place in the fleet, from 0: rows, pods and `--shard` count
    by it."""

    index: int
    node: str
    product: str
    lane: str


@dataclass(frozen=True, slots=True)
class ShardProblem:
    """What is in the way, where (an address, a file with its line, a server), and what to do; the last two may be
    empty."""

    message: str
    where: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What became of a shard. `counts` are changes by action (COUNTED), `unchanged`, `blocked` and `drifted` objects,
    empty where nothing was learned, as are `plan` (the id) and `cluster`. `seconds` is how long it took."""

    shard: Shard
    state: ShardState
    counts: Mapping[str, int] = field(default_factory=dict)
    plan: str = ""
    cluster: ClusterIdentity | None = None
    problems: tuple[ShardProblem, ...] = ()
    seconds: float = 0.0

    @property
    def changes(self) -> int:
        """How many changes its plan has."""
        return sum(self.counts.get(action, 0) for action in COUNTED)


@dataclass(frozen=True, slots=True)
class FleetReport:
    """The results of shards, in the order of the fleet."""

    results: tuple[ShardResult, ...]

    def count(self, state: ShardState) -> int:
        """How many shards are in this state."""
        return sum(one.state is state for one in self.results)

    @property
    def simulated(self) -> bool:
        """Whether any of it was looked at in a sandbox or a snapshot."""
        return any(one.cluster is not None and one.cluster.simulated for one in self.results)

    @property
    def exit_code(self) -> int:
        """1 when of any shard nothing is known, else 2 when any is not as declared, else 0."""
        states = {one.state for one in self.results}
        if states & UNKNOWN_STATES:
            return 1
        return 2 if states - {ShardState.ALIGNED} else 0


def shard_result(shard: Shard, plan: Plan, drift: DriftReport) -> ShardResult:
    """The result of a shard that was planned and judged by one reading.

    What is gravest counts: blocked before drift before changes. A blocked shard names what is in the way.
    """
    drifted = drift.count(DriftState.DRIFTED) + drift.count(DriftState.BOTH)
    counts = {str(action): plan.count(action) for action in Action if action is not Action.NOOP}
    counts |= {"unchanged": plan.unchanged, "blocked": len(plan.blocked), "drifted": drifted}
    blocked = {str(one.address.local): ShardProblem(one.reason, one.address.local, one.remedy) for one in plan.blocked}
    unread = {
        row.address.local: ShardProblem(row.reason, row.address.local)
        for row in drift.rows
        if row.state is DriftState.INCOMPLETE
    }
    if problems := {**unread, **blocked}:
        state = ShardState.BLOCKED
    elif drifted:
        state = ShardState.DRIFT
    else:
        state = ShardState.CHANGES if plan.applyable else ShardState.ALIGNED
    found = tuple(problems[where] for where in sorted(problems))
    return ShardResult(shard, state, counts, plan_id(plan), plan.cluster, found)


def failed_shard(shard: Shard, error: HwplanError) -> ShardResult:
    """The result of a shard that could not be looked at, with all problems that the error holds."""
    if isinstance(error, ConfigError):
        problems: Sequence[ShardProblem] = [
            ShardProblem(one.message, str(one.source), one.suggestion) for one in error.problems
        ]
    else:
        problems = [ShardProblem(error.message, error.where, error.remedy)]
    state = ShardState.UNREACHABLE if isinstance(error, ProviderError) else ShardState.FAILED
    return ShardResult(shard, state, problems=tuple(problems))
