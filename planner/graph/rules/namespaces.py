"""A namespace stands before the objects in it."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector


def draw(pen: EdgeCollector) -> None:
    """Namespace -> every object with `metadata.namespace`."""
    if namespace := pen.resource.address.namespace:
        pen.names("namespace", "metadata.namespace", "Namespace", namespace, namespace="")
