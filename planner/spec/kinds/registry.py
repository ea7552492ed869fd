"""The kind for images in a registry."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from planner.spec.base import ImageRef, InnerPath, Model, Text
from planner.spec.kinds.envelope import KindModel


class ImageBuild(Model):
    """Build from a Dockerfile."""

    context: InnerPath = Field(description="Build context, relative to the configuration folder.")
    dockerfile: InnerPath = Field(description="Dockerfile, relative to the context.")
    args: dict[Text, Text] = Field(default_factory=dict, description="Build arguments.")
    builder: Literal["buildah", "docker"] = Field("buildah", description="Program that builds.")


class RegistryImageSpec(Model):
    """The image and its origin."""

    target: ImageRef = Field(description="Where it has to be.")
    source: ImageRef | None = Field(None, description="Image that is copied by digest.")
    build: ImageBuild | None = Field(None, description="Build instead of copy.")
    platforms: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$")], ...] = Field(
        ("linux/amd64",), min_length=1, description="Platforms that have to be there."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.source is None) == (self.build is None):
            raise ValueError("an image has either `source` or `build`")
        return self


class RegistryImage(KindModel):
    """An image that has to be in a registry. Outputs: `digest`, `registryTagPresent`."""

    kind: Literal["RegistryImage"] = Field(description="RegistryImage.")
    spec: RegistryImageSpec = Field(description="The image and its origin.")
