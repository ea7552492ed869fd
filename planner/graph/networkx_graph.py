"""A graph of resources as networkx has it, and the report of a cycle. networkx is imported here, and only when called:
its import costs more than most plans, and a plan that needs no explanation needs none of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from planner.address import Address
from planner.errors import GraphError
from planner.graph.edge import Edge

if TYPE_CHECKING:
    from networkx import DiGraph


def networkx_digraph(edges: Iterable[Edge]) -> DiGraph[Address]:
    """The edges as a directed graph; the attribute `edge` is the first one between two nodes.

    What networkx finds first depends on the order in which edges are added: give them in a stable order.
    """
    from networkx import DiGraph

    found: DiGraph[Address] = DiGraph()
    for edge in edges:
        if not found.has_edge(edge.before, edge.after):
            found.add_edge(edge.before, edge.after, edge=edge)
    return found


def edges_along_path(graph: DiGraph[Address], nodes: Iterable[Address]) -> tuple[Edge, ...]:
    """The edges between each two neighbours of a path."""
    from itertools import pairwise

    return tuple(graph.edges[pair]["edge"] for pair in pairwise(nodes))


def cycle_error(edges: Iterable[Edge], rank: Mapping[Address, int]) -> GraphError:
    """The error for one cycle among `edges`, with the field of every edge on it, the smallest address first.

    `edges` are those between nodes that could not be ordered, each of which has one that leads to it; `rank` is the
    order of addresses. The search goes back from the smallest of them.
    """
    from networkx import find_cycle

    graph = networkx_digraph(
        sorted(edges, key=lambda edge: (rank[edge.before], rank[edge.after], edge.rule, edge.field))
    )
    backwards = find_cycle(graph, min(graph, key=rank.__getitem__), orientation="reverse")
    steps = [graph.edges[before, after]["edge"] for before, after, _ in reversed(backwards)]
    start = min(range(len(steps)), key=lambda at: rank[steps[at].before])
    steps = steps[start:] + steps[:start]
    shown = "".join(f" -> {edge.after} ({edge.rule}: {edge.field})" for edge in steps)
    return GraphError(
        f"a cycle: {steps[0].before}{shown}",
        where=str(steps[0].before),
        remedy="remove one of the references named in brackets",
    )
