"""The graph that a plan alone can determine: its resources, and what each change waits for. Pure."""

from __future__ import annotations

from planner.graph import Edge, ResourceGraph, graph_of_edges
from planner.plan import LEAVING, Plan

_FIELD = "(a saved plan holds no fields of its edges)"


def graph_of_plan(plan: Plan) -> ResourceGraph:
    """Every resource that the plan names; edges as far as its changes need one another."""
    nodes = {change.address for change in plan.changes} | {blocked.address for blocked in plan.blocked}
    nodes |= {drift.address for drift in plan.drift}
    edges = [
        Edge(need, change.address, "needs", _FIELD)
        for change in plan.changes
        for need in change.needs
        if need in nodes and need != change.address
    ]
    return graph_of_edges(nodes, edges)


def add_deletes_to_graph(graph: ResourceGraph, plan: Plan) -> ResourceGraph:
    """The graph of what is declared, with what the plan takes away and what that waits for."""
    known = set(graph.order())
    leaving = {change.address for change in plan.changes if change.action in LEAVING} - known
    if not leaving:
        return graph
    edges = [
        Edge(edge.before, edge.after, "deleted after", "what may use it goes, or is updated, first")
        for edge in graph_of_plan(plan).edges
        if edge.after in leaving and edge.before in known | leaving
    ]
    return graph_of_edges([*graph.order(), *sorted(leaving)], [*graph.edges, *edges])
