"""What all forms of a graph share: nodes grouped by place and namespace, and the edges worth drawing.

Gives raw addresses; each form escapes for itself. Deterministic: groups stand in the order of their first node.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.address import Address
from planner.dataclass import dataclass
from planner.graph import Edge, ResourceGraph, reduced_edges


@dataclass(frozen=True, slots=True)
class GraphNamespaceGroup:
    """The nodes of one namespace at one place, in order of application. `namespace` is empty for what has none."""

    node_lane: str
    namespace: str
    nodes: tuple[Address, ...]

    @property
    def title(self) -> str:
        """A heading, not escaped."""
        name = self.namespace or "no namespace"
        return f"{self.node_lane} · {name}" if self.node_lane else name


@dataclass(frozen=True, slots=True)
class GraphArrow:
    """One arrow: every edge between two nodes, reported together."""

    before: Address
    after: Address
    edges: tuple[Edge, ...]

    @property
    def explicit(self) -> bool:
        """Whether the author wrote one of them for hwplan."""
        return any(edge.explicit for edge in self.edges)

    @property
    def reasons(self) -> tuple[str, ...]:
        """`rule: field` of each edge, not escaped."""
        return tuple(f"{edge.rule}: {edge.field}" for edge in self.edges)


def group_nodes_by_namespace(graph: ResourceGraph) -> tuple[GraphNamespaceGroup, ...]:
    """The nodes of the graph by node_lane and namespace: every node in exactly one group."""
    found: dict[tuple[str, str], list[Address]] = {}
    for address in graph.order():
        found.setdefault((address.node_lane, address.namespace), []).append(address)
    return tuple(GraphNamespaceGroup(place, namespace, tuple(nodes)) for (place, namespace), nodes in found.items())


def arrows_without_implied_edges(graph: ResourceGraph) -> tuple[GraphArrow, ...]:
    """The edges that no chain of others repeats, one arrow between two nodes."""
    found: dict[tuple[Address, Address], list[Edge]] = {}
    for edge in reduced_edges(graph):
        found.setdefault((edge.before, edge.after), []).append(edge)
    return tuple(GraphArrow(before, after, tuple(edges)) for (before, after), edges in found.items())


def numbers_in_apply_order(graph: ResourceGraph) -> Mapping[Address, int]:
    """The place of each node in the order of application, from 1."""
    return {address: number for number, address in enumerate(graph.order(), 1)}


def kind_and_group_text(address: Address) -> str:
    """Kind and group, not escaped: `Deployment.apps`."""
    return f"{address.kind}.{address.group}" if address.group else address.kind


def node_names(graph: ResourceGraph) -> Mapping[Address, str]:
    """How each node is called, not escaped: with its place only where the graph spans several, as in plans."""
    several = len({address.node_lane for address in graph.order()}) > 1
    return {address: str(address) if several else address.local for address in graph.order()}


def count_noun(number: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 edge`, `2 edges`; `plural` where an s is not enough."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
