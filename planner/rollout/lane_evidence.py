"""Evidence of one lane: every value with its source, its time and the version of the object that it was read from.

Owns the names of the readings and nothing that follows from them. Nothing here is derived: the source commit, the
digest in the registry, the GitOps revision, the revision of Argo CD and the digest of the running pods are five
readings of five systems (rules C3, C4, C7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from planner.dataclass import dataclass
from planner.values import Json

# Names of readings. Those that end with "/" have the name of one item behind them.
TIP = "tip"  # commit of the branch at its upstream; null: there is no such branch
SNAPSHOT = "snapshot"  # commit of the immutable snapshot ref of the target
RUN = "run"  # the PipelineRun of the target; null: there is none
TASKS = "tasks"  # its TaskRuns
IMAGE = "image/"  # {url, digest, reused}: what the run, or for a reused one the GitOps commit, says that it is
REGISTRY = "registry/"  # digest in the registry; null: there is no such image
GITOPS = "gitops"  # commit of the GitOps branch
GITOPS_NAMES = "gitops-names"  # {commit, digests}: image digests that the GitOps commit of the target names
ARGO = "argo/"  # {sync, health, revision, phase, ...} of an Application
WORKLOAD = "workload/"  # {ready, complete, images, pods, source, ...} of one workload
PROBE = "probe/"  # {url, role, status, wrong, provenance}
MIRROR = "mirror/"  # {from, to, inSync} of a ref that flows back to the upstream
CONTAINS_TIP = "contains/tip"  # {ancestor, descendant, holds}: whether the tip contains the target
CONTAINS_BEFORE = (
    "contains/before"  # the same for the target in what was closed before it; it is a rollback where it holds
)
BUDGET = "budget"  # {warnAfter}: seconds after which the lane warns
CONTAINS_ARGO = "contains/argo/"  # the same for the GitOps commit in the revision of an Application


@dataclass(frozen=True, slots=True)
class EvidenceReading:
    """One value. `source` is the object or URL it was read from, `at` the time (UTC ISO-8601), `version` that of the
    object (resourceVersion, commit, digest). None as `value` means that it is not there; `problem` says why it could
    not be read, and then `value` means nothing."""

    value: Json
    source: str
    at: str = ""
    version: str = ""
    problem: str = ""

    @property
    def readable(self) -> bool:
        """Whether the value is known. What could not be read stays unknown (C7)."""
        return not self.problem


Readings = Mapping[str, EvidenceReading]


@dataclass(frozen=True, slots=True)
class LaneEvidence:
    """All readings of a lane about one commit. `pinned` says that the commit was named by the user; `torn` that objects
    moved while they were read, so that the readings are of no one moment (C6)."""

    lane: str
    commit: str
    readings: Readings = field(default_factory=dict)
    pinned: bool = False
    torn: bool = False

    def get(self, name: str) -> EvidenceReading | None:
        """A reading by its name, None where the lane has no such thing."""
        return self.readings.get(name)

    def items(self, prefix: str) -> Iterator[tuple[str, EvidenceReading]]:
        """The readings of a kind: name of the item and reading, by name."""
        for name in sorted(self.readings):
            if name.startswith(prefix):
                yield name.removeprefix(prefix), self.readings[name]


MOST_READS = 3


def read_at_one_moment(read: Callable[[], Readings]) -> tuple[Readings, bool]:
    """Read everything, then read again and compare the versions; at most three times again (C6).

    Gives the last readings, and whether they are torn.
    """
    before = read()
    for _ in range(MOST_READS):
        after = read()
        if _versions(before) == _versions(after):
            return after, False
        before = after
    return before, True


def _versions(readings: Readings) -> dict[str, tuple[str, str]]:
    return {name: (one.version, one.problem) for name, one in readings.items()}
