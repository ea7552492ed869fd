"""The graph of what is selected, without a network."""

from __future__ import annotations

from planner.address import Address
from planner.app.load import load_offline
from planner.app.request import Request
from planner.errors import SelectionError
from planner.graph import ResourceGraph, build_graph


def graph_of(request: Request) -> ResourceGraph:
    """The graph of the selection. Raises ConfigError and GraphError."""
    stack = load_offline(request)
    whole = build_graph(stack.resources)
    return whole.subset(whole.select(request.targets)) if request.targets else whole


def explain(request: Request, address: str, other: str | None) -> str:
    """Why `address` stands where it stands, or how it comes to need `other`."""
    from planner.render.why import render_why

    graph = graph_of(request)
    return render_why(graph, _find(graph, address), _find(graph, other) if other else None)


def _find(graph: ResourceGraph, words: str) -> Address:
    found = sorted(address for address in graph.order() if address.matches(words))
    if not found:
        graph.select((words,))  # raises, with the closest address
    if len(found) > 1:
        raise SelectionError(f"{words} means {len(found)} resources", remedy=f"one of them is {found[0]}")
    return found[0]
