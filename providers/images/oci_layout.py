"""An OCI image layout in a folder (image-spec, "Image Layout") as a place for images: in a sandbox the stand-in for
every registry, after a build the place where the builder left its result, or a source that a person put there.

Images are found by their full name in index.json. That file is replaced as a whole under a lock; blobs are written
beside their place and renamed, so that a kill leaves nothing half done. Does not delete.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from planner.errors import PermanentError
from planner.values import canonical_bytes
from planner.whole_file import write_whole_file
from providers.http.retries import repeat_on_temporary_error
from providers.images.image_manifest import (
    MAX_MANIFEST,
    OCI_INDEX,
    ImageDescriptor,
    ImageManifest,
    parse_image_manifest,
)
from providers.images.image_reference import ImageReference, check_digest_syntax, is_digest
from providers.images.image_store import Opener, verify_while_reading
from providers.json_answer import parse_json_answer

REF_NAME = "org.opencontainers.image.ref.name"
_PIECE = 1 << 18
_MAX_INDEX = 64 << 20


class OciLayout:
    """The layout in `folder`. `made_up` says that its images stand in for others: a digest in a name is not looked for
    where the layout holds the very name with it, or the name without it."""

    def __init__(self, folder: Path, *, made_up: bool = False) -> None:
        self._folder = folder
        self._made_up = made_up
        self._shown = folder.name

    def digest(self, image: ImageReference) -> str:
        """Digest of the entry with this name."""
        found = self.manifest(image)
        return found.digest if found else ""

    def manifest(self, image: ImageReference) -> ImageManifest | None:
        """The manifest of the entry with this name, or by digest."""
        names = [str(image), image.tagged] if self._made_up else [str(image)]
        for name in names:
            for entry in self._entries():
                if entry.get("annotations", {}).get(REF_NAME) == name:
                    return self._read(check_digest_syntax(entry.get("digest")), str(entry.get("mediaType", "")))
        if image.digest and self._blob(image.digest).is_file():
            return self._read(image.digest, "")
        return None

    def sole(self, name: str = "") -> ImageManifest:
        """The one image of a layout, or the one that it calls `name`. Raises PermanentError for none or several."""
        entries = self._entries()
        meant = [one for one in entries if one["annotations"].get(REF_NAME) == name] if name else entries
        if len(meant) != 1:
            names = sorted({str(one["annotations"].get(REF_NAME, "")) for one in entries} - {""})
            offered = ", ".join(text for text in names if text.isprintable())[:300]
            message = f"the OCI layout has {'no' if not meant else 'more than one'} such image"
            raise PermanentError(message, where=self._shown, remedy=f"it has: {offered}" if offered else "")
        return self._read(check_digest_syntax(meant[0].get("digest")), str(meant[0].get("mediaType", "")))

    def has_blob(self, image: ImageReference, blob: ImageDescriptor) -> bool:
        """Whether the file is there, in its whole size."""
        with suppress(OSError):
            return self._blob(blob.digest).stat().st_size == blob.size
        return False

    @contextmanager
    def open_blob(self, image: ImageReference, blob: ImageDescriptor) -> Iterator[Iterable[bytes]]:
        """The bytes of the file."""
        try:
            handle = _opened(self._blob(blob.digest))
        except OSError:
            raise PermanentError(f"the layout lacks a blob: {blob.digest}", where=self._shown) from None
        with handle:
            yield iter(lambda: handle.read(_PIECE), b"")

    def write_blob(self, image: ImageReference, blob: ImageDescriptor, opener: Opener, mount_from: str = "") -> None:
        """Write the file; what broke off at the source is read again from its start."""
        repeat_on_temporary_error(lambda: self._write_blob(blob, opener))

    def write_manifest(self, image: ImageReference, manifest: ImageManifest) -> None:
        """Write the manifest, and the entry with this name."""
        self._put(manifest.digest, (manifest.data,))
        if not image.tag:
            return
        entry = {
            "mediaType": manifest.media_type,
            "digest": manifest.digest,
            "size": len(manifest.data),
            "annotations": {REF_NAME: image.tagged},
        }
        with self._locked():
            others = [one for one in self._entries() if one.get("annotations", {}).get(REF_NAME) != image.tagged]
            ordered = sorted([*others, entry], key=lambda one: str(one.get("annotations", {}).get(REF_NAME, "")))
            index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": ordered}
            _replace(self._folder / "index.json", (canonical_bytes(index),))

    def _write_blob(self, blob: ImageDescriptor, opener: Opener) -> None:
        with opener() as pieces:
            self._put(blob.digest, verify_while_reading(pieces, blob))

    # --- files ---------------------------------------------------------------------------------------------------

    def _blob(self, digest: str) -> Path:
        return self._folder / "blobs" / "sha256" / check_digest_syntax(digest).removeprefix("sha256:")

    def _put(self, digest: str, pieces: Iterable[bytes]) -> None:
        _replace(self._blob(digest), pieces)

    def _read(self, digest: str, media_type: str) -> ImageManifest:
        with suppress(OSError), _opened(self._blob(digest)) as handle:
            data = handle.read(MAX_MANIFEST + 1)
            if len(data) <= MAX_MANIFEST:
                return parse_image_manifest(data, media_type, expected=digest)
        raise PermanentError(f"the layout lacks a manifest, or it is too large: {digest}", where=self._shown)

    def _entries(self) -> list[dict[str, Any]]:
        try:
            with _opened(self._folder / "index.json") as handle:
                entries = parse_json_answer(handle.read(_MAX_INDEX))["manifests"]
            if not isinstance(entries, list):
                raise TypeError
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            raise PermanentError("the OCI layout has no proper index.json", where=self._shown) from None
        good = [entry for entry in entries if isinstance(entry, dict) and is_digest(entry.get("digest"))]
        return [entry if isinstance(entry.get("annotations"), dict) else {**entry, "annotations": {}} for entry in good]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


class SingleImageLayout(OciLayout):
    """A layout that somebody else made, of which one image is meant, by whatever tag it is asked for.

    Errors call the layout `shown`.
    """

    def __init__(self, folder: Path, name: str, shown: str) -> None:
        super().__init__(folder)
        self._name = name
        self._shown = shown

    def manifest(self, image: ImageReference) -> ImageManifest | None:
        """The image that is meant, or what has the digest."""
        return super().manifest(image) if image.digest else self.sole(self._name)


def _opened(path: Path) -> BinaryIO:
    """A regular file for reading; a pipe or a device in its place would block for ever. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "no regular file")
    return os.fdopen(handle, "rb")


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file so that it is there as a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(path, pieces, mode=0o644, durable=True)
