"""Why a resource stands where it stands: each way that leads to it, edge by edge, with the rule and the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.address import Address
from planner.graph import Edge, ResourceGraph, paths_to_address
from planner.graph.dependency_paths import MOST_WAYS, Way
from planner.render.graph_groups import count_noun, node_names, numbers_in_apply_order
from planner.text_safe import safe_text

_WIDEST = 48  # of the column of addresses; longer ones push their rule on
_MOST_NAMED = 3  # dependents that are named before they are only counted


def render_order_explanation(graph: ResourceGraph, address: Address, other: Address | None) -> str:
    """The text of why a resource stands where it stands in the order, without a final newline. Raises GraphError for
    an address that is not in the graph.

    Without `other`, the longest chain behind each direct dependency; with it, the ways between the two.
    """
    ways = paths_to_address(graph, address, other)
    called = {node: safe_text(name) for node, name in node_names(graph).items()}
    if other is None:
        head = [_place(graph, address, called), *_dependents(graph, address, called)]
    else:
        head = [_between(address, other, ways, called)]
    width = min(_WIDEST, max((len(called[edge.after]) for way in ways for edge in way), default=0))
    return "\n".join(head + [line for way in ways for line in _lines(way, called, width)])


def _place(graph: ResourceGraph, address: Address, called: Mapping[Address, str]) -> str:
    at = f"{called[address]} is number {numbers_in_apply_order(graph)[address]} of {len(graph.order())}"
    direct = len(graph.needs(address))
    if not direct:
        return f"{at}; nothing stands before it"
    every = len(graph.upstream((address,))) - 1
    further = f", and of {every - direct} more through {'it' if direct == 1 else 'them'}" if every > direct else ""
    return f"{at}, because of {count_noun(direct, 'direct dependency', 'direct dependencies')}{further}"


def _dependents(graph: ResourceGraph, address: Address, called: Mapping[Address, str]) -> list[str]:
    after = graph.needed_by(address)
    if not after:
        return []
    more = f" and {len(after) - _MOST_NAMED} more" if len(after) > _MOST_NAMED else ""
    return [f"needed by {', '.join(called[one] for one in after[:_MOST_NAMED])}{more}"]


def _between(address: Address, other: Address, ways: Sequence[Way], called: Mapping[Address, str]) -> str:
    if address == other:
        return f"{called[address]} is one and the same resource"
    if not ways:
        return f"{called[address]} and {called[other]} do not depend on each other"
    first, last = ways[0][0].before, ways[0][-1].after
    count = f"the {MOST_WAYS} first found" if len(ways) == MOST_WAYS else count_noun(len(ways), "way")
    return f"{called[last]} comes after {called[first]}: {count}"


def _lines(way: Way, called: Mapping[Address, str], width: int) -> list[str]:
    return ["", f"  {called[way[0].before]}", *(_edge(edge, called, width) for edge in way)]


def _edge(edge: Edge, called: Mapping[Address, str], width: int) -> str:
    return f"    -> {called[edge.after]:<{width}}  {safe_text(edge.rule)}: {safe_text(edge.field)}"
