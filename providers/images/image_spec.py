"""What one RegistryImage asks for, checked again: values filled in from other resources were not checked at load."""

from __future__ import annotations

import re
from collections.abc import Mapping

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonObject, JsonValue, OutputRef, OutputTemplate
from providers.images.image_manifest import ALL
from providers.images.image_reference import (
    ImageReference,
    LayoutReference,
    parse_image_or_layout_reference,
    parse_image_reference,
)

_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?")
_ARG_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """A build from a Dockerfile; the fields are those of the document. `known` is false while an argument is not."""

    context: str
    dockerfile: str
    args: Mapping[str, str]
    builder: str
    known: bool

    @property
    def document(self) -> JsonObject:
        """What counts for the image besides the files."""
        return {"dockerfile": self.dockerfile, "args": dict(self.args), "builder": self.builder}


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """An image and its origin. `target` or `source` is the leaf itself while it is not known yet."""

    target: ImageReference | OutputRef | OutputTemplate
    source: ImageReference | LayoutReference | OutputRef | OutputTemplate | None
    build: BuildSpec | None
    platforms: tuple[str, ...]
    target_plain: bool
    source_plain: bool
    realms: frozenset[str]


def parse_image_spec(manifest: JsonObject) -> ImageSpec:
    """Parse the document of a RegistryImage. Raises PermanentError when a value is not of its form."""
    spec = manifest["spec"]
    reported = spec.get("platforms")
    platforms = tuple(reported) if isinstance(reported, list | tuple) and reported else ("linux/amd64",)
    good = platforms == (ALL,) or all(isinstance(one, str) and _PLATFORM.fullmatch(one) for one in platforms)
    if not good:
        raise PermanentError("platforms are os/arch, or `all` alone")
    build = spec.get("build")
    source = spec.get("source")
    return ImageSpec(
        target=_target(spec["target"]),
        source=source
        if source is None or isinstance(source, OutputRef | OutputTemplate)
        else parse_image_or_layout_reference(source),
        build=None if build is None else _build(build),
        platforms=platforms,
        target_plain=spec.get("targetInsecure") is True,
        source_plain=spec.get("sourceInsecure") is True,
        realms=frozenset(str(host) for host in spec.get("tokenRealms") or ()),
    )


def _target(value: JsonValue) -> ImageReference | OutputRef | OutputTemplate:
    if isinstance(value, OutputRef | OutputTemplate):
        return value
    found = parse_image_reference(value)
    if found.digest or not found.tag:
        raise PermanentError("a target names a tag, and no digest")
    return found


def _build(document: JsonObject) -> BuildSpec:
    args: dict[str, str] = {}
    known = True
    for name, value in (document.get("args") or {}).items():
        if isinstance(value, OutputRef | OutputTemplate):
            known = False
            continue
        if not isinstance(value, str) or "\0" in value or not _ARG_NAME.fullmatch(name):
            raise PermanentError("a build argument is a name and a text, and never a secret")
        args[name] = value
    context, dockerfile = document["context"], document["dockerfile"]
    if not isinstance(context, str) or not isinstance(dockerfile, str):
        raise PermanentError("the context and the Dockerfile of a build are paths that are known at once")
    return BuildSpec(context, dockerfile, args, str(document.get("builder") or "buildah"), known)
