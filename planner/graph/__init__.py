"""The graph of resources: what must stand before what, and by which rule.

`build_graph` adds every edge of spec 04 ("Identity, order, options"); `ResourceGraph` orders, selects and explains.
An edge always goes from the dependency to its dependent. Pure, and it knows no cluster: a reference to something that
is not declared is no edge, because it may live already, unless the author wrote it for hwplan.
"""

from planner.graph.build_graph import build_graph, missing_references, references_to_deleted, undeclared_references
from planner.graph.dependency_paths import dependents_of, paths_to_address, reduced_edges
from planner.graph.edge import Edge
from planner.graph.live_order import live_graph
from planner.graph.resource_graph import ResourceGraph, graph_of_edges

__all__ = [
    "Edge",
    "ResourceGraph",
    "build_graph",
    "dependents_of",
    "graph_of_edges",
    "live_graph",
    "missing_references",
    "paths_to_address",
    "reduced_edges",
    "references_to_deleted",
    "undeclared_references",
]
