"""What a plan, or a drift report, is made from: desired, observed and predicted, side by side. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.address import Address
from planner.graph import ResourceGraph
from planner.plan import ClusterIdentity, Selection
from planner.ports import Observation, Present, Preview
from planner.resource import Resource


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """Everything a plan is made from.

    `graph` orders `resources`; `observations` and `previews` cover them; `strays` are live objects of our owned sets
    that are not declared; `unsourced` are resources whose inputs are missing, with the reason; `prune` allows deletes;
    `destroy` plans to take away everything that is ours; `pruning` says why a stray goes, for the reader. `inside`
    names, of each container that is to be deleted, what else would go with it.
    """

    selection: Selection
    cluster: ClusterIdentity
    config_digest: str
    graph: ResourceGraph
    resources: Mapping[Address, Resource]
    observations: Mapping[Address, Observation]
    previews: Mapping[Address, Preview]
    strays: tuple[Present, ...] = ()
    unsourced: Mapping[Address, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    prune: bool = True
    destroy: bool = False
    pruning: str = "pruned"
    inside: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
