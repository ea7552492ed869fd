"""The graph in the DOT language of Graphviz: a cluster per namespace, ids of our own, quoted and escaped labels."""

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

_HEAD = (
    "digraph hwplan {",
    '  rankdir=LR; nodesep=0.15; fontname="sans-serif";',
    '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=10];',
    '  edge [arrowsize=0.6, color="#7a828c"];',
)


def render_graph_dot(graph: ResourceGraph, labels: Mapping[Address, str]) -> str:
    """The graph as DOT of Graphviz, without a final newline; tooltips hold the whole address, and the rule and field
    of an edge."""
    number = numbers_in_apply_order(graph)
    lines = [*_HEAD]
    for at, group in enumerate(group_nodes_by_namespace(graph), 1):
        lines += [f"  subgraph cluster_{at} {{", f"    label={_quoted(group.title)}; style=rounded;"]
        for address in group.nodes:
            label = _quoted(
                kind_and_group_text(address), address.name, *([labels[address]] if address in labels else ())
            )
            lines.append(f"    n{number[address]} [label={label}, tooltip={_quoted(str(address))}];")
        lines.append("  }")
    for arrow in arrows_without_implied_edges(graph):
        dashed = ", style=dashed" if arrow.explicit else ""
        tooltip = _quoted(*arrow.reasons)
        lines.append(f"  n{number[arrow.before]} -> n{number[arrow.after]} [tooltip={tooltip}{dashed}];")
    return "\n".join([*lines, "}"])


def _quoted(*rows: str) -> str:
    """Rows as one quoted string. Backslashes and `&` are escaped too: Graphviz obeys `\\N` and reads `&lt;`."""
    return '"' + "\\n".join(_escaped(row) for row in rows) + '"'


def _escaped(text: str) -> str:
    return safe_text(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
