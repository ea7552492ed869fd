"""The graph as text for 80 columns: resources under their namespace, each with the numbers that it comes after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.address import Address
from planner.graph import ResourceGraph
from planner.render.graph_groups import (
    arrows_without_implied_edges,
    count_noun,
    group_nodes_by_namespace,
    numbers_in_apply_order,
)
from planner.text_safe import safe_text

_WIDTH = 80
_AFTER_COLUMN = 50  # addresses are mostly shorter; a longer one pushes its numbers on, or to the next line


def render_graph_text(graph: ResourceGraph, labels: Mapping[Address, str]) -> str:
    """The graph as lines of text without a final newline. Numbers count the order of application; implied
    dependencies are left out."""
    number = numbers_in_apply_order(graph)
    needs: dict[Address, list[int]] = {}
    drawn = arrows_without_implied_edges(graph)
    for arrow in drawn:
        needs.setdefault(arrow.after, []).append(number[arrow.before])
    lines = [_summary(graph, len(drawn))]
    digits = max(4, len(str(len(number))) + 2)
    for group in group_nodes_by_namespace(graph):
        lines += ["", safe_text(group.title)]
        for address in group.nodes:
            text = safe_text(address.local) + (f"  [{safe_text(labels[address])}]" if address in labels else "")
            lines += _node(f"{number[address]:>{digits}}  ", text, sorted(needs.get(address, ())))
    if drawn:
        lines += ["", "which field says so:  hwplan why ADDRESS"]
    return "\n".join(lines)


def _summary(graph: ResourceGraph, shown: int) -> str:
    pairs = len({(edge.before, edge.after) for edge in graph.edges})
    reported = f"{count_noun(len(graph.order()), 'resource')}, {count_noun(shown, 'dependency', 'dependencies')}"
    return f"{reported}, {pairs - shown} more implied by these" if pairs > shown else reported


def _node(head: str, text: str, after: Sequence[int]) -> list[str]:
    if not after:
        return [head + text]
    words = ["after", *(f"{number}," for number in after[:-1]), str(after[-1])]
    first = f"{head}{text:<{_AFTER_COLUMN - len(head)}}  "
    if len(first) + len(words[0]) + len(words[1]) + 1 <= _WIDTH:
        return _wrapped(first, words)
    return [head + text, *_wrapped(" " * len(head) + "  ", words)]


def _wrapped(first: str, words: Sequence[str]) -> list[str]:
    """`words` behind `first`, going on below the first number when the line is full."""
    indent = " " * (len(first) + len("after"))
    lines = [first + words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > _WIDTH and lines[-1].strip() != "after":
            lines.append(indent)
        lines[-1] += f" {word}"
    return lines
