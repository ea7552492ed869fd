"""Copying an image by digest from one place to another: blobs, manifests by digest, the tag last, then a look back.

A tag cannot be compared and set (the distribution-spec has no If-Match), so nothing atomic is promised: what stands
under the tag is looked at right before and right after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from planner.dataclass import dataclass
from planner.errors import PermanentError, PreconditionError
from providers.images.image_manifest import (
    ImageDescriptor,
    ImageManifest,
    child_for_single_wanted_platform,
    select_wanted_platforms,
)
from providers.images.image_reference import ImageReference
from providers.images.image_store import ImageStore

_PARALLEL = 4
_DEEPEST = 3
_MOST_MANIFESTS = 1000
_MOST_BYTES = 64 << 20  # of manifests, which are held in memory


@dataclass(frozen=True, slots=True)
class ImageLocation:
    """An image's repository in a store. `store` objects are compared by identity: one per registry."""

    store: ImageStore
    image: ImageReference


def read_manifest_to_copy(source: ImageLocation, found: ImageManifest, platforms: Sequence[str]) -> ImageManifest:
    """The manifest that goes under the target's tag. Reads the child when one platform is taken of an index."""
    child = child_for_single_wanted_platform(found, platforms)
    if child is None:
        return select_wanted_platforms(found, platforms)
    return _fetched(source, child)


def copy_image(source: ImageLocation, root: ImageManifest, target: ImageLocation, still: Callable[[str], None]) -> None:
    """Copy everything that `root` needs, then `root` itself under the tag of `target`.

    `still` gets the digest under the tag right before it is written and raises PreconditionError when it is not what it
    has to be. Raises PreconditionError when the tag says something else afterwards.
    """
    found: dict[str, ImageManifest] = {}
    _collect(source, root, target, _DEEPEST, found)
    manifests = tuple(found.values())
    blobs = {part.digest: part for one in manifests if not one.is_index for part in one.parts}
    mount = source.image.path if source.store is target.store else ""
    _copy_blobs(source, tuple(blobs.values()), target, mount)
    for manifest in manifests[:-1]:
        target.store.write_manifest(target.image.by_digest(manifest.digest), manifest)
    still(target.store.digest(target.image))
    target.store.write_manifest(target.image, manifests[-1])
    if target.store.digest(target.image) != root.digest:
        raise PreconditionError("somebody else moved the tag while it was written", where=str(target.image))


def _collect(
    source: ImageLocation, manifest: ImageManifest, target: ImageLocation, depth: int, found: dict[str, ImageManifest]
) -> None:
    """What has to be written, children before their index, the root last. Children that are there are left out."""
    if depth == 0:
        raise PermanentError("indexes within indexes, deeper than hwplan follows", where=str(source.image))
    children = {part.digest: part for part in manifest.parts} if manifest.is_index else {}
    for digest, part in children.items():
        if digest not in found and target.store.digest(target.image.by_digest(digest)) != digest:
            _collect(source, _fetched(source, part), target, depth - 1, found)
    found[manifest.digest] = manifest
    if len(found) > _MOST_MANIFESTS or sum(len(one.data) for one in found.values()) > _MOST_BYTES:
        raise PermanentError("more manifests below one index than hwplan copies", where=str(source.image))


def _fetched(source: ImageLocation, part: ImageDescriptor) -> ImageManifest:
    found = source.store.manifest(source.image.by_digest(part.digest))
    if found is None or found.digest != part.digest:
        raise PreconditionError("the source lacks a manifest that its index names", where=str(source.image))
    if (found.media_type, len(found.data)) != (part.media_type, part.size):
        raise PermanentError("an index says another type or size of a manifest than it has", where=str(source.image))
    return found


def _copy_blobs(source: ImageLocation, blobs: Sequence[ImageDescriptor], target: ImageLocation, mount: str) -> None:
    """All blobs, a few at a time. After a failure no further one is begun."""
    pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="blob")
    try:
        for future in [pool.submit(_copy_blob, source, blob, target, mount) for blob in blobs]:
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _copy_blob(source: ImageLocation, blob: ImageDescriptor, target: ImageLocation, mount: str) -> None:
    if not target.store.has_blob(target.image, blob):
        target.store.write_blob(target.image, blob, lambda: source.store.open_blob(source.image, blob), mount)
