"""A custom resource definition stands (Established) before its custom resources."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector


def add_crd_edges(collector: EdgeCollector) -> None:
    """CustomResourceDefinition -> resource of its group and kind."""
    address = collector.resource.address
    if address.group and collector.index.crds:
        collector.after(collector.index.crds.get((address.node_lane, address.group, address.kind)), "crd", "kind")
