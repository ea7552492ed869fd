"""The graph of resources: what must stand before what, and by which rule.

`build_graph` adds every edge of spec 04 ("Identity, order, options"); `ResourceGraph` orders, selects and explains.
An edge always goes from the dependency to its dependent. Pure, and it knows no cluster: a reference to something that
is not declared is no edge, because it may live already, unless the author wrote it for hwplan.
"""

from planner.graph.build_graph import (
    build_graph,
    references_to_deleted,
    undeclared_reference_problems,
    undeclared_references,
)
from planner.graph.dependency_paths import paths_to_address, paths_to_dependents, reduced_edges
from planner.graph.edge import Edge
from planner.graph.live_and_declared_graph import graph_of_live_and_declared
from planner.graph.resource_graph import ResourceGraph, graph_of_edges

__all__ = [
    "Edge",
    "ResourceGraph",
    "build_graph",
    "graph_of_edges",
    "graph_of_live_and_declared",
    "paths_to_address",
    "paths_to_dependents",
    "reduced_edges",
    "references_to_deleted",
    "undeclared_reference_problems",
    "undeclared_references",
]
