"""The graph as a Mermaid flowchart: a subgraph per namespace, ids of our own, labels in codes where needed."""

from __future__ import annotations

from collections.abc import Mapping

from planner.address import Address
from planner.graph import ResourceGraph
from planner.render.graph_groups import (
    arrows_without_implied_edges,
    group_nodes_by_namespace,
    kind_and_group_text,
    numbers_in_apply_order,
)
from planner.text_safe import safe_text

_MOST_EDGES = 500  # Mermaid's own defaults (maxEdges, maxTextSize); neither can be raised from within a diagram
_MOST_TEXT = 50_000


def render_graph_mermaid(graph: ResourceGraph, labels: Mapping[Address, str]) -> str:
    """The graph as a Mermaid flowchart from left to right, without a final newline; dotted arrows were written for
    hwplan."""
    number = numbers_in_apply_order(graph)
    lines = ["flowchart LR"]
    for at, group in enumerate(group_nodes_by_namespace(graph), 1):
        lines.append(f'  subgraph g{at}["{_label(group.title)}"]')
        lines += [f'    n{number[address]}["{_node(address, labels)}"]' for address in group.nodes]
        lines.append("  end")
    drawn = arrows_without_implied_edges(graph)
    for arrow in drawn:
        line = "-.->" if arrow.explicit else "-->"
        lines.append(f"  n{number[arrow.before]} {line} n{number[arrow.after]}")
    size = sum(len(line) + 1 for line in lines)
    if len(drawn) > _MOST_EDGES or size > _MOST_TEXT:
        reported = f"%% {len(drawn)} edges, {size} characters: more than Mermaid draws unless maxEdges and maxTextSize"
        lines.insert(1, f"  {reported} are raised; --format svg has no such limit")
    return "\n".join(lines)


def _node(address: Address, labels: Mapping[Address, str]) -> str:
    text = f"{_label(kind_and_group_text(address))}<br/>{_label(address.name)}"
    return f"{text}<br/>{_label(labels[address])}" if address in labels else text


def _label(text: str) -> str:
    """Text for the inside of a quoted label: all but letters, digits, spaces and `·._/-` as Mermaid's `#code;`.

    A first character that is no letter is coded too, or the label could become a Markdown list.
    """
    shown = safe_text(text)
    return "".join(
        char if char.isalpha() or (at and (char.isalnum() or char in " ·._/-")) else f"#{ord(char)};"
        for at, char in enumerate(shown)
    )
