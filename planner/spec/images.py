"""Images: where they come from and where they go. An input comes from a public registry, an output goes node-local."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from planner.spec.base import Flag, ImageRef, InnerPath, Platform, RegistryHost, StrictModel, Text


class RegistryConfig(StrictModel):
    """The registry of a node. It only ever receives images; no build or copy reads its input from it (S07)."""

    host: RegistryHost = Field(description="Host and port as workloads of the node name it: `127.0.0.1:5000`.")
    insecure: Flag = Field(False, description="Plain HTTP is spoken to it. Only for a registry on the node itself.")
    prefix: InnerPath | None = Field(None, description="First part of every repository path in it, such as `shop`.")


class BuildConfig(StrictModel):
    """How an image is built: context, Dockerfile, arguments and builder."""

    dockerfile: InnerPath = Field(description="Path of the Dockerfile, relative to the context.")
    context: InnerPath = Field(description="Build context: a folder in the configuration folder.")
    base: ImageRef | None = Field(None, description="The public image that the Dockerfile starts from.")
    args: dict[Text, Text] = Field(default_factory=dict, description="Build arguments. Never a secret.")
    builder: Literal["buildah", "docker"] = Field("buildah", description="Program that builds.")


class NodeRegistryImage(StrictModel):
    """An image that has to be in the registry of a node: copied from a public source, or built."""

    target: ImageRef = Field(description="Where it has to be: a tag in the node-local registry.")
    source: ImageRef | None = Field(None, description="Public image that is copied by digest (preload).")
    build: BuildConfig | None = Field(None, description="Build instead of copy.")
    platforms: tuple[Platform, ...] = Field(
        ("linux/amd64",),
        min_length=1,
        max_length=20,
        description="Platforms of the node: as `platforms` of a RegistryImage.",
    )
    purpose: Literal["tools", "runtime", "base", "dependency"] = Field(
        "dependency", description="What it is for; groups images in `image status`."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.source is None) == (self.build is None):
            raise ValueError("an image has either `source` or `build`")
        return self


class ImageRewrite(StrictModel):
    """Replace one image repository by another in manifests that others wrote."""

    from_: Text = Field(
        alias="from", description="Repository as the manifest names it, without tag: `quay.io/argoproj/argocd`."
    )
    to: Text = Field(description="Repository to use instead. The tag or digest of the manifest is retained.")
