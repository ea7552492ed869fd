"""The graph itself: nodes, edges, one order. Knows addresses and edges, and nothing of what resources hold.

Direction, stated once: an edge goes from the dependency (`before`) to its dependent (`after`). The order is
topological, and among those that are ready the smallest address comes first: the order of the input does not matter.
All of it is linear but for sorting. networkx explains graphs (planner.graph.networkx_graph), it does not order them:
every plan passes here, and its import alone costs more than the order of ten thousand nodes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from heapq import heappop, heappush

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import SelectionError, refuse_unknown_words
from planner.graph.edge import Edge


@dataclass(frozen=True, slots=True)
class ResourceGraph:
    """Resources in an order in which they can be applied. Made by `build_graph` and `graph_of_edges`.

    `nodes` is that order; `edges` are sorted by it. `ingoing` and `outgoing` hold the edges of each node that has some.
    """

    nodes: tuple[Address, ...]
    edges: tuple[Edge, ...] = field(repr=False)
    ingoing: Mapping[Address, Sequence[Edge]] = field(repr=False, compare=False)
    outgoing: Mapping[Address, Sequence[Edge]] = field(repr=False, compare=False)

    def order(self) -> tuple[Address, ...]:
        """Every node, dependencies first, ties broken by address."""
        return self.nodes

    def needs(self, address: Address) -> tuple[Address, ...]:
        """The direct dependencies of `address`, in order."""
        return tuple(dict.fromkeys(edge.before for edge in self.ingoing.get(address, ())))

    def needed_by(self, address: Address) -> tuple[Address, ...]:
        """The direct dependents of `address`, in order."""
        return tuple(dict.fromkeys(edge.after for edge in self.outgoing.get(address, ())))

    def upstream(self, addresses: Iterable[Address]) -> frozenset[Address]:
        """`addresses` and everything that they depend on."""
        return _reach(addresses, {after: [edge.before for edge in edges] for after, edges in self.ingoing.items()})

    def downstream(self, addresses: Iterable[Address]) -> frozenset[Address]:
        """`addresses` and everything that depends on them."""
        return _reach(addresses, {before: [edge.after for edge in edges] for before, edges in self.outgoing.items()})

    def select(self, patterns: Sequence[str], *, with_dependencies: bool = True) -> frozenset[Address]:
        """What `--target` patterns select, with all it depends on unless stated otherwise.

        Raises SelectionError for patterns that select nothing, naming the closest address of each.
        """
        chosen = matching_addresses(patterns, self.nodes)
        return self.upstream(chosen) if with_dependencies else frozenset(chosen)

    def subset(self, chosen: Collection[Address]) -> ResourceGraph:
        """The graph of `chosen` alone; edges to anything else are gone."""
        retained = frozenset(chosen)
        edges = (edge for edge in self.edges if edge.before in retained and edge.after in retained)
        return graph_of_edges((address for address in self.nodes if address in retained), edges)

    def reverse(self) -> ResourceGraph:
        """The graph with every edge turned round: the order of taking things away."""
        turned = (Edge(edge.after, edge.before, edge.rule, edge.field, edge.explicit) for edge in self.edges)
        return graph_of_edges(self.nodes, turned)


def graph_of_edges(addresses: Iterable[Address], edges: Iterable[Edge]) -> ResourceGraph:
    """The graph of these nodes and edges; both ends of an edge must be nodes. Raises GraphError on a cycle."""
    known = tuple(edges)
    graph, stuck, rank = _arranged(addresses, known)
    if graph is None:
        from planner.graph.networkx_graph import cycle_error

        raise cycle_error((edge for edge in known if edge.before in stuck and edge.after in stuck), rank)
    return graph


def graph_unless_cyclic(addresses: Iterable[Address], edges: Iterable[Edge]) -> ResourceGraph | None:
    """As `graph_of_edges`, for those who have an answer to a cycle: None instead of a report."""
    return _arranged(addresses, edges)[0]


def _arranged(
    addresses: Iterable[Address], edges: Iterable[Edge]
) -> tuple[ResourceGraph | None, frozenset[Address], Mapping[Address, int]]:
    """The graph, or None and what could not be ordered: all that is on a cycle or behind one. And the rank of each."""
    ranked = sorted(set(addresses), key=_identity)
    rank = {address: number for number, address in enumerate(ranked)}
    unique = {(rank[edge.before], rank[edge.after], edge.rule, edge.field): edge for edge in edges}
    order = _ordered(len(ranked), [(before, after) for before, after, _, _ in unique])
    if len(order) < len(ranked):
        return None, frozenset(ranked).difference(ranked[at] for at in order), rank
    position = [0] * len(order)
    for number, at in enumerate(order):
        position[at] = number
    by_order = sorted(unique, key=lambda key: (position[key[0]], position[key[1]], key[2], key[3]))
    return _linked(tuple(ranked[at] for at in order), tuple(unique[key] for key in by_order)), frozenset(), rank


def _identity(address: Address) -> tuple[str, str, str, str, str]:
    """The order of addresses as plain tuples: the comparison of the dataclass itself is five times as slow."""
    return (address.node_lane, address.kind, address.group, address.namespace, address.name)


def _linked(nodes: tuple[Address, ...], edges: tuple[Edge, ...]) -> ResourceGraph:
    ingoing: dict[Address, list[Edge]] = {}
    outgoing: dict[Address, list[Edge]] = {}
    for edge in edges:
        ingoing.setdefault(edge.after, []).append(edge)
        outgoing.setdefault(edge.before, []).append(edge)
    return ResourceGraph(nodes, edges, ingoing, outgoing)


def _ordered(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Kahn's algorithm with a heap: the smallest ready number first. Numbers on or behind a cycle are left out."""
    waiting = [0] * count
    following: list[list[int]] = [[] for _ in range(count)]
    for before, after in pairs:
        following[before].append(after)
        waiting[after] += 1
    ready = [number for number in range(count) if not waiting[number]]
    order: list[int] = []
    while ready:
        number = heappop(ready)
        order.append(number)
        for after in following[number]:
            waiting[after] -= 1
            if not waiting[after]:
                heappush(ready, after)
    return order


def _reach(start: Iterable[Address], neighbours: Mapping[Address, Sequence[Address]]) -> frozenset[Address]:
    found = set(start)
    pending = list(found)
    while pending:
        for address in neighbours.get(pending.pop(), ()):
            if address not in found:
                found.add(address)
                pending.append(address)
    return frozenset(found)


def matching_addresses(patterns: Iterable[str], known: Sequence[Address]) -> set[Address]:
    """The addresses of `known` that any of the `--target` patterns matches. Raises SelectionError for patterns that
    match none, naming the closest address of each."""
    found = {pattern: {address for address in known if address.matches(pattern)} for pattern in patterns}
    refuse_unknown_words(
        [
            SelectionError(f"--target {pattern} selects nothing", remedy=closest_name(pattern, known))
            for pattern, matched in found.items()
            if not matched
        ]
    )
    return set().union(*found.values())


def closest_name(wanted: Address | str, known: Iterable[Address], node_lane: str = "") -> str:
    """A suggestion for a name that leads nowhere: the closest known one, as the reader would have to write it."""
    from difflib import get_close_matches

    whole = isinstance(wanted, str) or bool(wanted.node_lane)
    near = [address for address in known if whole or address.node_lane == node_lane]
    texts = {(str(address) if whole else address.local): address for address in near}
    matches = get_close_matches(str(wanted), texts, n=1, cutoff=0.5)
    return f"did you mean {matches[0]}?" if matches else "declare it, or correct the name"
