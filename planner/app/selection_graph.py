"""The graph of what is selected, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from planner.address import Address
from planner.app.load_desired import load_desired_offline
from planner.app.request import Request
from planner.errors import SelectionError
from planner.graph import ResourceGraph, build_graph, paths_to_address
from planner.resource import Resource

if TYPE_CHECKING:
    from planner.side_effects.change_impact import ChangeImpact


def load_selection_graph(request: Request) -> ResourceGraph:
    """The graph of the selection. Raises ConfigError and GraphError."""
    return _selected(request, load_desired_offline(request).resources)


def _selected(request: Request, resources: Sequence[Resource]) -> ResourceGraph:
    whole = build_graph(resources)
    return whole.subset(whole.select(request.targets)) if request.targets else whole


def find_change_impact(request: Request, address: str) -> tuple[ChangeImpact, ResourceGraph]:
    """What a change of `address` would reach, and the graph of the selection. Raises ConfigError and GraphError, and
    SelectionError for an address that fits none or several."""
    from planner.side_effects.change_impact import impact_of_change

    resources = load_desired_offline(request).resources
    graph = _selected(request, resources)
    return impact_of_change(_find(graph, address), {one.address: one for one in resources}, graph), graph


def explain_order(request: Request, address: str, other: str | None) -> str:
    """The text of why `address` stands where it stands in the order, or how it comes to need `other`."""
    from planner.render.graph_why import render_order_explanation

    graph = load_selection_graph(request)
    return render_order_explanation(graph, _find(graph, address), _find(graph, other) if other else None)


def explain_order_document(request: Request, address: str, other: str | None) -> dict[str, object]:
    """The reasons of the order for programs: the address, how many stand before it, and each way with its edges."""
    from planner.render.graph_json import graph_path_document

    graph = load_selection_graph(request)
    found, end = _find(graph, address), _find(graph, other) if other else None
    return {
        "schemaVersion": 1,
        "address": str(found),
        "other": str(end) if end else "",
        "needs": [str(one) for one in graph.needs(found)],
        "neededBy": [str(one) for one in graph.needed_by(found)],
        "ways": [graph_path_document(way) for way in paths_to_address(graph, found, end)],
    }


def _find(graph: ResourceGraph, words: str) -> Address:
    found = sorted(address for address in graph.order() if address.matches(words))
    if not found:
        graph.select((words,))  # raises, with the closest address
    if len(found) > 1:
        raise SelectionError(f"{words} means {len(found)} resources", remedy=f"one of them is {found[0]}")
    return found[0]
