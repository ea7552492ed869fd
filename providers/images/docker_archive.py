"""The archive that `docker image save` writes, made an OCI layout: every engine writes it, whatever its image store.

Its `manifest.json` names the configuration and the layers; their bytes are taken as they are, and hashed. Nothing is
unpacked to a path of the archive's choosing.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from planner.errors import PermanentError
from planner.values import canonical_bytes
from providers.images.image_manifest import MAX_MANIFEST, OCI_MANIFEST, ImageDescriptor, parse_image_manifest
from providers.images.image_reference import ImageReference
from providers.images.oci_layout import OciLayout
from providers.json_answer import parse_json_answer
from providers.simulated_images import write_simulated_images

_PIECE = 1 << 18
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_PACKED = {b"\x1f\x8b": "+gzip", b"\x28\xb5": "+zstd"}


def convert_docker_archive_to_oci_layout(archive: Path, folder: Path, image: ImageReference) -> OciLayout:
    """Convert the archive to an OCI layout: write the layout with the archive's one image into `folder` (made here).
    Raises PermanentError for anything else than such an archive."""
    write_simulated_images(folder, [])
    layout = OciLayout(folder)
    try:
        with tarfile.open(archive) as tar:
            config, layers = _names(tar)
            parts = [_moved(tar, name, layout, image) for name in (config, *layers)]
    except (OSError, tarfile.TarError, ValueError, LookupError, TypeError, RecursionError):
        raise PermanentError("docker wrote no archive with one image") from None
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {**parts[0], "mediaType": _CONFIG},
        "layers": parts[1:],
    }
    layout.write_manifest(image, parse_image_manifest(canonical_bytes(document)))
    return layout


def _names(tar: tarfile.TarFile) -> tuple[str, tuple[str, ...]]:
    with _member(tar, "manifest.json") as handle:
        (entry,) = parse_json_answer(handle.read(MAX_MANIFEST))
    return str(entry["Config"]), tuple(map(str, entry["Layers"]))


def _moved(tar: tarfile.TarFile, name: str, layout: OciLayout, image: ImageReference) -> dict[str, object]:
    """One file of the archive as a blob of the layout; what points at it."""
    with _member(tar, name) as handle:
        packed = _PACKED.get(handle.read(2), "")
        handle.seek(0)
        digest = f"sha256:{hashlib.file_digest(handle, 'sha256').hexdigest()}"  # type: ignore[arg-type]
        size = handle.tell()
    blob = ImageDescriptor(_LAYER + packed, digest, size)

    @contextmanager
    def opened() -> Iterator[Iterable[bytes]]:
        with _member(tar, name) as handle:
            yield iter(lambda: handle.read(_PIECE), b"")

    layout.write_blob(image, blob, opened)
    return {"mediaType": blob.media_type, "digest": digest, "size": size}


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """A regular file of the archive, links followed within it."""
    found = tar.extractfile(name)
    if found is None:
        raise LookupError(name)
    return found
