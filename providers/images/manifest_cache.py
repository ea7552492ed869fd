"""Manifests seen before, by name, so that a HEAD says that one has not changed and no GET is spent on it (a GET counts
as a pull at docker.io). A cache: it may be thrown away at any time, and what goes wrong with it is as not having it.

A file per name with media type and bytes. What is read from it is worth nothing without the digest that a registry has
just reported for the name.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from planner.errors import PermanentError
from planner.user_cache_folder import user_cache_folder
from planner.whole_file import write_whole_file
from providers.images.image_manifest import MAX_MANIFEST, ImageManifest, parse_image_manifest, sha256_digest
from providers.images.image_reference import ImageReference

_MOST_FILES = 1000


class ManifestCache:
    """The cache of image manifests in `folder`, made when something is first retained."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or user_cache_folder("images")

    def get(self, image: ImageReference) -> ImageManifest | None:
        """What the name stood for when it was last read."""
        with suppress(OSError, PermanentError), self._file(image).open("rb") as handle:
            media_type, mark, data = handle.read(MAX_MANIFEST + 200).partition(b"\n")
            return parse_image_manifest(data, media_type.decode("ascii", "replace")) if mark else None
        return None

    def keep(self, image: ImageReference, manifest: ImageManifest) -> None:
        """Remember it; does nothing where that is not possible."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room()
            write_whole_file(self._file(image), manifest.media_type.encode() + b"\n" + manifest.data, mode=0o600)

    def _file(self, image: ImageReference) -> Path:
        return self._folder / sha256_digest(str(image).encode()).removeprefix("sha256:")

    def _make_room(self) -> None:
        files = list(self._folder.iterdir())
        if len(files) >= _MOST_FILES:
            for file in sorted(files, key=lambda one: one.stat().st_mtime)[: _MOST_FILES // 4]:
                file.unlink(missing_ok=True)
