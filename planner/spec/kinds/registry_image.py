"""The kind for images in a registry."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from planner.spec.base import Flag, ImageRef, ImageSource, InnerPath, Platform, RegistryHost, StrictModel, Text
from planner.spec.kinds.envelope import KindModel


class DockerfileImageBuild(StrictModel):
    """Build from a Dockerfile. It is built again when a file of the context, the Dockerfile or an argument changes;
    times and owners of files do not count, and neither does a base image that moved under the same name."""

    context: InnerPath = Field(description="Build context, relative to the configuration folder.")
    dockerfile: InnerPath = Field(description="Dockerfile, relative to the context.")
    args: dict[Text, Text] = Field(default_factory=dict, description="Build arguments. Never a secret.")
    builder: Literal["buildah", "docker"] = Field("buildah", description="Program that builds.")


class RegistryImageSpec(StrictModel):
    """What a RegistryImage declares: the image and where it comes from."""

    target: ImageRef = Field(description="Where it has to be: a tag.")
    source: ImageSource | None = Field(
        None,
        description="Image that is copied by digest: of a registry, or `oci:FOLDER[:NAME]` of an OCI image layout in a "
        "folder of the configuration folder; NAME is its org.opencontainers.image.ref.name, needed where there are "
        "several.",
    )
    build: DockerfileImageBuild | None = Field(None, description="Build instead of copy.")
    platforms: tuple[Platform, ...] = Field(
        ("linux/amd64",),
        min_length=1,
        max_length=20,
        description="Platforms that have to be there. `all` copies an index as it is, with its digest. One platform "
        "puts that platform's image under the tag, with the digest it has in the index. Several put an index "
        "with just those entries there, which has a digest of its own. An image without an index is copied as it is, "
        "if it is for that platform.",
    )
    target_insecure: Flag = Field(
        False,
        description="Plain HTTP is spoken to the target's registry. This machine's own registries are plain anyway.",
    )
    source_insecure: Flag = Field(False, description="Plain HTTP is spoken to the source's registry.")
    token_realms: tuple[RegistryHost, ...] = Field(
        (),
        max_length=10,
        description="Hosts besides the registries themselves that may see their credentials for a token.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.source is None) == (self.build is None):
            raise ValueError("an image has either `source` or `build`")
        if "all" in self.platforms and len(self.platforms) > 1:
            raise ValueError("`all` stands alone in platforms")
        if len(set(self.platforms)) != len(self.platforms):
            raise ValueError("a platform is named twice")
        if self.build is not None and (len(self.platforms) > 1 or "all" in self.platforms):
            raise ValueError("a build is for one platform")
        if "@" in self.target:
            raise ValueError("target names a tag; its digest follows from the source")
        return self


class RegistryImage(KindModel):
    """An image that has to be in a registry. Outputs: `digest`, `registryTagPresent`."""

    OUTPUTS: ClassVar[frozenset[str] | None] = frozenset({"digest", "registryTagPresent"})

    kind: Literal["RegistryImage"] = Field(description="RegistryImage.")
    spec: RegistryImageSpec = Field(description="The image and its origin.")
