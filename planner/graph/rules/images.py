"""An image that hwplan copies or builds stands before the workload that runs it."""

from __future__ import annotations

from planner.graph.pen import Pen
from planner.values import Json


def draw_image(pen: Pen, field: str, image: Json) -> None:
    """RegistryImage -> workload. An image named by digest is that of the RegistryImage of its repository and tag."""
    if not pen.index.images or not isinstance(image, str):
        return
    tagged, _, _ = image.partition("@")
    pen.after(pen.index.images.get((pen.resource.address.place, tagged)), "image", field)
