"""An image that hwplan copies or builds stands before the workload that runs it."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.image_names import split_image_reference, tag_of_image_copy
from planner.values import JsonValue


def add_image_edges(collector: EdgeCollector, field: str, image: JsonValue) -> None:
    """RegistryImage -> workload. An image named by digest is that of the RegistryImage of its repository and tag."""
    if not collector.index.images or not isinstance(image, str):
        return
    tagged = image.partition("@")[0]
    repository, tag, digest = split_image_reference(image)
    if digest and not tag:
        tagged = f"{repository}:{tag_of_image_copy(tag, digest)}"
    collector.after(collector.index.images.get((collector.resource.address.node_lane, tagged)), "image", field)
