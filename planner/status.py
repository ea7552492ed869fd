"""Status as data: each resource of a part as it was read, and as it is wanted. Owns no reading and no rendering."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.address import Address
from planner.plan import ClusterIdentity
from planner.values import JsonObject


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One resource.

    `live` is the version token of what is there ("" for nothing), `wanted` the one that has to be ("" when it is only
    known later). `settled` means that nothing is to be done; `problem` says why it cannot be told or done ("" if it
    can).
    """

    address: Address
    spec: JsonObject = field(repr=False)
    live: str
    wanted: str
    settled: bool
    problem: str
    outputs: JsonObject = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Status:
    """All rows in the order of the graph, and the cluster they belong to."""

    cluster: ClusterIdentity
    rows: tuple[StatusRow, ...]
