"""What people ask of a graph: why something stands where it stands, what depends on it, and which edges say all that
the others repeat. Paths are networkx's; a plan that nobody asks about imports none of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TypeAlias

from planner.address import Address
from planner.errors import GraphError
from planner.graph.edge import Edge
from planner.graph.networkx_graph import edges_along_path, networkx_digraph
from planner.graph.resource_graph import ResourceGraph, closest_name

Way: TypeAlias = tuple[Edge, ...]
MOST_WAYS = 20  # a dense graph has more than anybody reads, and counting them all takes for ever


def paths_to_address(graph: ResourceGraph, address: Address, other: Address | None = None) -> tuple[Way, ...]:
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
    raise GraphError(f"{address} is not in the graph", where=str(address), remedy=closest_name(address, graph.nodes))


def _longest(graph: ResourceGraph, address: Address) -> tuple[Way, ...]:
    """For each direct dependency the longest way through it. Every node that leads to it lies before it, so that the
    longest path among those ends there."""
    from networkx import dag_longest_path

    ways = []
    for last in _one_each(graph.ingoing.get(address, ())):
        upstream = graph.upstream((last.before,))
        behind = networkx_digraph(edge for edge in graph.edges if edge.after in upstream)
        order = [node for node in graph.nodes if node in behind]  # its own order follows that of insertion
        way = dag_longest_path(behind, topo_order=order) if order else []
        ways.append((*edges_along_path(behind, way), last))
    return tuple(sorted(ways, key=len, reverse=True))


def _one_each(edges: Sequence[Edge]) -> list[Edge]:
    """The first edge between each two nodes."""
    return list({(edge.before, edge.after): edge for edge in reversed(edges)}.values())[::-1]


def _ways(graph: ResourceGraph, start: Address, end: Address, between: frozenset[Address]) -> list[Way]:
    """Up to MOST_WAYS ways. Every node of `between` lies on one, so the search never runs into a dead end."""
    from networkx import all_simple_paths

    if start == end:
        return []
    inside = networkx_digraph(edge for edge in graph.edges if edge.before in between and edge.after in between)
    found = islice(all_simple_paths(inside, start, end), MOST_WAYS)
    return [edges_along_path(inside, way) for way in found]


def paths_to_dependents(graph: ResourceGraph, address: Address) -> tuple[Way, ...]:
    """A shortest way from `address` to each of its dependents, near and far, in order of application.

    Raises GraphError for an address that is not in the graph.
    """
    from networkx import single_source_shortest_path

    start = _known(graph, address)
    reached = graph.downstream((start,))
    if len(reached) == 1:
        return ()
    inside = networkx_digraph(edge for edge in graph.edges if edge.before in reached)
    found = single_source_shortest_path(inside, start)
    return tuple(edges_along_path(inside, found[node]) for node in graph.nodes if node in reached and node != start)


def reduced_edges(graph: ResourceGraph) -> tuple[Edge, ...]:
    """The edges that no chain of others repeats (transitive reduction), for display.

    A search from each node that goes no further back than its own earliest dependency. networkx gives the same edges
    (the tests compare), but visits all descendants of every node: 20 s for a deep graph of 5,000 nodes, here 0.02 s.
    """
    position = {address: at for at, address in enumerate(graph.nodes)}
    before: list[list[int]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        before[position[edge.after]].append(position[edge.before])
    retained = {(need, at) for at, needs in enumerate(before) for need in _irreducible(needs, before)}
    return tuple(edge for edge in graph.edges if (position[edge.before], position[edge.after]) in retained)


def _irreducible(needs: Sequence[int], before: Sequence[Sequence[int]]) -> list[int]:
    """The dependencies that are not reached through a later one."""
    if len(needs) < 2:
        return list(needs)
    earliest = min(needs)
    reached: set[int] = set()
    retained = []
    for need in sorted(set(needs), reverse=True):
        if need in reached:
            continue
        retained.append(need)
        pending = [need]
        while pending:
            for further in before[pending.pop()]:
                if further >= earliest and further not in reached:
                    reached.add(further)
                    pending.append(further)
    return retained
