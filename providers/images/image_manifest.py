"""Manifests and indexes: exact bytes with their digest, what they point at, and which platforms are taken of an index.

Bytes of others are never written anew; only a subset of an index is a document of our own. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import field
from typing import Any

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonObject, canonical_bytes
from providers.images.image_reference import check_digest_syntax, is_digest
from providers.json_answer import parse_json_answer

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_INDEX})
MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST)
MAX_MANIFEST = 4 << 20
ALL = "all"
_MAX_PARTS = 1000
_MAX_SIZE = 1 << 50
# Names that have to be spelled exactly so: other readers (Go) take `Layers` for `layers`.
_NAMES = {name.lower(): name for name in ("mediaType", "manifests", "layers", "config", "digest", "size", "platform")}


@dataclass(frozen=True, slots=True)
class ImageDescriptor:
    """An OCI descriptor: media type, digest and size of a blob or a manifest. `platform` is `os/arch[/variant]`, ""
    when it says none."""

    media_type: str
    digest: str
    size: int
    platform: str = ""


@dataclass(frozen=True, slots=True)
class ImageManifest:
    """A manifest or index: its exact bytes and what is in them. `parts` are the children of an index, else the config
    and the layers."""

    media_type: str
    digest: str
    data: bytes = field(repr=False)
    parts: tuple[ImageDescriptor, ...]
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def is_index(self) -> bool:
        """Whether it points at other manifests."""
        return self.media_type in INDEXES

    @property
    def descriptor(self) -> ImageDescriptor:
        """What points at this."""
        return ImageDescriptor(self.media_type, self.digest, len(self.data))


def sha256_digest(data: bytes) -> str:
    """`sha256:<hex>` of these bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def parse_image_manifest(data: bytes, media_type: str = "", *, expected: str = "") -> ImageManifest:
    """The manifest in `data`. `media_type` is what came with it ("" when nothing did), `expected` its digest if known.

    Raises PermanentError when the bytes have another digest, are no manifest, or are two kinds at once
    (GHSA-qq97-vm5h-rrhg).
    """
    digest = sha256_digest(data)
    if expected and digest != expected:
        raise PermanentError(f"the manifest is not what its digest says: wanted {expected}, got {digest}")
    try:
        document = parse_json_answer(data, unique_names=True)
    except ValueError:
        raise PermanentError("the manifest is no JSON, or names something twice") from None
    kind = _kind(document, media_type)
    key = "manifests" if kind in INDEXES else "layers"
    found = document.get(key)
    if not isinstance(found, list) or len(found) > _MAX_PARTS:
        raise PermanentError(f"the manifest has no proper list `{key}`")
    parts = found if kind in INDEXES else [document.get("config"), *found]
    return ImageManifest(kind, digest, data, tuple(_descriptor(part) for part in parts), _annotations(document))


def _misspelled(document: dict[str, Any]) -> bool:
    return any(_NAMES.get(name.lower(), name) != name for name in document)


def _kind(document: Any, media_type: str) -> str:
    if (
        not isinstance(document, dict)
        or _misspelled(document)
        or ("manifests" in document and ("layers" in document or "config" in document))
    ):
        raise PermanentError("the manifest is neither an image nor an index")
    said = document.get("mediaType")
    came = media_type.partition(";")[0].strip()
    came = came if came in MEDIA_TYPES else ""
    kind = said or came or (OCI_INDEX if "manifests" in document else OCI_MANIFEST)
    if kind not in MEDIA_TYPES or (came and came != kind) or (kind in INDEXES) != ("manifests" in document):
        raise PermanentError("the manifest has a media type that hwplan does not copy, or two that differ")
    return str(kind)


def _descriptor(part: Any) -> ImageDescriptor:
    match part:
        case {"mediaType": str(media_type), "digest": digest, "size": int(size)} if (
            is_digest(digest) and not isinstance(size, bool) and 0 <= size <= _MAX_SIZE and not _misspelled(part)
        ):
            return ImageDescriptor(media_type, check_digest_syntax(digest), size, _platform(part.get("platform")))
    raise PermanentError("the manifest points at something without a proper media type, digest and size")


def _platform(value: Any) -> str:
    match value:
        case {"os": str(system), "architecture": str(machine)}:
            variant = value.get("variant")
            return f"{system}/{machine}" + (f"/{variant}" if isinstance(variant, str) and variant else "")
    return ""


def _annotations(document: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = document.get("annotations")
    if not isinstance(found, dict):
        return ()
    return tuple(sorted((key, value) for key, value in found.items() if isinstance(value, str)))


def select_wanted_platforms(source: ImageManifest, platforms: Sequence[str]) -> ImageManifest:
    """What is copied when it is not a single child (`child_for_single_wanted_platform`): the source itself for `all`
    and for an image without an index, else an index with just the wanted entries, in the source's order and in
    canonical JSON.

    A platform without a variant takes the entry without one, else the only entry of that os and architecture. Raises
    PermanentError when the index lacks a platform.
    """
    if not source.is_index or ALL in platforms:
        return source
    chosen = {_entry(source, platform).digest for platform in platforms}
    document = parse_json_answer(source.data)
    retained = [entry for entry in document["manifests"] if entry["digest"] in chosen]
    return _written({"schemaVersion": 2, "mediaType": source.media_type, "manifests": retained})


def _written(document: JsonObject) -> ImageManifest:
    """A document of our own. Raises PermanentError when it holds what has no one byte form."""
    try:
        return parse_image_manifest(canonical_bytes(document))
    except (ValueError, RecursionError):
        raise PermanentError("the manifest holds a number or a nesting that hwplan does not write") from None


def child_for_single_wanted_platform(source: ImageManifest, platforms: Sequence[str]) -> ImageDescriptor | None:
    """The child to copy in place of the index when exactly one platform is wanted, else None."""
    return _entry(source, platforms[0]) if source.is_index and len(platforms) == 1 and ALL not in platforms else None


def digest_of_selected_manifest(source: ImageManifest, platforms: Sequence[str]) -> str:
    """The digest of what is copied for these platforms (the child or the index), which the target's tag will have."""
    child = child_for_single_wanted_platform(source, platforms)
    return child.digest if child else select_wanted_platforms(source, platforms).digest


def _entry(index: ImageManifest, platform: str) -> ImageDescriptor:
    exact = [part for part in index.parts if part.platform == platform]
    near = [part for part in index.parts if part.platform.startswith(platform + "/")]
    if exact:
        return exact[0]
    if len(near) == 1:
        return near[0]
    offered = ", ".join(sorted({part.platform for part in index.parts if part.platform.isprintable()} - {""}))[:300]
    raise PermanentError(f"the source has no image for {platform}", remedy=f"it offers: {offered or 'no platform'}")


def with_image_annotation(manifest: ImageManifest, key: str, value: str) -> ImageManifest:
    """An image of our own with one annotation more; its bytes and digest are new."""
    document = parse_json_answer(manifest.data)
    document["annotations"] = {**dict(manifest.annotations), key: value}
    return _written({**document, "mediaType": manifest.media_type})
