"""What people ask of a graph: why something stands where it stands, and which edges say all that the others repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from planner.address import Address
from planner.errors import GraphError
from planner.graph.edge import Edge
from planner.graph.resource_graph import ResourceGraph, closest

Way: TypeAlias = tuple[Edge, ...]
MOST_WAYS = 20  # a dense graph has more than anybody reads, and counting them all takes for ever


def why(graph: ResourceGraph, address: Address, other: Address | None = None) -> tuple[Way, ...]:
    """The ways that lead to `address`, each a chain of edges in order of application.

    Without `other`: for each direct dependency the longest chain that ends through it, which is what holds `address` at
    its place. With `other`: up to `MOST_WAYS` ways between the two, whichever comes first, shortest first; none when
    neither depends on the other. Raises GraphError for an address that is not in the graph.
    """
    first = _known(graph, address)
    if other is None:
        return _longest(graph, first)
    second = _known(graph, other)
    start, end = (second, first) if second in graph.upstream((first,)) else (first, second)
    between = graph.upstream((end,)) & graph.downstream((start,))
    return tuple(sorted(_ways(graph, start, end, between), key=len)) if start in between else ()


def _known(graph: ResourceGraph, address: Address) -> Address:
    if address in graph.ingoing or address in graph.outgoing or address in graph.nodes:
        return address
    raise GraphError(f"{address} is not in the graph", where=str(address), remedy=closest(address, graph.nodes))


def _longest(graph: ResourceGraph, address: Address) -> tuple[Way, ...]:
    upstream = graph.upstream((address,))
    depth: dict[Address, int] = {}
    into: dict[Address, Edge] = {}
    for node in graph.nodes:
        if node in upstream:
            best = max(graph.ingoing.get(node, ()), key=lambda edge: depth[edge.before], default=None)
            depth[node] = depth[best.before] + 1 if best else 0
            if best:
                into[node] = best
    ways = []
    for last in _one_each(graph.ingoing.get(address, ())):
        way = [last]
        while way[-1].before in into:
            way.append(into[way[-1].before])
        ways.append(tuple(reversed(way)))
    return tuple(sorted(ways, key=len, reverse=True))


def _one_each(edges: Sequence[Edge]) -> list[Edge]:
    """The first edge between each two nodes."""
    return list({(edge.before, edge.after): edge for edge in reversed(edges)}.values())[::-1]


def _ways(graph: ResourceGraph, start: Address, end: Address, between: frozenset[Address]) -> list[Way]:
    """Up to MOST_WAYS ways. Every node of `between` lies on one, so the walk never runs into a dead end."""
    if start == end:
        return []
    ways: list[Way] = []
    way: list[Edge] = []
    stack: list[Iterator[Edge]] = [iter(_one_each(graph.outgoing.get(start, ())))]
    while stack and len(ways) < MOST_WAYS:
        edge = next((one for one in stack[-1] if one.after in between), None)
        if edge is None:
            stack.pop()
            if way:
                way.pop()
        elif edge.after == end:
            ways.append((*way, edge))
        else:
            way.append(edge)
            stack.append(iter(_one_each(graph.outgoing.get(edge.after, ()))))
    return ways


def reduced(graph: ResourceGraph) -> tuple[Edge, ...]:
    """The edges that no chain of others repeats (transitive reduction), for display.

    A search from each node that goes no further back than its own earliest dependency: linear for shallow graphs, and
    fast for deep ones, where the textbook algorithm takes minutes.
    """
    position = {address: at for at, address in enumerate(graph.nodes)}
    before: list[list[int]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        before[position[edge.after]].append(position[edge.before])
    kept = {(need, at) for at, needs in enumerate(before) for need in _irreducible(needs, before)}
    return tuple(edge for edge in graph.edges if (position[edge.before], position[edge.after]) in kept)


def _irreducible(needs: Sequence[int], before: Sequence[Sequence[int]]) -> list[int]:
    """The dependencies that are not reached through a later one."""
    if len(needs) < 2:
        return list(needs)
    earliest = min(needs)
    reached: set[int] = set()
    kept = []
    for need in sorted(set(needs), reverse=True):
        if need in reached:
            continue
        kept.append(need)
        pending = [need]
        while pending:
            for further in before[pending.pop()]:
                if further >= earliest and further not in reached:
                    reached.add(further)
                    pending.append(further)
    return kept
