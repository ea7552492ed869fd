"""A custom resource definition stands (Established) before its custom resources."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector


def draw(pen: EdgeCollector) -> None:
    """CustomResourceDefinition -> resource of its group and kind."""
    address = pen.resource.address
    if address.group and pen.index.crds:
        pen.after(pen.index.crds.get((address.node_lane, address.group, address.kind)), "crd", "kind")
