"""The graph as JSON for programs: every node, and every edge with its rule and field; nothing is left out."""

from __future__ import annotations

from collections.abc import Mapping

from planner.address import Address
from planner.graph import Edge, ResourceGraph, reduced_edges
from planner.graph.dependency_paths import Way
from planner.render.graph_groups import node_names
from planner.render.json_text import render_document_as_json
from planner.values import JsonObject

SCHEMA_VERSION = 1


def graph_document(graph: ResourceGraph, labels: Mapping[Address, str]) -> JsonObject:
    """The graph as a document for programs: `nodes` in order of application; `edges` with `implied` where a chain of
    others says the same."""
    drawn = {(edge.before, edge.after) for edge in reduced_edges(graph)}
    name = node_names(graph)
    return {
        "schemaVersion": SCHEMA_VERSION,
        "nodes": [_node(address, name[address], order, labels) for order, address in enumerate(graph.order(), 1)],
        "edges": [_edge(edge, name, (edge.before, edge.after) not in drawn) for edge in graph.edges],
    }


def render_terminal_safe_json(graph: ResourceGraph, labels: Mapping[Address, str]) -> str:
    """The document as ASCII without a final newline: what a terminal could obey is escaped, what it means is not."""
    return render_document_as_json(graph_document(graph, labels), sort_keys=False)


def graph_path_document(way: Way) -> list[JsonObject]:
    """A way through the graph, edge by edge."""
    return [
        {"before": str(edge.before), "after": str(edge.after), "rule": edge.rule, "field": edge.field} for edge in way
    ]


def _node(address: Address, name: str, order: int, labels: Mapping[Address, str]) -> JsonObject:
    node, _, lane = address.node_lane.partition("/")
    document: JsonObject = {
        "order": order,
        "address": name,
        "kind": address.kind,
        "group": address.group,
        "namespace": address.namespace,
        "name": address.name,
        "node": node,
        "lane": lane,
    }
    return {**document, "label": labels[address]} if address in labels else document


def _edge(edge: Edge, name: Mapping[Address, str], implied: bool) -> JsonObject:
    return {
        "before": name[edge.before],
        "after": name[edge.after],
        "rule": edge.rule,
        "field": edge.field,
        "explicit": edge.explicit,
        "implied": implied,
    }
