"""The forms of a graph, as one table. Loads only the renderer that is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from planner.address import Address
from planner.errors import SelectionError
from planner.graph import ResourceGraph

FORMS = ("text", "mermaid", "dot", "svg", "json")


def render_graph_as(graph: ResourceGraph, form: str, labels: Mapping[Address, str] | None = None) -> str:
    """The graph in one of `FORMS`, without a final newline. `labels` are short texts about nodes, such as their action.

    Raises SelectionError for a form that does not exist.
    """
    match form:
        case "text":
            from planner.render.graph_text import render_graph_text as render
        case "mermaid":
            from planner.render.graph_mermaid import render_graph_mermaid as render
        case "dot":
            from planner.render.graph_dot import render_graph_dot as render
        case "svg":
            from planner.render.graph_svg import render_graph_svg as render
        case "json":
            from planner.render.graph_json import render_terminal_safe_json as render
        case _:
            raise SelectionError(f"there is no graph format {form!r}", remedy=f"one of {', '.join(FORMS)}")
    return render(graph, labels or {})
