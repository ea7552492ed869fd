"""A custom resource definition stands (Established) before its custom resources."""

from __future__ import annotations

from planner.graph.pen import Pen


def draw(pen: Pen) -> None:
    """CustomResourceDefinition -> resource of its group and kind."""
    address = pen.resource.address
    if address.group and pen.index.crds:
        pen.after(pen.index.crds.get((address.place, address.group, address.kind)), "crd", "kind")
