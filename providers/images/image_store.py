"""What a place that holds images can do: a registry over HTTP, or an OCI layout in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

from planner.errors import PermanentError, TemporaryError
from providers.images.image_manifest import ImageDescriptor, ImageManifest
from providers.images.image_reference import ImageReference

# Opens the bytes of a blob from their start; called again for another try.
Opener: TypeAlias = Callable[[], AbstractContextManager[Iterable[bytes]]]


class ImageStore(Protocol):
    """Reads and writes manifests and blobs in one place: a registry or an OCI layout. Threads share it. All methods
    raise ProviderError subclasses only."""

    def digest(self, image: ImageReference) -> str:
        """Digest that the tag (or digest) has there, "" when there is none."""
        ...

    def manifest(self, image: ImageReference) -> ImageManifest | None:
        """The manifest, verified; None when there is none."""
        ...

    def has_blob(self, image: ImageReference, blob: ImageDescriptor) -> bool:
        """Whether the repository of `image` has this blob."""
        ...

    def open_blob(self, image: ImageReference, blob: ImageDescriptor) -> AbstractContextManager[Iterable[bytes]]:
        """The bytes of a blob in pieces, not yet verified: see `checked`."""
        ...

    def write_blob(self, image: ImageReference, blob: ImageDescriptor, opener: Opener, mount_from: str = "") -> None:
        """Store a blob in the repository of `image`, hashing what passes. `mount_from` is a repository of the same
        place that has it."""
        ...

    def write_manifest(self, image: ImageReference, manifest: ImageManifest) -> None:
        """Store a manifest under the tag of `image`, or by digest only when it has no tag."""
        ...


def verify_while_reading(pieces: Iterable[bytes], blob: ImageDescriptor) -> Iterator[bytes]:
    """The same pieces, one held back: the last comes out only when size and digest of the whole are as they have to be.

    So what receives them cannot take a wrong blob for complete. Raises PermanentError, or TemporaryError when it ended
    early.
    """
    seen, size, held = hashlib.sha256(), 0, b""
    for piece in pieces:
        seen.update(piece)
        size += len(piece)
        if size > blob.size:
            raise PermanentError(f"a blob is larger than its manifest says: {blob.digest}")
        if held:
            yield held
        held = piece
    if size < blob.size:
        raise TemporaryError(f"a blob ended early: {blob.digest}")
    if f"sha256:{seen.hexdigest()}" != blob.digest:
        raise PermanentError(f"the bytes of a blob are not what its digest says: {blob.digest}")
    if held:
        yield held
