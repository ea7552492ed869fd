"""The order of what lives: the edges that are declared, and those that the live objects themselves show.

A live object may name what is declared no longer, or need what nobody declared. Nothing here is refused: what cannot be
ordered has no order.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.address import Address
from planner.graph.build_graph import collect_edges
from planner.graph.edge import Edge
from planner.graph.resource_graph import ResourceGraph, graph_of_edges, graph_unless_cyclic
from planner.resource import Resource


def graph_of_live_and_declared(live: Sequence[Resource], declared: ResourceGraph | None = None) -> ResourceGraph:
    """The graph of `live` objects and of everything in `declared`.

    Edges of `declared` count more than those of live objects: where the two close a cycle, the latter are left out.
    """
    known = declared.edges if declared else ()
    nodes = [*(declared.nodes if declared else ()), *(one.address for one in live)]
    found = collect_edges(live)
    whole = graph_unless_cyclic(nodes, (*known, *found))
    return whole or graph_of_edges(nodes, (*known, *_without_cycles(known, found)))


def _without_cycles(known: Sequence[Edge], found: Sequence[Edge]) -> tuple[Edge, ...]:
    """The edges of `found` that can be added one after the other without closing a cycle."""
    after: dict[Address, set[Address]] = {}
    for edge in known:
        after.setdefault(edge.before, set()).add(edge.after)
    retained = []
    for edge in sorted(found, key=lambda one: (one.before, one.after, one.rule, one.field)):
        if not _leads(after, edge.after, edge.before):
            after.setdefault(edge.before, set()).add(edge.after)
            retained.append(edge)
    return tuple(retained)


def _leads(after: dict[Address, set[Address]], start: Address, end: Address) -> bool:
    seen, pending = {start}, [start]
    while pending:
        here = pending.pop()
        if here == end:
            return True
        new = after.get(here, set()) - seen
        seen |= new
        pending.extend(new)
    return False
