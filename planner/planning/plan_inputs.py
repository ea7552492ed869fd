"""What a plan, or a drift report, is made from: desired, observed and predicted, side by side. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from planner.address import Address
from planner.dataclass import dataclass
from planner.field_path import FieldPath
from planner.graph import ResourceGraph
from planner.plan import ClusterIdentity, Selection
from planner.ports import Observation, PresentObject, Preview
from planner.resource import Resource
from planner.side_effects import UntouchedObjects
from planner.values import OutputRef, OutputTemplate


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """Everything a plan is made from.

    `graph` orders `resources`; `observations` and `previews` cover them; `strays` are live objects of our owned sets
    that are not declared; `unsourced` are resources whose inputs are missing, with the reason; `prune` allows deletes;
    `destroy` plans to take away everything that is ours; `pruning` says why a stray goes, for the reader, and `reasons`
    where one goes for another reason. `inside` names, of each container that is to be deleted, what else would go with
    it; `made` the values of a document that other resources made, see planner.plan.Change.

    `others` are objects that no plan of this touches and that may read or name what it does: for its effects only.

    For a destroy, `bystanders` are what is declared, or ours, and not selected; `scopes_beside` has the scope of each
    that has one. `live` is the order of everything that lives (planner.graph.graph_of_live_and_declared); made when it
    is not given.
    """

    selection: Selection
    cluster: ClusterIdentity
    config_digest: str
    graph: ResourceGraph
    resources: Mapping[Address, Resource]
    observations: Mapping[Address, Observation]
    previews: Mapping[Address, Preview]
    strays: tuple[PresentObject, ...] = ()
    unsourced: Mapping[Address, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    prune: bool = True
    destroy: bool = False
    pruning: str = "pruned"
    reasons: Mapping[Address, str] = field(default_factory=dict)
    inside: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    made: Mapping[Address, tuple[tuple[FieldPath, OutputRef | OutputTemplate], ...]] = field(default_factory=dict)
    bystanders: Mapping[Address, Observation] = field(default_factory=dict)
    scopes_beside: Mapping[Address, str] = field(default_factory=dict)
    live: ResourceGraph | None = None
    others: UntouchedObjects = field(default_factory=UntouchedObjects)
