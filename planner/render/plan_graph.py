"""The graph that a plan alone can tell: its resources, and what each change waits for. Pure."""

from __future__ import annotations

from planner.graph import Edge, ResourceGraph, make_graph
from planner.plan import Plan

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
    return make_graph(nodes, edges)
