"""A namespace stands before the objects in it."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector


def add_namespace_edges(collector: EdgeCollector) -> None:
    """Namespace -> every object with `metadata.namespace`."""
    if namespace := collector.resource.address.namespace:
        collector.names("namespace", "metadata.namespace", "Namespace", namespace, namespace="")
